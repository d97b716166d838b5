"""Which messages a selector means."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.delete_groups import DeleteGroupsRequest
from codec.messages.fetch import FetchRequest
from codec.messages.find_coordinator import FindCoordinatorRequest
from codec.messages.heartbeat import HeartbeatRequest
from codec.messages.list_offsets import ListOffsetsRequest
from codec.messages.metadata import MetadataRequest
from codec.messages.offset_fetch import OffsetFetchRequest
from sidecar.dataplane.selecting import Selection, selection
from sidecar.model.identity import Identity
from sidecar.model.selector import Selector
from tests.support.messages import produce


def meant(message: Any, **lists: Any) -> bool:
    return Selection(Selector(**lists)).message(message)


def fetch(topics: dict[str, list[int]], epoch: int = -1) -> FetchRequest:
    topic = FetchRequest.FetchTopic
    return FetchRequest(
        session_epoch=epoch,
        topics=[
            topic(topic=name, partitions=[topic.FetchPartition(partition=n) for n in partitions])
            for name, partitions in topics.items()
        ],
    )


@pytest.mark.parametrize(
    ("topics", "lists", "result"),
    [
        ({"cars": {0: b""}}, {"topics": ("cars",)}, True),
        ({"cars": {0: b""}}, {"topics": ("car",)}, False),
        ({"cars": {0: b""}}, {"topics": ("x", "c.*s")}, True),
        ({"cars": {0: b""}, "bikes": {0: b""}}, {"topics": ("cars",)}, False),
        ({"cars": {0: b""}, "bikes": {0: b""}}, {"topics": ("cars", "bikes")}, True),
        ({"cars": {0: b""}}, {"partitions": (0, 1)}, True),
        ({"cars": {0: b"", 1: b""}}, {"partitions": (0, 1)}, True),
        ({"cars": {0: b"", 2: b""}}, {"partitions": (0, 1)}, False),
        ({"cars": {0: b""}, "bikes": {2: b""}}, {"partitions": (0,)}, False),
        ({"cars": {0: b""}}, {"topics": ("cars",), "partitions": (1,)}, False),
        ({"cars": {0: b""}}, {"acks": (-1,)}, True),
        ({"cars": {0: b""}}, {"acks": (0, 1)}, False),
        ({"cars": {0: b""}}, {"groups": ("g",)}, False),
        ({}, {"topics": (".*",)}, False),
        ({"cars": {}}, {"partitions": (0,)}, False),
    ],
)
def test_a_produce_is_meant_if_all_of_it_is(
    topics: Any, lists: dict[str, Any], result: bool
) -> None:
    assert meant(produce(topics), **lists) is result


@pytest.mark.parametrize(
    ("topics", "epoch", "lists", "result"),
    [
        ({"cars": [0]}, -1, {"topics": ("cars",)}, True),
        ({"cars": [0]}, 0, {"topics": ("cars",), "partitions": (0,)}, True),
        ({"cars": [0, 1]}, 0, {"partitions": (0,)}, False),
        ({"cars": [0], "bikes": [0]}, 0, {"topics": ("cars",)}, False),
        # It goes on with a session, of which more than it names is struck.
        ({"cars": [0]}, 1, {"topics": ("cars",)}, False),
        ({}, 1, {"partitions": (0,)}, False),
        ({}, 1, {}, True),
        ({"cars": [0]}, -1, {"acks": (-1,)}, False),
    ],
)
def test_a_fetch_is_meant_if_it_names_all_of_it(
    topics: Any, epoch: int, lists: dict[str, Any], result: bool
) -> None:
    assert meant(fetch(topics, epoch), **lists) is result


def list_offsets(*partitions: int) -> ListOffsetsRequest:
    topic = ListOffsetsRequest.ListOffsetsTopic
    each = [topic.ListOffsetsPartition(partition_index=n, timestamp=-1) for n in partitions]
    return ListOffsetsRequest(replica_id=-1, topics=[topic(name="cars", partitions=each)])


OFFSETS = OffsetFetchRequest.OffsetFetchRequestGroup
POSITIONS = OFFSETS.OffsetFetchRequestTopics


def offset_fetch(*groups: tuple[str, list[str] | None]) -> OffsetFetchRequest:
    return OffsetFetchRequest(
        groups=[
            OFFSETS(
                group_id=group,
                topics=None
                if topics is None
                else [POSITIONS(name=name, partition_indexes=[0, 1]) for name in topics],
            )
            for group, topics in groups
        ]
    )


@pytest.mark.parametrize(
    ("message", "lists", "result"),
    [
        (HeartbeatRequest(group_id="g", generation_id=1, member_id="m"), {"groups": ("g",)}, True),
        (HeartbeatRequest(group_id="h", generation_id=1, member_id="m"), {"groups": ("g",)}, False),
        (
            HeartbeatRequest(group_id="g", generation_id=1, member_id="m"),
            {"topics": (".*",)},
            False,
        ),
        (DeleteGroupsRequest(groups_names=["g", "h"]), {"groups": ("g",)}, False),
        (DeleteGroupsRequest(groups_names=["g", "h"]), {"groups": ("g", "h")}, True),
        (FindCoordinatorRequest(key="g", key_type=0), {"groups": ("g",)}, True),
        (FindCoordinatorRequest(key="g", key_type=1), {"groups": ("g",)}, False),
        (
            FindCoordinatorRequest(key_type=0, coordinator_keys=["g", "h"]),
            {"groups": ("g",)},
            False,
        ),
        (offset_fetch(("g", ["cars"])), {"groups": ("g",), "topics": ("cars",)}, True),
        (offset_fetch(("g", ["cars"]), ("h", [])), {"groups": ("g",)}, False),
        (offset_fetch(("g", ["cars", "bikes"])), {"topics": ("cars",)}, False),
        (offset_fetch(("g", ["cars"])), {"partitions": (0, 1)}, True),
        (offset_fetch(("g", ["cars"])), {"partitions": (0,)}, False),
        # All topics of the group, whichever they are.
        (offset_fetch(("g", None)), {"topics": (".*",)}, False),
        (list_offsets(0, 1), {"topics": ("cars",), "partitions": (0, 1)}, True),
        (list_offsets(0, 1), {"partitions": (0,)}, False),
        (MetadataRequest(topics=None), {"topics": (".*",)}, False),
        (
            MetadataRequest(topics=[MetadataRequest.MetadataRequestTopic(name="cars")]),
            {"topics": ("cars",)},
            True,
        ),
        # Nothing says which partitions.
        (
            MetadataRequest(topics=[MetadataRequest.MetadataRequestTopic(name="cars")]),
            {"partitions": (0,)},
            False,
        ),
    ],
)
def test_other_messages_are_meant_by_what_they_carry(
    message: Any, lists: dict[str, Any], result: bool
) -> None:
    assert meant(message, **lists) is result


def test_what_is_known_before_a_message_is_read() -> None:
    some = Selection(
        Selector(principals=("CN=a",), brokers=(2,), apis=("FETCH",), client_ids=("app-.*", "x?"))
    )

    assert not some.reads
    assert some.principal(Identity("sa", other_names=frozenset({"CN=a"})))
    assert some.principal(Identity("CN=a"))
    assert not some.principal(Identity("sa"))
    assert [some.broker(n) for n in (1, 2)] == [False, True]
    assert [some.api(api) for api in (ApiKey.PRODUCE, ApiKey.FETCH)] == [False, True]
    ids = ("app-1", "app", "", None, "x" * 250)
    assert [some.client_id(each) for each in ids] == [True, False, True, True, False]


def test_a_selector_that_selects_everything_is_none_and_others_are_shared() -> None:
    assert selection(Selector()) is None
    assert selection(Selector(acks=(0,))) is selection(Selector(acks=(0,)))
