"""Java's consumers get records twice by being sent back, and never miss one.

The consumer here is a model of what Kafka's own does with a response (`CompletedFetch`,
`FetchCollector`); tests/kafka has the real one.
"""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codec.api_keys import ApiKey
from codec.messages.fetch import FetchRequest
from codec.records.batch import read_batch_headers
from codec.records.build import NEW_BATCH, build_batch
from codec.records.record import Record
from sidecar.faults.base import FORWARD, Asked, Await, Change, Connection, Forward, Part
from sidecar.faults.duplicate_messages import DuplicateMessages, DuplicateMessagesRule
from sidecar.faults.redelivery import AT_ONCE, JAVA
from tests.support.records import answered, batch, blobs, fetched, read_back, seen

WANTED = FetchRequest.FetchTopic


def asks(offset: int) -> FetchRequest:
    partition = WANTED.FetchPartition(partition=0, fetch_offset=offset)
    return FetchRequest(topics=[WANTED(topic="a", partitions=[partition])])


@dataclass
class Consumer:
    """A Java consumer of one partition, a rule, and the log behind it."""

    log: list[bytes]
    rule: DuplicateMessagesRule
    max_poll_records: int = 500
    draws: random.Random = field(default_factory=lambda: random.Random(1))
    position: int = 0
    taken: list[int] = field(default_factory=list)
    connection: Connection = field(default_factory=lambda: Connection(JAVA))
    struck: int = 0
    passed: int = 0
    fetches: int = 0

    def fetch(self) -> bytes:
        """What the broker has from the position on, as the rule lets it through."""
        self.fetches += 1
        request = asks(self.position)
        asked = Asked(ApiKey.FETCH, 12, request, self.draws.random, connection=self.connection)
        awaited = self.rule.decide(asked)
        assert isinstance(awaited, Await)
        found = [b for b in self.log if end_of(b) > self.position]
        response = read_back(fetched({"a": {0: b"".join(found)}}))
        given = answered(response, (), self.connection)
        decision = self.rule.answered(given._replace(chance=self.draws.random, kept=awaited.kept))
        assert isinstance(decision, Change | Forward)
        self.passed += decision.passed
        if isinstance(decision, Change):
            self.struck += sum(part.records or 0 for part in decision.parts)
            response = decision.message
        return bytes(blobs(response)["a", 0])

    def consume(self) -> None:
        """Poll until the end of the log."""
        end = max(map(end_of, self.log))
        while self.position < end:
            self._polls(self.fetch())

    def _polls(self, blob: bytes) -> None:
        """Take a response in polls."""
        records = [r.offset for r in seen(blob)]
        last = end_of(blob)
        following = self.position
        pending = iter(records)
        drained = False
        while not drained:
            taken = 0
            while taken < self.max_poll_records:
                offset = next((o for o in pending if o >= following), None)
                if offset is None:
                    following, drained = last, True
                    break
                self.taken.append(offset)
                taken, following = taken + 1, offset + 1
            self.position = max(self.position, following)


def end_of(blob: bytes) -> int:
    last = list(read_batch_headers(blob))[-1]
    return last.base_offset + last.last_offset_delta + 1


def rule(rate: float = 100) -> DuplicateMessagesRule:
    return DuplicateMessagesRule(DuplicateMessages(rate_in_percent=rate))


def log(*sizes: int, first: int = 0, compression: int = 0) -> list[bytes]:
    found = []
    for size in sizes:
        found.append(batch([b"%d" % n for n in range(size)], base=first, compression=compression))
        first += size
    return found


@pytest.mark.parametrize("compression", range(5))
def test_the_response_stays_as_it_is_and_ends_with_an_empty_batch(compression: int) -> None:
    [only] = log(3, first=7, compression=compression)
    consumer = Consumer([only], rule(), position=7)

    blob = consumer.fetch()

    assert blob.startswith(only)
    *_, end = read_batch_headers(blob)
    assert (end.records_count, end.base_offset + end.last_offset_delta) == (0, 6)
    assert consumer.fetch() == only, "it comes again as it is"


def test_all_records_come_twice_with_their_own_offsets() -> None:
    consumer = Consumer(log(5, 3), rule())

    consumer.consume()

    assert consumer.taken == [*range(8), *range(8)]
    assert (consumer.struck, consumer.position) == (8, 8)


def test_what_is_written_later_comes_twice_as_well() -> None:
    consumer = Consumer(log(2), rule())
    consumer.consume()
    consumer.log = log(2, 2)

    consumer.consume()

    assert consumer.taken == [0, 1, 0, 1, 2, 3, 2, 3]


