"""Two tenants with the same names run the same workload at once, and neither sees the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kafka import node, workloads
from tests.kafka.conftest import unavailable
from tests.kafka.distribution import KafkaUnavailableError
from tests.kafka.java_process import compiled
from tests.kafka.overheard import Overheard

# The first test pays for the start of the cluster, and perhaps for the download.
pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(600),
    # aiokafka and kafka-python leave sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

VCLUSTERS = ("tenant-carla-", "tenant-delta-")
PYTHON = {"confluent": workloads.confluent, "python": workloads.python, "aio": workloads.aio}


def check(
    overheard: Overheard, run: workloads.Workload, expected: Callable[[str], list[str]]
) -> None:
    """Both tenants see exactly their own; no byte of one has reached the other's client."""
    before = [side.ear.volume for side in (overheard.first, overheard.second)]
    for marker, seen in overheard.side_by_side(run, VCLUSTERS):
        assert seen == expected(marker)
    after = [side.ear.volume for side in (overheard.first, overheard.second)]
    assert all(late > early for early, late in zip(before, after, strict=True))
    assert overheard.leaks() == []


@pytest.mark.parametrize("name", PYTHON)
def test_a_python_client(overheard: Overheard, name: str) -> None:
    check(overheard, PYTHON[name], lambda marker: workloads.expected(name, marker))


def test_kafkajs(overheard: Overheard) -> None:
    try:
        node.installed()
    except KafkaUnavailableError as exc:
        unavailable(str(exc))
    check(overheard, workloads.js, workloads.expected_js)


def test_the_java_client(overheard: Overheard) -> None:
    """Transactions, both group protocols, both kinds of patterns, migration, share groups."""
    try:
        compiled(overheard.kafka.distribution)
    except KafkaUnavailableError as exc:
        unavailable(str(exc))
    check(overheard, workloads.java(overheard.kafka.distribution), workloads.expected_java)


def test_own_records_were_heard(overheard: Overheard) -> None:
    """Else the eavesdroppers heard nothing at all, and the tests above would say nothing."""
    run = workloads.confluent
    pairs = overheard.side_by_side(run, ("tenant-own-one-", "tenant-own-two-"))
    for side, (marker, _) in zip((overheard.first, overheard.second), pairs, strict=True):
        assert side.ear.heard([marker.encode()])
