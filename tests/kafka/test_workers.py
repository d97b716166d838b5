"""Several workers before real Kafka: their clients get every record through, once and in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka import clients
from tests.kafka.cluster import RealKafka
from tests.kafka.sidecars import Sidecar

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

VALUES = [f"value-{number:02}" for number in range(30)]
MOST_PRODUCERS = 20
FIRST_PORT = 18969


@pytest.fixture
def sidecar(kafka: RealKafka, tmp_path: Path) -> Iterator[Sidecar]:
    """One sidecar of two processes."""
    one = Sidecar("workers", kafka, FIRST_PORT, tmp_path, GATEWAY_WORKERS="2")
    yield one
    assert one.stop() == 0


def test_both_workers_inject_and_nothing_is_lost(kafka: RealKafka, sidecar: Sidecar) -> None:
    access = sidecar.access("teamW")
    sidecar.inject("teamW", 50, 20)
    injecting: set[int] = set()

    for number in range(MOST_PRODUCERS):  # the kernel decides whose each one is
        topic = f"cars{number}"
        clients.create_topic(access, topic)
        clients.Confluent().produce(access, topic, VALUES)
        assert clients.stored(kafka.bootstrap, f"teamW{topic}") == VALUES
        injecting |= {(event["connection_id"] - 1) % 2 for event in sidecar.events(topic=topic)}
        if injecting == {0, 1}:
            break

    assert injecting == {0, 1}
    drawn = [event["draw"] for event in sidecar.events(reason="DRAWN")]
    assert len(set(drawn)) == len(drawn) > 0
