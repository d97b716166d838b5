"""Creation, growth and deletion of topics."""

from itertools import count

import pytest

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError
from sidecar.embedded.topics import MAX_PARTITIONS, NewTopic, Topics


def topics() -> Topics:
    ids = count(1)
    return Topics(
        (1, 2, 3),
        num_partitions=2,
        replication_factor=3,
        new_id=lambda: next(ids).to_bytes(16, "big"),
    )


def refusal(wish: NewTopic) -> ErrorCode:
    found = topics()
    found.create(NewTopic("taken", 1, 1))
    with pytest.raises(ApiError) as caught:
        found.create(wish)
    assert [topic.name for topic in found] == ["taken"]
    return caught.value.code


def test_defaults_and_spread_leaders() -> None:
    found = topics()
    first, second = found.create(NewTopic("a")), found.create(NewTopic("b", 4, 2))
    assert [p.replicas for p in first.partitions] == [[1, 2, 3], [2, 3, 1]]
    assert [p.leader for p in second.partitions] == [2, 3, 1, 2]
    assert found.find_id(second.id) is second
    assert found.find_id(memoryview(second.id)) is second  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (NewTopic("a b"), ErrorCode.INVALID_TOPIC_EXCEPTION),
        (NewTopic("taken"), ErrorCode.TOPIC_ALREADY_EXISTS),
        (NewTopic("t", 0, 1), ErrorCode.INVALID_PARTITIONS),
        (NewTopic("t", -2, 1), ErrorCode.INVALID_PARTITIONS),
        (NewTopic("t", MAX_PARTITIONS + 1, 1), ErrorCode.INVALID_PARTITIONS),
        (NewTopic("t", 1, 4), ErrorCode.INVALID_REPLICATION_FACTOR),
        (NewTopic("t", 1, 0), ErrorCode.INVALID_REPLICATION_FACTOR),
        (NewTopic("t", 1, -1, {0: [1]}), ErrorCode.INVALID_REQUEST),
        (NewTopic("t", assignments={0: [4]}), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (NewTopic("t", assignments={0: [1, 1]}), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (NewTopic("t", assignments={1: [1]}), ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (NewTopic("t", configs={"no.such": "1"}), ErrorCode.INVALID_CONFIG),
        (NewTopic("t", configs={"retention.ms": "soon"}), ErrorCode.INVALID_CONFIG),
        (NewTopic("t", configs={"retention.ms": None}), ErrorCode.INVALID_CONFIG),
    ],
)
def test_refusals(wish: NewTopic, code: ErrorCode) -> None:
    assert refusal(wish) is code


def test_assignments_and_configs_are_kept() -> None:
    wish = NewTopic("t", assignments={0: [3], 1: [2, 1]}, configs={"max.message.bytes": "99"})
    topic = topics().create(wish)
    assert [p.replicas for p in topic.partitions] == [[3], [2, 1]]
    assert topic.max_message_bytes(1000) == 99


def test_validate_only_creates_nothing() -> None:
    found = topics()
    found.create(NewTopic("t"), validate_only=True)
    assert list(found) == []


def test_growth_goes_on_with_the_spread() -> None:
    found = topics()
    found.create(NewTopic("t", 1, 1))
    found.grow("t", 3, None, validate_only=True)
    assert len(found.find("t").partitions) == 1
    found.grow("t", 3, None, validate_only=False)
    assert [p.leader for p in found.find("t").partitions] == [1, 2, 3]
    found.grow("t", 4, [[2]], validate_only=False)
    assert found.find("t").partition(3).replicas == [2]


@pytest.mark.parametrize(
    ("name", "size", "assignments", "code"),
    [
        ("none", 2, None, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ("t", 1, None, ErrorCode.INVALID_PARTITIONS),
        ("t", 3, [[1]], ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        ("t", 2, [[9]], ErrorCode.INVALID_REPLICA_ASSIGNMENT),
    ],
)
def test_growth_refusals(
    name: str, size: int, assignments: list[list[int]] | None, code: ErrorCode
) -> None:
    found = topics()
    found.create(NewTopic("t", 1, 1))
    with pytest.raises(ApiError) as caught:
        found.grow(name, size, assignments, validate_only=False)
    assert caught.value.code is code


def test_deletion_marks_the_partitions_and_frees_name_and_id() -> None:
    found = topics()
    topic = found.create(NewTopic("t"))
    found.delete(topic)
    assert all(p.deleted for p in topic.partitions)
    with pytest.raises(ApiError) as caught:
        found.find_id(topic.id)
    assert caught.value.code is ErrorCode.UNKNOWN_TOPIC_ID
    assert found.create(NewTopic("t")).id != topic.id
