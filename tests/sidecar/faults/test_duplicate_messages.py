"""Duplicated messages: into the log without breaking producers, and to consumers that take them."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.fetch import FetchRequest
from codec.records.batch import BatchHeader, read_batch_headers
from sidecar.faults.base import FORWARD, Asked, Await, Change, Connection, Part
from sidecar.faults.duplicate_messages import DuplicateMessages, DuplicateMessagesRule
from sidecar.faults.redelivery import JAVA
from sidecar.faults.registry import kind_of, rule_for
from sidecar.model.errors import InvalidArgument
from tests.support.records import (
    NOBODY,
    answered,
    asked,
    batch,
    blobs,
    fetched,
    produced,
    read_back,
    seen,
    values,
)

CODECS = pytest.mark.parametrize("compression", range(5))
LIBRDKAFKA = "confluent-kafka-python"


def rule(**config: Any) -> DuplicateMessagesRule:
    return DuplicateMessagesRule(DuplicateMessages(**config))


def decide(
    blob: bytes, chances: Any = (), *, client: Connection | None = None, **config: Any
) -> Any:
    request = produced({"a": {0: blob}})
    return rule(target="PRODUCE", **config).decide(asked(request, chances, client))


def after(decision: Any) -> bytes:
    assert isinstance(decision, Change)
    return bytes(blobs(decision.message)["a", 0])


def header(blob: bytes) -> BatchHeader:
    [only] = read_batch_headers(blob)
    return only


def producer(blob: bytes) -> tuple[int, int, int]:
    head = header(blob)
    return head.producer_id, head.producer_epoch, head.base_sequence


# Into the log


@CODECS
def test_the_copy_follows_its_record_with_all_it_has(compression: int) -> None:
    before = batch([b"one", None, b"three"], compression=compression)

    decision = decide(before)

    assert decision.parts == [Part("a", 0, 3)]
    records = seen(after(decision))
    assert [r.offset for r in records] == [0, 1, 2, 3, 4, 5]
    bare = [r._replace(offset=0) for r in records]
    assert bare[::2] == bare[1::2] == [r._replace(offset=0) for r in seen(before)]
    head = header(after(decision))
    assert (head.records_count, head.last_offset_delta) == (6, 5)
    assert head.attributes == header(before).attributes


def test_each_record_is_drawn() -> None:
    decision = decide(batch([b"a", b"b", b"c"]), [0.7, 0.2, 0.3], rate_in_percent=30)

    assert values(after(decision)) == [b"a", b"b", b"b", b"c"]
    assert decision.parts == [Part("a", 0, 1)]


def test_a_producer_without_idempotence_of_which_nothing_is_drawn_passes() -> None:
    assert decide(batch([b"a"]), [0.5], rate_in_percent=30) is FORWARD


@pytest.mark.parametrize("client", [JAVA, LIBRDKAFKA, None])
def test_the_broker_is_not_shown_the_sequence_of_an_idempotent_producer(client: Any) -> None:
    decision = decide(batch([b"a", b"b"], producer=(5, 0, 0)), client=Connection(client))

    assert values(after(decision)) == [b"a", b"a", b"b", b"b"]
    assert producer(after(decision)) == NOBODY


def test_nor_where_no_record_is_drawn_and_that_is_on_record_too() -> None:
    before = batch([b"a", b"b"], producer=(5, 0, 0), compression=1)

    decision = decide(before, [0.9, 0.9], rate_in_percent=30)

    assert decision.parts == [Part("a", 0, 0)]
    assert seen(after(decision)) == seen(before)
    assert producer(after(decision)) == NOBODY


def test_nor_of_a_batch_that_is_too_large_to_be_changed() -> None:
    before = batch([b"a"] * 9000, producer=(5, 0, 0))

    decision = decide(before)

    assert (decision.parts, decision.passed) == ([Part("a", 0, 0)], 9000)
    assert seen(after(decision)) == seen(before)
    assert producer(after(decision)) == NOBODY


def test_a_java_producer_is_changed_in_the_middle_because_it_recovers() -> None:
    decision = decide(batch([b"a"], producer=(5, 3, 17)), client=Connection(JAVA))

    assert producer(after(decision)) == NOBODY


@pytest.mark.parametrize("start", [(5, 0, 17), (5, 1, 0)], ids=["later batch", "later epoch"])
def test_another_producer_that_the_broker_may_know_is_left_alone(start: Any) -> None:
    """It would not survive the end of the fault: tests/kafka tries it."""
    client = Connection(LIBRDKAFKA)

    assert decide(batch([b"a"], producer=start), client=client) is FORWARD


def test_a_producer_that_began_under_the_fault_is_changed_from_then_on() -> None:
    client = Connection(LIBRDKAFKA)
    for sequence in ((5, 0, 0), (5, 0, 1), (5, 1, 0), (5, 1, 9)):
        decision = decide(batch([b"a"], producer=sequence), client=client)
        assert producer(after(decision)) == NOBODY

    assert decide(batch([b"a"], producer=(6, 0, 1)), client=client) is FORWARD
    another = produced({"a": {1: batch([b"a"], producer=(5, 0, 2))}})
    assert rule(target="PRODUCE").decide(asked(another, (), client)) is FORWARD


def test_of_too_many_producers_the_batches_pass_as_they_are() -> None:
    client = Connection(LIBRDKAFKA)
    for number in range(10_000):
        request = produced({"a": {number: b""}})
        request.topic_data[0].partition_data[0].records = FIRST_OF_ITS_PRODUCER
        rule(target="PRODUCE", rate_in_percent=1).decide(asked(request, [0.9], client))

    assert len(client.kept["PRODUCE"]) == 10_000
    assert decide(batch([b"a"], producer=(7, 0, 0)), client=client) is FORWARD


FIRST_OF_ITS_PRODUCER = batch([b"a"], producer=(5, 0, 0))


@pytest.mark.parametrize("sequence", [(5, 0, 0), (5, 0, 9)])
def test_a_batch_of_a_transaction_is_left_alone(sequence: Any) -> None:
    before = batch([b"a"], producer=sequence, transactional=True)

    assert decide(before, client=Connection(JAVA)) is FORWARD


def test_a_batch_with_a_wrong_checksum_is_left_to_the_broker() -> None:
    wrong = bytearray(batch([b"a"], producer=(5, 0, 0)))
    wrong[17] ^= 1

    assert decide(bytes(wrong), client=Connection(JAVA)) is FORWARD


# To consumers: others than Java's


@CODECS
def test_a_fetched_record_comes_twice_with_the_same_offset(compression: int) -> None:
    before = batch([b"a", b"b"], base=7, compression=compression, leader_epoch=3)
    response = read_back(fetched({"a": {0: before}}))
    client = Connection(LIBRDKAFKA)

    decision = rule().answered(answered(response, (), client))

    assert decision == Change(decision.message, [Part("a", 0, 2)])  # type: ignore[union-attr]
    assert [(r.offset, r.value) for r in seen(after(decision))] == [
        (7, b"a"),
        (7, b"a"),
        (8, b"b"),
        (8, b"b"),
    ]
    head = header(after(decision))
    assert (head.base_offset, head.last_offset_delta) == (7, 1)
    assert head.partition_leader_epoch == 3


def test_a_request_for_records_goes_on_as_it_is() -> None:
    request = FetchRequest()
    for client in (JAVA, LIBRDKAFKA):
        fetch = Asked(ApiKey.FETCH, 12, request, lambda: 0.0, connection=Connection(client))
        assert rule().decide(fetch) == Await({})


# Configuration


def test_the_defaults_are_those_of_the_reference() -> None:
    fault = DuplicateMessages()
    found = rule_for(fault)

    assert (fault.topic, fault.rate_in_percent, fault.target) == (".*", 100, "CONSUME")
    assert kind_of(fault) == "duplicate_messages"
    assert (found.share, found.apis) == (1, {ApiKey.FETCH})
    assert rule_for(DuplicateMessages(target="PRODUCE")).apis == {ApiKey.PRODUCE}


def test_whatever_is_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidArgument) as caught:
        DuplicateMessages(topic="", rate_in_percent=-1, target="0", seed=-1)

    fields = [violation.field for violation in caught.value.violations]
    assert fields == ["topic", "rate_in_percent", "target", "seed"]
