"""Topics: aliases are used and not deleted, all are listed once, those of others are hidden."""

from typing import Any

import pytest

from codec.messages.create_partitions import CreatePartitionsRequest
from codec.messages.create_topics import CreateTopicsRequest, CreateTopicsResponse
from codec.messages.delete_records import DeleteRecordsRequest
from codec.messages.delete_topics import DeleteTopicsRequest, DeleteTopicsResponse
from codec.messages.describe_topic_partitions import (
    Cursor,
    DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse,
)
from codec.schema import ZERO_UUID
from tests.support.tenants import Tenant

OWN, ALIAS, FOREIGN = b"o" * 16, b"a" * 16, b"f" * 16
ALIASES = {"orders": "ops-orders"}
IDS = {OWN: b"teamAcars", ALIAS: b"ops-orders", FOREIGN: b"teamBcars"}
REFUSED = (29, "Topic authorization failed.")


def told(response: Any) -> list[tuple[str | None, int]]:
    return [(r.name, r.error_code) for r in response.responses]


@pytest.mark.parametrize("version", range(6))
def test_a_deletion_by_the_name_of_an_alias_is_refused_and_the_others_go_on(version: int) -> None:
    tenant = Tenant(ALIASES, IDS)
    request = DeleteTopicsRequest(topic_names=["orders", "cars", "orders", "bikes"])

    sent, exchange = tenant.sends(request, version)

    assert list(sent.topic_names) == ["teamAcars", "teamAbikes"]
    result = DeleteTopicsResponse.DeletableTopicResult
    answer = DeleteTopicsResponse(
        responses=[result(name="teamAcars"), result(name="teamAbikes", error_code=3)]
    )
    read = tenant.reads(answer, version, exchange)
    assert told(read) == [("orders", 29), ("cars", 0), ("orders", 29), ("bikes", 3)]
    if version >= 5:
        assert (read.responses[0].error_code, read.responses[0].error_message) == REFUSED


def test_a_deletion_by_the_id_of_an_aliass_topic_is_refused_too() -> None:
    tenant = Tenant(ALIASES, IDS)
    state = DeleteTopicsRequest.DeleteTopicState
    request = DeleteTopicsRequest(
        topics=[state(topic_id=ALIAS), state(topic_id=OWN), state(name="orders"), state(name="x")]
    )

    sent, exchange = tenant.sends(request, 6)

    assert [(t.name, t.topic_id) for t in sent.topics] == [(None, OWN), ("teamAx", ZERO_UUID)]
    result = DeleteTopicsResponse.DeletableTopicResult
    answer = DeleteTopicsResponse(
        responses=[result(name="teamAcars", topic_id=OWN), result(name="teamAx", error_code=3)]
    )
    read = tenant.reads(answer, 6, exchange)
    assert [(r.name, r.topic_id, r.error_code) for r in read.responses] == [
        (None, ALIAS, 29),
        ("cars", OWN, 0),
        ("orders", ZERO_UUID, 29),
        ("x", ZERO_UUID, 3),
    ]


@pytest.mark.parametrize("version", range(7))
def test_aliases_alone_are_refused_without_asking(version: int) -> None:
    state = DeleteTopicsRequest.DeleteTopicState
    request = DeleteTopicsRequest(topic_names=["orders"], topics=[state(name="orders")])

    answer, exchange = Tenant(ALIASES).sends(request, version)

    assert exchange is None
    assert told(answer) == [("orders", 29)]


@pytest.mark.parametrize("version", range(7))
def test_deleting_nothing_is_for_the_broker_to_answer(version: int) -> None:
    tenant = Tenant(ALIASES)
    _, exchange = tenant.sends(DeleteTopicsRequest(), version)

    assert told(tenant.reads(DeleteTopicsResponse(), version, exchange)) == []


def test_an_alias_may_be_given_partitions_and_lose_records() -> None:
    tenant = Tenant(ALIASES)
    more = CreatePartitionsRequest.CreatePartitionsTopic(name="orders", count=3)
    fewer = DeleteRecordsRequest.DeleteRecordsTopic(name="orders")

    grown, _ = tenant.sends(CreatePartitionsRequest(topics=[more]), 3)
    cut, _ = tenant.sends(DeleteRecordsRequest(topics=[fewer]), 2)

    assert [t.name for t in (*grown.topics, *cut.topics)] == ["ops-orders", "ops-orders"]


# CreateTopics


@pytest.mark.parametrize("version", range(1, 8))
@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("Topic 'teamAa_b' already exists.", "Topic 'a_b' already exists."),
        (
            "Topic 'teamAa_b' collides with existing topic: teamAa.b",
            "Topic 'a_b' collides with existing topic: a.b",
        ),
        (
            "Topic 'teamAa_b' collides with existing topics: teamAa.b, teamBa.b",
            "Topic 'a_b' collides with existing topics: a.b",
        ),
        (
            "Topic 'teamAa_b' collides with existing topic: team.Aa_b",
            "Topic 'a_b' collides with existing topic",
        ),
        (None, None),
    ],
)
def test_a_collision_names_own_topics_only(
    message: str | None, wanted: str | None, version: int
) -> None:
    tenant = Tenant()
    request = CreateTopicsRequest(topics=[CreateTopicsRequest.CreatableTopic(name="a_b")])
    _, exchange = tenant.sends(request, version)
    result = CreateTopicsResponse.CreatableTopicResult
    answer = CreateTopicsResponse(
        topics=[result(name="teamAa_b", error_code=17, error_message=message)]
    )

    [found] = tenant.reads(answer, version, exchange).topics

    assert (found.name, found.error_message) == ("a_b", wanted)


