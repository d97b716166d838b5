"""All topics, a page at a time: every own one once, and nothing of anybody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.messages.describe_topic_partitions import (
    Cursor,
    DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse,
)
from tests.support.conversation import Conversation

PARTITIONS = 2


def at(topic: str, partition: int) -> Cursor:
    return Cursor(topic_name=topic, partition_index=partition)


def asking(
    topics: Sequence[str],
    cursor: tuple[str, int] | None,
    aliases: Mapping[str, str] | None = None,
    limit: int = 2000,
) -> Conversation:
    request = DescribeTopicPartitionsRequest(
        topics=[DescribeTopicPartitionsRequest.TopicRequest(name=name) for name in topics],
        response_partition_limit=limit,
        cursor=None if cursor is None else at(*cursor),
    )
    return Conversation(request, 0, aliases=aliases)


def broker(topics: Sequence[str], request: Any) -> DescribeTopicPartitionsResponse:
    """A broker with these topics, as Kafka 4.3.1 was seen to answer a request for all of them."""
    assert not request.topics
    kind = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic
    partition = kind.DescribeTopicPartitionsResponsePartition
    response = DescribeTopicPartitionsResponse(topics=[], next_cursor=None)
    start = request.cursor or at("", 0)
    left = request.response_partition_limit
    for name in sorted(topics):
        if name < start.topic_name:
            continue
        first = start.partition_index if name == start.topic_name else 0
        last = min(PARTITIONS, first + left)
        if first == last:
            response.next_cursor = at(name, first)
            break
        numbers = range(first, last)
        described = kind(name=name, partitions=[partition(partition_index=n) for n in numbers])
        response.topics.append(described)
        left -= last - first
        if last < PARTITIONS:
            response.next_cursor = at(name, last)
            break
    return response


def listed(
    topics: Sequence[str], limit: int, aliases: Mapping[str, str] | None = None
) -> list[tuple[str, int]]:
    """All pages of the listing that teamA sees: topics and partitions in the order they come."""
    found: list[tuple[str, int]] = []
    cursor = None
    for _ in range(2 * PARTITIONS * len(topics) + 2):
        talk = asking([], cursor, aliases, limit)
        page = talk.heard(broker(topics, talk.sent))
        found += [(each.name, p.partition_index) for each in page.topics for p in each.partitions]
        if page.next_cursor is None:
            return found
        cursor = (page.next_cursor.topic_name, page.next_cursor.partition_index)
    raise AssertionError("the pages do not end")


def whole(*names: str) -> list[tuple[str, int]]:
    return [(name, number) for name in names for number in range(PARTITIONS)]


LETTERS = st.text("Aab.-_", max_size=3)
PHYSICAL = st.sets(
    st.builds("".join, st.tuples(st.sampled_from(["teamA", "team", "", "zz", "-"]), LETTERS))
).map(lambda names: sorted(names - {""}))


@given(topics=PHYSICAL, limit=st.integers(1, 5))
def test_the_pages_hold_every_own_topic_once(topics: list[str], limit: int) -> None:
    own = [name.removeprefix("teamA") for name in topics if name.startswith("teamA")]
    assert listed(topics, limit) == whole(*(name for name in own if name))


@pytest.mark.parametrize("limit", range(1, 6))
def test_aliases_and_what_they_hide_are_not_listed(limit: int) -> None:
    topics = ["elsewhere", "teamAa", "teamAb", "teamAb-", "teamAc", "teamC", "zz"]
    aliases = {"b": "zz", "d": "elsewhere", "e": "teamC", "f": "teamAc"}
    assert listed(topics, limit, aliases) == whole("a", "b-", "f")


@pytest.mark.parametrize("cursor", [None, ("", 0)])
def test_the_first_page_begins_before_every_own_name(cursor: tuple[str, int] | None) -> None:
    sent = asking([], cursor).sent.cursor
    assert "teamA" < sent.topic_name < "teamA-"
    assert sent.partition_index == 0


def test_a_partition_that_brokers_refuse_reaches_them() -> None:
    assert asking([], ("", -1)).sent.cursor.partition_index == -1
    assert asking([], ("cars", -1)).sent.cursor == at("teamAcars", -1)


def test_topics_asked_for_by_name() -> None:
    talk = asking(["cars", "shared"], ("cars", 1), {"shared": "elsewhere"})

    assert [topic.name for topic in talk.sent.topics] == ["teamAcars", "elsewhere"]
    assert talk.sent.cursor == at("teamAcars", 1)
    kind = DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic
    names = ("teamAcars", "elsewhere", "teamBcars")
    answer = DescribeTopicPartitionsResponse(
        topics=[kind(name=name) for name in names], next_cursor=at("elsewhere", 1)
    )
    found = talk.heard(answer)
    assert [topic.name for topic in found.topics] == ["cars", "shared"]
    assert found.next_cursor == at("shared", 1)


def test_no_cursor_is_asked_for_where_there_was_none() -> None:
    assert asking(["cars"], None).sent.cursor is None


@pytest.mark.parametrize("topics", [[], ["cars"]])
def test_a_cursor_of_anothers_topic_is_none(topics: list[str]) -> None:
    answer = DescribeTopicPartitionsResponse(next_cursor=at("teamBcars", 0))
    assert asking(topics, None).heard(answer).next_cursor is None
