"""One client through a real election and one of ours, as `make fidelity` does it with all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.kafka.cluster import RealKafka
from tests.kafka.fidelity.cases import CASES
from tests.kafka.fidelity.clients import CLIENTS
from tests.kafka.fidelity.measures import Measures, measure
from tests.kafka.fidelity.report import unexplained
from tests.kafka.fidelity.runs import run
from tests.kafka.fidelity.stage import Stage, staged

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]
CALM, OBSERVED = 1.0, 3.0


@pytest.fixture(scope="module")
def stage(kafka: RealKafka) -> Iterator[Stage]:
    with staged(kafka) as made:
        yield made


def through(stage: Stage, case: str) -> Measures:
    """librdkafka through a case, in a hurry."""
    quick = replace(CASES[case], observed=OBSERVED)
    return measure(run(stage, CLIENTS["librdkafka"], quick, 1, CALM))


def test_a_real_election_and_ours(stage: Stage) -> None:
    real, first, second = (through(stage, case) for case in ("election", "rung1", "rung2"))

    assert (
        real.traits
        | {
            "hint in Produce": "the new leader",
            "leader epoch": "raised",
            "acknowledged then by": "another broker",
            "the leader's connection": "kept",
            "records given up": "none",
        }
        == real.traits
    )
    for ours in (first, second):
        assert ours.traits["Produce is answered"] == real.traits["Produce is answered"]
        assert ours.traits["acknowledged then by"] == "the same broker"
    assert first.traits["Metadata names"] == "the old leader"
    assert second.traits["Metadata names"] == "none, then the old leader"
    assert second.recovered is not None
    # And a client may wait for a backoff behind it.
    assert 1000 < second.recovered < 4000, "the window is two seconds"
    assert unexplained([real, first, second]) == []
    assert "Produce v10 to 2: NOT_LEADER_OR_FOLLOWER (hint: leader 3" in "\n".join(real.sequence)
