"""A few seconds of what `make oracle` does for minutes; and that its verdicts can be bad."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.kafka.cluster import RealKafka
from tests.kafka.oracle import verdict
from tests.kafka.oracle.__main__ import FIRST_PORT, run
from tests.kafka.oracle.clients import Producer
from tests.kafka.sidecars import Access, Sidecar

SECONDS, SEED = 12, 7
LOG = [[("p", 0), ("p", 2), ("p", 2), ("p", 4)], [("p", 3), ("p", 1)]]


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_mixed_faults_lose_nothing(kafka: RealKafka) -> None:
    with tempfile.TemporaryDirectory(prefix="oracle-") as home:
        sidecar = Sidecar("oracle", kafka, FIRST_PORT, Path(home), GATEWAY_SEQUENCE_ORACLE="true")
        try:
            assert run(sidecar, kafka.bootstrap, SECONDS, SEED) == []
        finally:
            sidecar.stop()


def producer(*numbers: int) -> Producer:
    """That was told that these are there."""
    made = Producer(Access(""), "p", "t", idempotent=True)
    made.acknowledged = {number: number % 2 for number in numbers}
    return made


def test_what_is_lost_twice_or_out_of_order_is_told() -> None:
    assert verdict.lost([producer(0, 1, 2)], LOG) == []
    [lost] = verdict.lost([producer(0, 6)], LOG)
    assert lost == "1 acknowledged and lost: p:6 of partition 0"
    assert verdict.repeated(LOG) == {0: 1, 1: 0}
    [order] = verdict.reordered(LOG)
    assert order == "1 out of order: p:1 behind 3 on partition 1"
    [unseen] = verdict.unseen([producer(0, 1)], {("p", 0)})
    assert unseen == "1 acknowledged and not consumed: p:1"


def test_what_is_twice_needs_a_cause() -> None:
    def event(outcome: str, partition: int = 0, topic: str = "t") -> dict[str, object]:
        return {"topic": topic, "partition": partition, "outcome": outcome}

    assert verdict.unexplained(LOG, [event("APPEND_THEN_REJECT")], "t") == []
    for end in ("APPEND_THEN_DISCONNECT", "APPEND_THEN_SWALLOW"):
        assert verdict.unexplained(LOG, [event(end, 1)], "t") == []
    for other in (
        [],
        [event("REJECT")],
        [event("APPEND_THEN_REJECT", 1)],
        [event("APPEND_THEN_REJECT", topic="u")],
    ):
        [told] = verdict.unexplained(LOG, other, "t")
        assert told == "1 repeated without a cause: partition 0: 1 records"