def test_a_share_of_records_comes_twice_one_run_at_a_time() -> None:
    consumer = Consumer(log(400, 400, 200), rule(30))

    consumer.consume()

    twice = sorted(o for o in set(consumer.taken) if consumer.taken.count(o) == 2)
    assert len(twice) == consumer.struck
    assert len(twice) == pytest.approx(300, abs=60)
    assert set(consumer.taken) == set(range(1000))


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    rate=st.sampled_from([0.5, 10, 50, 90, 100]),
    polls=st.integers(1, 70),
    seed=st.integers(0, 1000),
    start=st.integers(0, 80),
)
def test_nothing_is_lost_whatever_a_poll_takes(
    sizes: list[int], rate: float, polls: int, seed: int, start: int
) -> None:
    whole = sum(sizes)
    start = min(start, whole - 1)
    consumer = Consumer(log(*sizes), rule(rate), polls, random.Random(seed), position=start)

    consumer.consume()

    assert set(consumer.taken) == set(range(start, whole))
    assert max(map(consumer.taken.count, consumer.taken)) <= 2
    assert consumer.position == whole


def test_a_run_is_short_enough_for_one_poll_of_a_consumer_with_defaults() -> None:
    consumer = Consumer(log(*[100] * 20), rule())

    consumer.consume()

    assert sorted(consumer.taken) == sorted([*range(2000), *range(2000)])
    assert consumer.fetches == 2 * 2000 // AT_ONCE


def test_gaps_of_compaction_are_no_records() -> None:
    kept = [Record(n, 1, b"k", b"v") for n in (3, 6, 9)]
    gaps = build_batch(kept, NEW_BATCH._replace(base_offset=0, last_offset_delta=12), keep_end=True)
    consumer = Consumer([gaps], rule())

    consumer.consume()

    assert consumer.taken == [3, 6, 9, 3, 6, 9]
    assert consumer.position == 13


def test_a_consumer_that_seeks_back_is_given_everything_once() -> None:
    consumer = Consumer(log(5), rule())
    consumer.consume()
    consumer.taken, consumer.position = [], 0

    consumer.consume()

    assert consumer.taken == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("compression", range(5))
@pytest.mark.parametrize("sizes", [(9000, 2), (2, 9000)])
def test_a_large_batch_comes_twice_in_pieces(sizes: tuple[int, int], compression: int) -> None:
    consumer = Consumer(log(*sizes, compression=compression), rule())

    consumer.consume()

    assert sorted(consumer.taken) == sorted([*range(9002), *range(9002)])
    assert consumer.passed == 0


@pytest.mark.parametrize(("rate", "twice"), [(0.01, 1), (1, 90), (95, 8550)])
def test_of_a_large_batch_a_share_comes_twice(rate: float, twice: int) -> None:
    consumer = Consumer(log(9000, 2), rule(rate))

    consumer.consume()

    assert set(consumer.taken) == set(range(9002))
    assert len(consumer.taken) - 9002 == consumer.struck
    assert consumer.struck == pytest.approx(
        twice, abs=max(3, 2 * (twice * (100 - rate) / 100) ** 0.5)
    )
    assert consumer.passed == 0


def test_a_batch_that_is_too_large_for_pieces_passes_and_that_is_told() -> None:
    bomb = batch([bytes(20_000_000)], compression=1)
    consumer = Consumer([bomb], rule())

    consumer.consume()

    assert (consumer.taken, consumer.passed) == ([0], 1)


def test_of_a_large_batch_of_which_nothing_is_drawn_the_rest_is_asked_for() -> None:
    consumer = Consumer(log(9000), rule(0.000001))

    [header] = read_batch_headers(consumer.fetch())

    assert 1000 < header.records_count == header.last_offset_delta + 1 < 9000
    assert (consumer.struck, consumer.passed) == (0, 0)


def test_a_batch_that_is_long_in_opening_is_not_cut() -> None:
    consumer = Consumer(log(10, 34_000), rule(0.000001))

    consumer.consume()

    assert consumer.taken == list(range(34_010))
    assert consumer.fetches == 1
    assert 20_000 < consumer.passed < 34_000


def test_where_it_is_not_known_from_where_on_is_asked_nothing_is_left_out() -> None:
    response = read_back(fetched({"a": {0: log(9000)[0]}}))
    given = answered(response, [1.0] * 9000, Connection(JAVA))

    decision = rule(50).answered(given)

    assert isinstance(decision, Forward)
    assert 0 < decision.passed < 9000


def test_what_cannot_be_read_passes() -> None:
    for blob in (b"not records, but long enough for what looks like one", log(1)[0][:-1]):
        response = fetched({"a": {0: blob}})
        assert rule().answered(answered(response, (), Connection(JAVA))) is FORWARD


def test_each_partition_has_its_own_run() -> None:
    one, other = log(2)[0], log(3)[0]
    response = read_back(fetched({"a": {0: one, 1: other}, "b": {0: one}}))
    only_a = DuplicateMessagesRule(DuplicateMessages(topic="a"))

    decision = only_a.answered(answered(response, (), Connection(JAVA)))

    assert isinstance(decision, Change)
    assert decision.parts == [Part("a", 0, 2), Part("a", 1, 3)]
    assert blobs(decision.message)["b", 0] == one
