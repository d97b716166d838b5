"""Topics in what a Streams group's members are told, which their requests do not name."""

from __future__ import annotations

import pytest

from codec.messages.streams_group_heartbeat import (
    StreamsGroupHeartbeatRequest,
    StreamsGroupHeartbeatResponse,
)
from tests.support.conversation import Conversation

STATUS = StreamsGroupHeartbeatResponse.Status
ALIASES = {"shared": "elsewhere"}

#: As Kafka 4.3.1 writes them: the first two were seen, the others are in its classes.
DETAILS = [
    "Source topics {}cars are missing.",
    "Internal topics are missing: {}app-store-changelog",
    "Source topics {}cars, {}trucks and 3 additional topics are missing.",
    "Internal topics are missing: {}a-changelog, {}b-repartition; Unauthorized to CREATE on topics "
    "{}a-changelog, {}b-repartition.",
    "Internal topics are missing: {}a; Creation failed: {}a (Topic '{}a' already exists.), "
    "{}b (Unable to replicate the partition 3 time(s): no brokers.).",
    "Existing topic {}cars has different number of partitions: expected 3, found 4",
    "Number of partitions must be set for topic {}cars",
    "No partition count for source topic {}cars",
    "Missing source topics: {}cars, {}trucks",
    "Missing source topics: [{}cars, {}trucks]",
    "Number of partitions is not set for topic: {}cars",
    "All topics in the copartition group had undefined partition number: [{}cars, {}trucks]",
    "Following topics do not have the same number of partitions: [{{{}cars=1, {}trucks=2}}]",
    "Number of partitions [2] of repartition topic [{}cars] doesn't match number of partitions [3] "
    "of the source topic.",
    "Assignment delayed due to the configured initial rebalance delay.",
    "Streams group member m encountered a fatal error and requested a shutdown for the entire "
    "application.",
]
#: Each begins a word of these texts.
PREFIXES = ["teamA", "team.A", "a", "t", "m", "e", "d", "has", "Internal", "Source", "1", "par"]


def told(detail: str, prefix: str = "teamA") -> str:
    """What the client is told where a broker says this, on a heartbeat that names no topic."""
    talk = Conversation(
        StreamsGroupHeartbeatRequest(group_id="group"), 0, aliases=ALIASES, prefix=prefix
    )
    found = talk.heard(
        StreamsGroupHeartbeatResponse(status=[STATUS(status_code=1, status_detail=detail)])
    )
    return str(found.status[0].status_detail)


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("detail", DETAILS)
def test_topics_of_the_topology_are_the_clients_own(detail: str, prefix: str) -> None:
    count = detail.replace("{{", "").count("{}")
    assert told(detail.format(*[prefix] * count), prefix) == detail.format(*[""] * count)


def test_aliases_are_told_as_such_and_other_names_stay() -> None:
    assert told("Source topics elsewhere, cars are missing.") == (
        "Source topics shared, cars are missing."
    )


@pytest.mark.parametrize("status", [None, []])
def test_no_status_stays_none(status: list[object] | None) -> None:
    talk = Conversation(StreamsGroupHeartbeatRequest(group_id="group"), 0)
    assert talk.heard(StreamsGroupHeartbeatResponse(status=status)).status == status
