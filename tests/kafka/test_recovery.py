"""How real clients recover, and what the oracle on the wire says, on a real cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.kafka import clients
from tests.kafka.cluster import RealKafka
from tests.kafka.processes import wait_until
from tests.kafka.sidecars import Sidecar
from tests.kafka.test_election_outcomes import (
    OUTCOMES,
    PARTITIONS,
    PRODUCERS,
    elections,
    expected,
    stored,
)

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

FIRST_PORT = 28969


@pytest.fixture(scope="module")
def judging(kafka: RealKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar whose oracle is at work."""
    home: Path = tmp_path_factory.mktemp("judging")
    sidecar = Sidecar("judging", kafka, FIRST_PORT, home, GATEWAY_SEQUENCE_ORACLE="true")
    yield sidecar
    sidecar.stop()


def _errors(sidecar: Sidecar, vcluster: str) -> int:
    """Those that clients have recovered from."""
    ended = sidecar.events("client_recovered", virtual_cluster=vcluster)
    return sum(each["errors"] for each in ended)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("name", PRODUCERS)
def test_every_partition_that_was_struck_recovers(
    judging: Sidecar, kafka: RealKafka, name: str, outcome: str
) -> None:
    vcluster = f"recovery-{uuid4().hex[:12]}-"
    access = judging.access(vcluster)
    admin = AdminClient(clients.librdkafka_config(access))
    admin.create_topics([NewTopic("t", PARTITIONS, 1)])["t"].result(30)
    elections(judging, vcluster, outcome)
    PRODUCERS[name](access, "t", True)

    struck = judging.events(virtual_cluster=vcluster)
    assert struck
    wait_until(lambda: _errors(judging, vcluster) == len(struck), "all have recovered", 10)
    ended = judging.events("client_recovered", virtual_cluster=vcluster)
    assert {each["partition"] for each in ended} == {each["partition"] for each in struck}
    for each in ended:
        assert 0 < each["seconds"] < 30
        assert each["retries"] >= 1
        assert (each["topic"], each["api"], each["error"]) == (
            "t",
            "PRODUCE",
            "NOT_LEADER_OR_FOLLOWER",
        )
    if outcome != "APPEND_THEN_DISCONNECT":  # where the client reconnects first
        assert any(each["metadata_refreshes"] for each in ended)
    assert not judging.events("client_not_recovered", virtual_cluster=vcluster)
    assert not judging.events("sequence_anomaly", virtual_cluster=vcluster)
    assert stored(kafka.bootstrap, f"{vcluster}t") == expected()
    count = judging.metric("kafka_chaos_recovery_seconds_count", virtual_cluster=vcluster)
    assert count == len(ended)
