"""Corrupted messages: random bytes in front of values, and what all faults about records share."""

import struct
from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.records.batch import CONTROL, read_batch_headers
from codec.records.build import NEW_BATCH, build_batch
from codec.records.control import ControlType, marker_record
from sidecar.faults import allowance
from sidecar.faults.allowance import Allowance, whole_cost
from sidecar.faults.base import FORWARD, Change, Forward, Part
from sidecar.faults.draws import further
from sidecar.faults.message_corruption import (
    FetchMessageCorruption,
    FetchMessageCorruptionRule,
    ProduceMessageCorruption,
    ProduceMessageCorruptionRule,
)
from sidecar.faults.registry import kind_of, rule_for
from sidecar.model.errors import InvalidArgument
from tests.codec.records.sets import SETS
from tests.support.records import (
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
VALUES = [b'{"message": "hello world"}', b"", None, b"last"]


def on_produce(**config: Any) -> ProduceMessageCorruptionRule:
    return ProduceMessageCorruptionRule(ProduceMessageCorruption(**config))


def on_fetch(**config: Any) -> FetchMessageCorruptionRule:
    return FetchMessageCorruptionRule(FetchMessageCorruption(**config))


def marker(offset: int, kind: ControlType, producer_id: int) -> bytes:
    like = NEW_BATCH._replace(
        base_offset=offset, attributes=CONTROL | 0x10, producer_id=producer_id, producer_epoch=0
    )
    return build_batch([marker_record(kind, 0, offset=offset)], like)


def corrupted(decision: Any) -> Any:
    assert isinstance(decision, Change)
    return blobs(decision.message)


def many(seed: int) -> list[float]:
    chance = further(seed, 0)
    return [chance() for _ in range(3000)]


# What becomes of a record


@CODECS
def test_random_bytes_are_in_front_and_all_else_is_as_it_was(compression: int) -> None:
    before = batch(VALUES, compression=compression, producer=(9, 2, 70))

    decision = on_produce().decide(asked(produced({"a": {3: before}}), [0.1, 0.2, 0.3]))

    after = corrupted(decision)["a", 3]
    assert decision.parts == [Part("a", 3, 3)]
    for old, new in zip(seen(before), seen(after), strict=True):
        assert new._replace(value=None) == old._replace(value=None)
        if old.value is None:
            assert new.value is None, "a tombstone has nothing to corrupt"
        else:
            assert new.value is not None
            assert len(new.value) == 10 + len(old.value)
            assert new.value[10:] == old.value
    [old_header], [new_header] = read_batch_headers(before), read_batch_headers(after)
    same = {"start": 0, "end": 0, "crc": 0}
    assert new_header._replace(**same) == old_header._replace(**same)


@pytest.mark.parametrize("size", [1, 10, 5000])
def test_as_many_bytes_as_wanted_different_for_each_record(size: int) -> None:
    rule = on_produce(size_in_bytes=size)
    request = produced({"a": {0: batch([b"x"] * 50)}})

    first = values(corrupted(rule.decide(asked(request, many(7))))["a", 0])
    again = values(corrupted(rule.decide(asked(request, many(7))))["a", 0])
    other = values(corrupted(rule.decide(asked(request, many(8))))["a", 0])

    assert first == again
    assert first != other
    assert {len(value or b"") for value in first} == {size + 1}
    assert len(set(first)) > 30


def test_each_record_is_drawn() -> None:
    blob = batch([b"a", b"b", b"c", b"d"])
    rule = on_produce(rate_in_percent=50)

    # A draw for each record, and behind one that chooses another for the bytes.
    decision = rule.decide(asked(produced({"t": {0: blob}}), [0.5, 0.49, 0.9, 0.7, 0.0, 0.9]))

    after = values(corrupted(decision)["t", 0])
    assert [len(value or b"") for value in after] == [1, 11, 1, 11]
    assert decision.parts == [Part("t", 0, 2)]


def test_a_rate_is_a_share_of_records() -> None:
    blob = batch([b"x"] * 1000)

    decision = on_produce(rate_in_percent=10).decide(asked(produced({"t": {0: blob}}), many(5)))

    assert decision.parts[0].records == pytest.approx(100, abs=30)


# Which records


def test_only_topics_whose_whole_name_matches() -> None:
    blob = batch([b"x"])
    request = produced({"car": {0: blob}, "cars": {0: blob, 1: None}, "my-cars": {0: blob}})

    decision = on_produce(topic="c.*s").decide(asked(request, [0.5]))

    assert decision.parts == [Part("cars", 0, 1)]
    after = corrupted(decision)
    assert [key for key, records in after.items() if records != blob] == [
        ("cars", 0),
        ("cars", 1),
    ]
    assert after["cars", 1] is None


def test_the_message_that_was_given_stays_as_it_is() -> None:
    request = produced({"a": {0: batch([b"x"]), 1: batch([b"y"])}})
    response = read_back(fetched({"a": {0: batch([b"x"])}}))
    bodies = codec.encode(request, 9), codec.encode(response, 12)

    assert on_produce().decide(asked(request, [0.5, 0.5])) != FORWARD
    assert on_fetch().answered(answered(response, [0.5])) != FORWARD

    assert (codec.encode(request, 9), codec.encode(response, 12)) == bodies


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"no records at all, but as long as if they were, and then some more",
        batch([b"x"])[:-1],
        batch([b"x"])[:-1] + b"?",
        batch([None]),
        batch([]),
        marker(0, ControlType.COMMIT, 1),
        *(blob for magic, _, kind, blob in SETS if magic < 2 and kind == "plain"),
    ],
)
def test_what_cannot_be_read_or_has_nothing_to_change_passes(blob: bytes) -> None:
    request, response = produced({"a": {0: blob}}), read_back(fetched({"a": {0: blob}}))

    assert on_produce().decide(asked(request)) is FORWARD
    assert on_fetch().answered(answered(response)) is FORWARD


