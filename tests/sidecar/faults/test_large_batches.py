"""Batches that would take too long: in pieces to consumers, in part to brokers, and never silently.

The consumer here takes what any but Java's takes of a response: records from its position on, and
goes on behind the last of them.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.fetch import FetchRequest
from codec.records.batch import HEADER_BYTES, read_batch_headers
from codec.records.build import NEW_BATCH, build_batch
from codec.records.record import Record
from sidecar.faults.allowance import MAX_NANOSECONDS, SKIP, Allowance, open_cost
from sidecar.faults.base import FORWARD, Asked, Await, Change, Forward
from sidecar.faults.draws import further
from sidecar.faults.duplicate_messages import DuplicateMessages, DuplicateMessagesRule
from sidecar.faults.invalid_schema_id import InvalidSchemaId, InvalidSchemaIdRule
from sidecar.faults.message_corruption import (
    FetchMessageCorruption,
    FetchMessageCorruptionRule,
    ProduceMessageCorruption,
    ProduceMessageCorruptionRule,
)
from sidecar.faults.record_edits import Edit, Edited, edit_fetched
from tests.support.records import (
    Seen,
    answered,
    asked,
    batch,
    blobs,
    fetched,
    produced,
    read_back,
    seen,
)

CODECS = pytest.mark.parametrize("compression", range(5))
WANTED = FetchRequest.FetchTopic
LARGE = 9000


def end_of(blob: bytes) -> int:
    [header] = read_batch_headers(blob)
    return header.base_offset + header.last_offset_delta + 1


def log(*sizes: int, compression: int = 0) -> list[bytes]:
    found, first = [], 0
    for size in sizes:
        found.append(batch([b"x"] * size, base=first, compression=compression))
        first += size
    return found


@dataclass
class Consumer:
    """A consumer of the partitions of topic `a`, a rule, and the logs behind it."""

    logs: dict[int, list[bytes]]
    rule: Any
    tells: bool = True
    """Whether its requests name the partitions, as those that begin a session do."""
    positions: dict[int, int] = field(default_factory=dict)
    taken: dict[int, list[Seen]] = field(default_factory=dict)
    struck: int = 0
    passed: int = 0
    fetches: int = 0

    def fetch(self) -> Any:
        """The answer to a request, as the rule lets it through."""
        self.fetches += 1
        partition = WANTED.FetchPartition
        parts = [
            partition(partition=n, fetch_offset=self.positions.get(n, 0))
            for n in self.logs
            if self.tells
        ]
        request = FetchRequest(topics=[WANTED(topic="a", partitions=parts)])
        chance = further(self.fetches, 0)
        awaited = self.rule.decide(Asked(ApiKey.FETCH, 12, request, chance))
        assert isinstance(awaited, Await)
        found = {
            n: b"".join(b for b in blobs_of if end_of(b) > self.positions.get(n, 0))
            for n, blobs_of in self.logs.items()
        }
        response = read_back(fetched({"a": found}))
        given = answered(response)._replace(chance=chance, kept=awaited.kept)
        decision = self.rule.answered(given)
        assert isinstance(decision, Change | Forward)
        self.passed += decision.passed
        if isinstance(decision, Change):
            self.struck += sum(part.records or 0 for part in decision.parts)
            response = decision.message
        return response

    def consume(self, most: int = 200) -> None:
        """Fetch until the end of all logs."""
        while any(self.positions.get(n, 0) < end_of(log[-1]) for n, log in self.logs.items()):
            assert self.fetches < most, self.positions
            for (_, n), blob in blobs(self.fetch()).items():
                position = self.positions.get(n, 0)
                new = [r for r in seen(blob or b"") if r.offset >= position]
                self.taken.setdefault(n, []).extend(new)
                if new:
                    self.positions[n] = new[-1].offset + 1

    def offsets(self, partition: int = 0) -> list[int]:
        return [record.offset for record in self.taken[partition]]


def corrupting(rate: float = 100) -> FetchMessageCorruptionRule:
    return FetchMessageCorruptionRule(FetchMessageCorruption(rate_in_percent=rate, size_in_bytes=1))


def duplicating(rate: float = 100, target: str = "CONSUME") -> DuplicateMessagesRule:
    return DuplicateMessagesRule(DuplicateMessages(rate_in_percent=rate, target=target))


def spoiled(record: Seen) -> bool:
    return len(record.value or b"") == 2


# To consumers


@CODECS
@pytest.mark.parametrize("sizes", [(LARGE,), (1, LARGE, 1), (700,) * 13])
def test_every_record_is_changed_and_comes_once(sizes: tuple[int, ...], compression: int) -> None:
    consumer = Consumer({0: log(*sizes, compression=compression)}, corrupting())

    consumer.consume()

    assert consumer.offsets() == list(range(sum(sizes)))
    assert all(map(spoiled, consumer.taken[0]))
    assert (consumer.struck, consumer.passed) == (sum(sizes), 0)
    assert 3 <= consumer.fetches <= 7


@CODECS
def test_every_record_comes_twice(compression: int) -> None:
    consumer = Consumer({0: log(LARGE, 1, compression=compression)}, duplicating())

    consumer.consume()

    assert consumer.offsets() == [n for n in range(LARGE + 1) for _ in range(2)]
    assert (consumer.struck, consumer.passed) == (LARGE + 1, 0)


def test_of_a_share_of_records_no_more_and_no_less() -> None:
    consumer = Consumer({0: log(LARGE, LARGE)}, corrupting(30))

    consumer.consume()

    assert sum(map(spoiled, consumer.taken[0])) == consumer.struck
    assert consumer.struck == pytest.approx(0.3 * 2 * LARGE, rel=0.05)


def test_a_small_share_of_a_large_batch_is_done_at_once() -> None:
    consumer = Consumer({0: log(LARGE)}, corrupting(1))

    consumer.consume()

    assert consumer.struck == pytest.approx(90, abs=30)
    assert consumer.fetches == 1


def test_all_partitions_get_to_their_end() -> None:
    logs = {n: log(10, LARGE, 10) for n in range(4)}
    consumer = Consumer(logs, corrupting())

    consumer.consume()

    for partition in logs:
        assert consumer.offsets(partition) == list(range(LARGE + 20))
        assert all(map(spoiled, consumer.taken[partition]))
    assert consumer.passed == 0


def test_offsets_that_compaction_has_left_are_found() -> None:
    kept = [Record(3 * n + 1, 5, b"k", b"x") for n in range(4000)]
    like = NEW_BATCH._replace(last_offset_delta=12_500)
    gaps = build_batch(kept, like, keep_end=True)
    consumer = Consumer({0: [gaps, batch([b"x"], base=12_501)]}, corrupting())

    consumer.consume()

    assert consumer.offsets() == [*(record.offset for record in kept), 12_501]
    assert all(map(spoiled, consumer.taken[0]))


def test_what_is_left_of_a_batch_keeps_all_but_its_end() -> None:
    before = batch([b"x"] * LARGE, base=7, leader_epoch=3, compression=4)
    consumer = Consumer({0: [before]}, corrupting(), positions={0: 7})

    [header] = read_batch_headers(blobs(consumer.fetch())["a", 0])

    [old] = read_batch_headers(before)
    assert (header.base_offset, header.partition_leader_epoch, header.attributes) == (7, 3, 4)
    assert header.last_offset_delta + 1 == header.records_count == consumer.struck < LARGE
    assert (header.base_timestamp, header.max_timestamp) == (old.base_timestamp, old.max_timestamp)


def test_where_it_is_not_known_from_where_on_is_asked_the_rest_stays_as_it_is() -> None:
    consumer = Consumer({0: log(LARGE)}, corrupting(), tells=False)

    consumer.consume()

    assert consumer.offsets() == list(range(LARGE))
    changed = list(map(spoiled, consumer.taken[0]))
    assert changed == [True] * consumer.struck + [False] * (LARGE - consumer.struck)
    assert consumer.passed == LARGE - consumer.struck
    assert consumer.fetches == 1


@pytest.mark.parametrize("rule", [corrupting(), corrupting(1), duplicating(), duplicating(1)])
def test_what_is_too_large_for_pieces_passes_and_what_follows_is_changed(rule: Any) -> None:
    bomb, small = batch([bytes(20_000_000)], compression=1), batch([b"y"], base=1)
    consumer = Consumer({0: [bomb, small]}, rule)

    consumer.consume()

    assert consumer.offsets()[:2] == [0, 1]
    assert len(consumer.taken[0][0].value or b"") == 20_000_000
    assert consumer.passed == 1


def test_a_record_that_would_grow_by_too_much_does_not_stop_a_consumer() -> None:
    fault = FetchMessageCorruption(size_in_bytes=1 << 20)
    blob = batch([b"x"] * 5, compression=1)
    consumer = Consumer({0: [blob]}, FetchMessageCorruptionRule(fault))

    consumer.consume()

    assert (consumer.offsets(), consumer.struck, consumer.passed) == ([0, 1, 2, 3, 4], 0, 5)


@pytest.mark.parametrize("compression", [0, 1])
def test_a_batch_that_is_long_in_opening_is_not_cut(compression: int) -> None:
    """It would take as long each time, and might never end."""
    values = [b"x"] * 34_000 if compression == 0 else [bytes(5000)] * 400
    consumer = Consumer({0: [batch(values, compression=compression)]}, corrupting())

    consumer.consume()

    assert consumer.fetches == 1
    assert len(consumer.taken[0]) == consumer.struck + consumer.passed == len(values)
    assert bool(consumer.struck) == (compression == 0)


@pytest.mark.parametrize("tells", [True, False])
def test_a_batch_that_cannot_be_opened_in_time_does_not_stop_a_consumer(tells: bool) -> None:
    large, small = batch([bytes(11_000_000)]), batch([b"x"], base=1)
    consumer = Consumer({0: [large, small]}, corrupting(), tells=tells)

    consumer.consume()

    assert (consumer.offsets(), consumer.fetches) == ([0, 1], 1)
    assert (consumer.struck, consumer.passed) == (1, 1)


def left_of(blob: bytes, start: int, nanoseconds: int) -> Edited:
    """What becomes of a batch when so much time is left."""
    allowance = Allowance()
    allowance.take(MAX_NANOSECONDS - nanoseconds)
    [header] = read_batch_headers(blob)
    edit = Edit(lambda: True, lambda value: b"changed")
    return edit_fetched(blob, header, edit, allowance, start)


def test_where_the_time_ends_in_front_of_the_first_new_record_the_batch_comes_next() -> None:
    [blob] = log(LARGE)
    [header] = read_batch_headers(blob)
    opening, skips = (len(blob) - HEADER_BYTES) * open_cost(header), 8000 * SKIP

    assert left_of(blob, 8000, opening + skips - 1) == Edited(None, cut=True)
    assert left_of(blob, 8000, opening + skips) == Edited(None, cut=True)
    some = left_of(blob, 8000, opening + skips + 10_000)
    assert (some.changed, some.cut, some.passed) == (1, True, 0)


def test_what_is_long_in_opening_comes_next_if_there_is_time_for_it_then() -> None:
    [blob] = log(34_000)
    [header] = read_batch_headers(blob)

    assert left_of(blob, 0, len(blob) * open_cost(header)) == Edited(None, cut=True)


# To brokers


@CODECS
def test_of_a_batch_that_takes_too_long_the_first_records_are_changed(compression: int) -> None:
    before = batch([b"x"] * LARGE, compression=compression, producer=(9, 2, 70))
    rule = ProduceMessageCorruptionRule(ProduceMessageCorruption(size_in_bytes=1))
    chance = further(1, 0)

    decision = rule.decide(asked(produced({"a": {0: before}}))._replace(chance=chance))

    assert isinstance(decision, Change)
    [(_, _, changed)] = decision.parts
    assert changed is not None
    assert changed + decision.passed == LARGE
    assert (500 if compression == 1 else 2000) < changed < 4000
    records = seen(blobs(decision.message)["a", 0])
    assert list(map(spoiled, records)) == [True] * changed + [False] * decision.passed
    assert [r._replace(value=None) for r in records] == [
        r._replace(value=None) for r in seen(before)
    ]


@CODECS
def test_of_a_batch_that_takes_too_long_the_first_records_come_twice(compression: int) -> None:
    before = batch([b"%d" % n for n in range(4000)], compression=compression)

    decision = duplicating(target="PRODUCE").decide(asked(produced({"a": {0: before}})))

    assert isinstance(decision, Change)
    [(_, _, changed)] = decision.parts
    assert changed is not None
    assert changed + decision.passed == 4000
    assert changed > 200
    records = seen(blobs(decision.message)["a", 0])
    assert [r.offset for r in records] == list(range(4000 + changed))
    twice = [n for n in range(changed) for _ in range(2)]
    assert [int(r.value or b"") for r in records] == [*twice, *range(changed, 4000)]
    [header] = read_batch_headers(blobs(decision.message)["a", 0])
    assert header.records_count == header.last_offset_delta + 1 == len(records)


def test_what_there_is_no_time_for_at_all_passes_and_is_told() -> None:
    request = produced({"a": dict.fromkeys(range(8), batch([b"\0\0\0\0\1"] * 1000))})
    rule = InvalidSchemaIdRule(InvalidSchemaId(invalid_schema_id=9, target="PRODUCE"))

    decision = rule.decide(asked(request))

    assert isinstance(decision, Change)
    assert sum(part.records or 0 for part in decision.parts) + decision.passed == 8000
    assert 0 < decision.passed < 7000


def test_nothing_is_told_of_what_nobody_chose() -> None:
    rule = ProduceMessageCorruptionRule(ProduceMessageCorruption(rate_in_percent=1))
    request = produced({"a": {0: batch([b"x"] * 1000)}})

    assert rule.decide(asked(request, [0.5] * 1000)) is FORWARD


def test_the_same_draws_change_the_same_records() -> None:
    rule = ProduceMessageCorruptionRule(ProduceMessageCorruption(rate_in_percent=40))
    request = produced({"a": {0: batch([b"x"] * LARGE)}})

    one, other = (rule.decide(asked(request)._replace(chance=further(3, 1))) for _ in range(2))

    assert isinstance(one, Change)
    assert isinstance(other, Change)
    assert blobs(one.message) == blobs(other.message)
    assert one.passed == other.passed > 0