# DescribeTopicPartitions


class Broker:
    """Lists topics as brokers do: in order, from the cursor on, so many partitions at most."""

    def __init__(self, topics: dict[str, int]) -> None:
        self.topics = topics

    def answers(self, request: Any) -> Any:
        kind = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic
        asked = [topic.name for topic in request.topics]
        cursor = request.cursor or Cursor(topic_name="", partition_index=0)
        assert cursor.partition_index >= 0
        assert not asked or request.cursor is None or cursor.topic_name in asked
        left = request.response_partition_limit
        topics: list[Any] = []
        for name in sorted(n for n in asked or self.topics if n >= cursor.topic_name):
            if not left:
                return self._page(topics, Cursor(topic_name=name, partition_index=0))
            if name not in self.topics:
                topics.append(kind(name=name, error_code=3))
                continue
            first = cursor.partition_index if name == cursor.topic_name else 0
            shown = range(first, self.topics[name])[:left]
            partition = kind.DescribeTopicPartitionsResponsePartition
            partitions = [partition(partition_index=p) for p in shown]
            topics.append(kind(name=name, topic_id=b"i" * 16, partitions=partitions))
            left -= len(shown)
            if shown and shown[-1] + 1 < self.topics[name]:
                return self._page(topics, Cursor(topic_name=name, partition_index=shown[-1] + 1))
        return self._page(topics, None)

    @staticmethod
    def _page(topics: list[Any], cursor: Cursor | None) -> Any:
        return DescribeTopicPartitionsResponse(topics=topics, next_cursor=cursor)


PHYSICAL = {
    "__consumer_offsets": 5,
    "aliased": 1,
    "ops-orders": 3,
    "team": 1,
    "teamA": 1,
    "teamA-first": 1,
    "teamAcars": 3,
    "teamAhidden": 1,
    "teamAz": 2,
    "teamBcars": 3,
    "zzz": 2,
}
THREE = {"orders": "ops-orders", "last": "zzz", "hidden": "gone", "early": "aliased"}


def listed(tenant: Tenant, limit: int, names: list[str]) -> list[tuple[str, int]]:
    """All topics and partitions that a client finds which turns page after page."""
    topic = DescribeTopicPartitionsRequest.TopicRequest
    request = DescribeTopicPartitionsRequest(
        topics=[topic(name=name) for name in names], response_partition_limit=limit
    )
    found = []
    for _ in range(40):
        sent, exchange = tenant.sends(request, 0)
        page = tenant.reads(Broker(PHYSICAL).answers(sent), 0, exchange)
        found += [(t.name, p.partition_index) for t in page.topics for p in t.partitions]
        if page.next_cursor is None:
            return found
        request.cursor = page.next_cursor
    raise AssertionError("the pages have no end")


OWN_TOPICS = [
    ("-first", 0),
    ("cars", 0),
    ("cars", 1),
    ("cars", 2),
    ("hidden", 0),
    ("z", 0),
    ("z", 1),
]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 2000])
def test_all_topics_are_the_own_ones_each_partition_once(limit: int) -> None:
    assert listed(Tenant(), limit, []) == OWN_TOPICS


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 2000])
def test_alias_topics_come_after_them_and_hide_own_ones(limit: int) -> None:
    own = [partition for partition in OWN_TOPICS if partition[0] != "hidden"]
    aliases = [("early", 0), ("orders", 0), ("orders", 1), ("orders", 2), ("last", 0), ("last", 1)]

    assert listed(Tenant(THREE), limit, []) == own + aliases


@pytest.mark.parametrize("limit", [1, 2, 2000])
def test_topics_that_are_named_are_described_whosever_they_are(limit: int) -> None:
    found = listed(Tenant(THREE), limit, ["cars", "orders"])

    assert sorted(found) == [(name, p) for name in ("cars", "orders") for p in range(3)]


def test_a_tenant_without_topics_finds_none() -> None:
    answer = DescribeTopicPartitionsResponse(
        topics=[DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic(name="teamB")],
        next_cursor=Cursor(topic_name="teamC", partition_index=4),
    )
    sent, exchange = Tenant().sends(DescribeTopicPartitionsRequest(), 0)

    found = Tenant().reads(answer, 0, exchange)

    assert (sent.cursor.topic_name, sent.cursor.partition_index) == ("teamA!", 0)
    assert (list(found.topics), found.next_cursor) == ([], None)


def test_an_empty_cursor_does_not_begin_before_the_own_topics() -> None:
    request = DescribeTopicPartitionsRequest(cursor=Cursor(topic_name="", partition_index=0))

    sent, _ = Tenant().sends(request, 0)

    assert sent.cursor.topic_name == "teamA!"