def test_no_record_chosen_is_no_change() -> None:
    request = produced({"a": {0: batch([b"x", b"y"])}})

    assert on_produce(rate_in_percent=50).decide(asked(request, [0.5, 0.6])) is FORWARD


def test_a_partition_with_an_error_and_a_topic_without_a_name_pass() -> None:
    blob = batch([b"x"])

    assert on_fetch().answered(answered(fetched({"a": {0: blob}}, error=3))) is FORWARD
    assert on_fetch().answered(answered(fetched({"": {0: blob}}))) is FORWARD


@CODECS
def test_every_batch_of_a_response_keeps_offsets_and_place(compression: int) -> None:
    first = batch([b"a", b"b"], base=5, compression=compression, leader_epoch=4)
    commit = marker(7, ControlType.COMMIT, 1)
    second = batch([b"c"], base=8, compression=compression)
    whole = first + commit + second
    response = read_back(fetched({"a": {0: whole + second[:-1]}}))

    decision = on_fetch(size_in_bytes=1).answered(answered(response, [0.1, 0.2, 0.3]))

    after = corrupted(decision)["a", 0]
    assert decision.parts == [Part("a", 0, 3)]
    assert bytes(commit) in bytes(after)
    assert bytes(after).endswith(second[:-1]), "a batch that is cut off is left as it is"
    headers = list(read_batch_headers(after))
    assert [(h.base_offset, h.partition_leader_epoch) for h in headers] == [
        (5, 4),
        (7, -1),
        (8, -1),
    ]
    shown = [r for r in seen(bytes(after)[: headers[-1].end]) if r.offset != 7]
    assert [r.offset for r in shown] == [5, 6, 8]
    assert [(r.value or b"")[1:] for r in shown] == [b"a", b"b", b"c"]


def test_aborted_transactions_are_left_alone() -> None:
    def of(producer: int, offset: int) -> bytes:
        return batch([b"x"], base=offset, producer=(producer, 0, 0), transactional=True)

    gone, other, late = of(1, 0), of(2, 1), of(1, 4)
    blob = gone + other + marker(2, ControlType.ABORT, 1) + batch([b"x"], base=3) + late
    response = read_back(fetched({"a": {0: blob}}, aborted=[(1, 0)]))

    decision = on_fetch(size_in_bytes=1).answered(answered(response, [0.1, 0.2, 0.3]))

    after = {r.offset: len(r.value or b"") for r in seen(corrupted(decision)["a", 0])}
    assert {offset: after[offset] for offset in (0, 1, 3, 4)} == {0: 1, 1: 2, 3: 2, 4: 2}


# How much at a time


def test_what_unpacks_to_too_much_passes() -> None:
    bomb = batch([bytes(20_000_000)], compression=1)
    assert len(bomb) < 50_000

    assert on_produce().decide(asked(produced({"a": {0: bomb}}))) == Forward(passed=1)


def test_of_what_would_grow_by_too_much_some_is_changed() -> None:
    request = produced({"a": {0: batch([b"x"] * 20)}})

    decision = on_produce(size_in_bytes=1 << 20).decide(asked(request, many(1)))

    assert isinstance(decision, Change)
    assert decision.parts == [Part("a", 0, 20 - decision.passed)]
    assert 10 < decision.passed < 19


def test_of_too_many_partitions_another_is_first_each_time() -> None:
    blob = batch([b"x"] * 900)
    response = read_back(fetched({"a": dict.fromkeys(range(10), blob)}))
    rule, struck = on_fetch(size_in_bytes=1), set()

    for turn in range(10):
        decision = rule.answered(answered(response, [turn / 10, *many(turn)]))
        after = corrupted(decision)
        numbers = {part.partition for part in decision.parts}
        assert turn in numbers
        assert {n for (_, n), records in after.items() if records} == numbers
        struck |= numbers

    assert struck == set(range(10))


def test_without_a_library_for_checksums_less_is_done_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [header] = read_batch_headers(batch([bytes(200_000)]))
    assert Allowance().opens(header, whole_cost(header))

    monkeypatch.setattr(allowance, "_CHECKSUM", 70)

    assert not Allowance().opens(header, whole_cost(header))


# Configuration


def test_the_registry_knows_both_ways() -> None:
    one, other = ProduceMessageCorruption(), FetchMessageCorruption()

    assert (kind_of(one), kind_of(other)) == (
        "produce_message_corruption",
        "fetch_message_corruption",
    )
    assert (one.topic, one.size_in_bytes, one.rate_in_percent) == (".*", 10, 100)
    found = rule_for(one), rule_for(other)
    assert [(r.apis, r.share, r.rung, r.memorable) for r in found] == [
        ({ApiKey.PRODUCE}, 1, 0, False),
        ({ApiKey.FETCH}, 1, 0, False),
    ]


def test_at_a_rate_of_0_nothing_is_looked_at() -> None:
    assert on_produce(rate_in_percent=0).apis == frozenset()
    assert on_fetch(rate_in_percent=0).apis == frozenset()


@pytest.mark.parametrize("kind", [ProduceMessageCorruption, FetchMessageCorruption])
def test_whatever_is_wrong_is_named_at_once(kind: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        kind(topic="(", size_in_bytes=0, rate_in_percent=101, seed=-1)

    fields = [violation.field for violation in caught.value.violations]
    assert fields == ["topic", "size_in_bytes", "rate_in_percent", "seed"]
    assert "size_in_bytes is 0, allowed are 1 to 1048576" in str(caught.value)


def test_values_of_a_megabyte_are_allowed_and_no_more() -> None:
    assert ProduceMessageCorruption(size_in_bytes=1 << 20).size_in_bytes == 1 << 20
    with pytest.raises(InvalidArgument):
        ProduceMessageCorruption(size_in_bytes=(1 << 20) + 1)


def test_the_length_of_a_changed_batch_is_right() -> None:
    decision = on_produce().decide(asked(produced({"a": {0: batch([b"x"])}}), [0.5]))

    after = bytes(corrupted(decision)["a", 0])
    assert struct.unpack_from(">i", after, 8)[0] == len(after) - 12
