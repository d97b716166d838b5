"""Changing records on their way: what the faults about records share.

Messages are left as they are: a changed one is a new one, in which only the batches are new that
changed. Batches that cannot be read, whose checksum is wrong, of legacy formats and with control
records pass as they are, and so do those of aborted transactions, which no reader of committed
records is shown.

The hub waits while this goes on, so what one message may cost is bounded (`allowance`). Where that
ends a Fetch response is cut short: the consumer asks for the rest next, so that rates hold for it
as well. The rest of a Produce request goes on as it is, and so does what cannot be cut; how much
that is stands in the decision (`passed`).

Sources: the protocol guide's section on record batches; KIP-98 for aborted transactions.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.errors import CodecError, DecodeError
from codec.primitives import Buffer
from codec.records.batch import BatchHeader, read_batch_headers
from codec.records.control import ControlType, read_marker
from codec.records.rewrite import records_of
from sidecar.faults.allowance import (
    MAX_NANOSECONDS,
    Allowance,
    estimate,
    fits,
    open_cost,
    whole_cost,
)
from sidecar.faults.base import (
    FORWARD,
    Answered,
    Asked,
    Await,
    Chance,
    Change,
    Forward,
    Part,
    Place,
    RequestRule,
)
from sidecar.faults.matching import matcher
from sidecar.faults.record_edits import Edit, Edited, edit_fetched, edit_produced, readable

PRODUCE: Final = "PRODUCE"
CONSUME: Final = "CONSUME"
TARGETS: Final = (PRODUCE, CONSUME)


class Rewritten(NamedTuple):
    """What has become of a partition's records.

    Args:
        blob: None if they stay as they are.
        changed: records that are not what they were; None if only the bytes are to be taken.
        passed: as in `Change`.
    """

    blob: Buffer | None
    changed: int | None = None
    passed: int = 0


class Located(NamedTuple):
    """A partition of a topic in a decoded message, and which of its lists' members they are."""

    topic_at: int
    partition_at: int
    topic: str
    partition: Any


def produced(request: Any, matches: Callable[[str], bool]) -> list[Located]:
    """The partitions with records in a Produce request whose topics match."""
    return [
        Located(t, p, topic.name, partition)
        for t, topic in enumerate(request.topic_data or ())
        if topic.name and matches(topic.name)
        for p, partition in enumerate(topic.partition_data or ())
        if partition.records
    ]


def fetched(response: Any, matches: Callable[[str], bool]) -> list[Located]:
    """The partitions with records in a Fetch response whose topics match."""
    return [
        Located(t, p, topic.topic, partition)
        for t, topic in enumerate(response.responses or ())
        if topic.topic and matches(topic.topic)
        for p, partition in enumerate(topic.partitions or ())
        if partition.records and partition.error_code == ErrorCode.NONE
    ]


def changed(
    message: Any, places: Sequence[Located], rewrite: Callable[[Located], Rewritten]
) -> Change | Forward:
    """The message with what `rewrite` makes of the records of these partitions.

    FORWARD, or one like it, if all of them stay as they are.
    """
    request = hasattr(message, "topic_data")
    topics_field, parts_field = _FIELDS[request]
    topics: list[Any] = list(getattr(message, topics_field) or ())
    copied: set[int] = set()
    parts = []
    passed = 0
    for place in places:
        new = rewrite(place)
        passed += new.passed
        if new.blob is None:
            continue
        at = place.topic_at
        if at not in copied:
            copied.add(at)
            topics[at] = topics[at].copy(**{parts_field: list(getattr(topics[at], parts_field))})
        partition = place.partition.copy(records=new.blob)
        getattr(topics[at], parts_field)[place.partition_at] = partition
        if new.changed is not None:
            number = partition.index if request else partition.partition_index
            parts.append(Part(place.topic, number, new.changed))
    if not copied:
        return Forward(passed) if passed else FORWARD
    return Change(message.copy(**{topics_field: topics}), parts, passed)


_FIELDS: Final = {
    True: ("topic_data", "partition_data"),
    False: ("responses", "partitions"),
}


def rewrite_produced(
    blob: Buffer,
    edit: Edit,
    allowance: Allowance,
    like: Callable[[BatchHeader], BatchHeader] = lambda header: header,
) -> Rewritten:
    """The batches of a Produce request with their records edited.

    Args:
        like: as for `edit_produced`.
    """
    new = _Blob(blob)
    for header in headers_of(blob):
        if header.is_control or not readable(blob, header):
            continue
        if not allowance.opens(header, whole_cost(header)):
            new.passed += header.records_count
            continue
        try:
            new.put(header, edit_produced(blob, header, edit, allowance, like))
        except CodecError:
            new.passed += header.records_count
    return new.rewritten()


def rewrite_fetched(
    partition: Any, edit: Edit, allowance: Allowance, start: int | None
) -> Rewritten:
    """The batches of a partition of a Fetch response with their records edited.

    It ends where there is no time left now, but would be in a response of its own.

    Args:
        start: as for `edit_fetched`.
    """
    blob = partition.records
    new = _Blob(blob)
    for header in shown_batches(partition):
        if not readable(blob, header):
            continue
        cost = whole_cost(header) if start is None else open_cost(header)
        if not allowance.opens(header, cost):
            if fits(header, cost):
                return new.cut_before(header)
            new.passed += header.records_count
            continue
        try:
            edited = edit_fetched(blob, header, edit, allowance, start)
        except CodecError:
            new.passed += header.records_count
            continue
        new.put(header, edited)
        if edited.cut:
            return new.cut_before(header)
    return new.rewritten()


class _Blob:
    """What becomes of a blob of records."""

    def __init__(self, blob: Buffer) -> None:
        self._view = memoryview(blob)
        self._chunks: list[Buffer] = []
        self._copied = self._count = 0
        self.passed = 0

    def put(self, header: BatchHeader, edited: Edited) -> None:
        """Have this in place of a batch, if it is not to stay."""
        self.passed += edited.passed
        if edited.batch is not None:
            self._chunks += (self._view[self._copied : header.start], edited.batch)
            self._copied = header.end
            self._count += edited.changed

    def cut_before(self, header: BatchHeader) -> Rewritten:
        """Leave a batch that was not put, and what follows it, out."""
        self._chunks.append(self._view[self._copied : max(header.start, self._copied)])
        return Rewritten(b"".join(self._chunks), self._count or None, self.passed)

    def rewritten(self) -> Rewritten:
        """All that was put, and between it what stays."""
        if not self._chunks:
            return Rewritten(None, passed=self.passed)
        blob = b"".join((*self._chunks, self._view[self._copied :]))
        return Rewritten(blob, self._count, self.passed)


def headers_of(blob: Buffer) -> list[BatchHeader]:
    """The headers of all batches; none where one of them cannot be read."""
    try:
        return list(read_batch_headers(blob))
    except DecodeError:
        return []


def shown_batches(partition: Any) -> Iterator[BatchHeader]:
    """The batches of a fetched partition whose records readers of committed records are shown.

    As consumers do it: a producer's batches are aborted from the first offset that the response
    tells of, to the marker that ends the transaction.
    """
    waiting = sorted(
        ((each.first_offset, each.producer_id) for each in partition.aborted_transactions or ()),
        reverse=True,
    )
    aborted: set[int] = set()
    for header in headers_of(partition.records):
        last = header.base_offset + header.last_offset_delta
        while waiting and waiting[-1][0] <= last:
            aborted.add(waiting.pop()[1])
        if header.is_control:
            if _is_abort(partition.records, header):
                aborted.discard(header.producer_id)
        elif not (header.is_transactional and header.producer_id in aborted):
            yield header


def _is_abort(blob: Buffer, header: BatchHeader) -> bool:
    try:
        return any(read_marker(r).type == ControlType.ABORT for r in records_of(blob, header))
    except CodecError:
        return False


def _is_short(places: Sequence[Located], growth: int) -> bool:
    """Whether there may be no time for all these partitions."""
    batches = (h for place in places for h in headers_of(place.partition.records))
    return sum(estimate(header, growth) for header in batches) > MAX_NANOSECONDS


Offsets = Mapping[Place, int]
"""From where on a Fetch asks for records."""


def _always() -> bool:
    return True


class RecordRule(RequestRule):
    """A rule about records, in one direction. Every request is looked at, every record drawn.

    Args:
        topic: see `matcher`.
        rate_in_percent: share of records, 0 to 100.
        target: `PRODUCE` or `CONSUME`.
        growth: as for `Edit`.

    Attributes:
        twice: whether chosen records come twice, instead of being changed.
    """

    twice = False

    def __init__(self, topic: str, rate_in_percent: float, target: str, growth: int = 0) -> None:
        self.share = 1.0 if rate_in_percent else 0.0
        self.rate = rate_in_percent / 100
        self.topic = self.matches = matcher(topic)
        api = ApiKey.PRODUCE if target == PRODUCE else ApiKey.FETCH
        self.apis = frozenset({api} if self.share else ())
        self._growth = growth

    def decide(self, asked: Asked) -> Change | Forward | Await:
        """Change the chosen records of a Produce request; note from where a Fetch asks."""
        if asked.api is not ApiKey.PRODUCE:
            return Await(self.asks(asked.request))
        edit, allowance = self._drawn(asked.chance), Allowance()

        def rewrite(place: Located) -> Rewritten:
            return self.produced(asked, place, edit, allowance)

        return changed(asked.request, produced(asked.request, self.matches), rewrite)

    def answered(self, answered: Answered) -> Change | Forward:
        """Change the chosen records of a Fetch response."""
        places = fetched(answered.response, self.matches)
        chance, allowance = answered.chance, Allowance()
        if _is_short(places, self._growth):
            # Else a partition at the end of a list that is always too long would get nothing.
            turn = int(chance() * len(places))
            places = places[turn:] + places[:turn]
        edit = self._drawn(chance)
        starts: Offsets = answered.kept or {}

        def rewrite(place: Located) -> Rewritten:
            start = starts.get((place.topic, place.partition.partition_index))
            return rewrite_fetched(place.partition, edit, allowance, start)

        return changed(answered.response, places, rewrite)

    def asks(self, request: Any) -> Offsets:
        """From where a decoded Fetch request asks, in topics that match."""
        return {
            (topic.topic, partition.partition): partition.fetch_offset
            for topic in request.topics or ()
            if topic.topic and self.matches(topic.topic)
            for partition in topic.partitions or ()
        }

    def chooser(self, chance: Chance) -> Callable[[], bool]:
        """What draws for a record."""
        rate = self.rate
        return _always if rate >= 1 else lambda: chance() < rate

    def change(self, value: Buffer | None, chance: Chance) -> bytes | None:
        """The new value of a chosen record; None if there is nothing in the old one to change."""
        raise NotImplementedError

    def produced(self, asked: Asked, place: Located, edit: Edit, allowance: Allowance) -> Rewritten:
        """What becomes of the records of one partition of a Produce request."""
        return rewrite_produced(place.partition.records, edit, allowance)

    def _drawn(self, chance: Chance) -> Edit:
        chooses = self.chooser(chance)
        return Edit(chooses, None if self.twice else partial(self._changed, chance), self._growth)

    def _changed(self, chance: Chance, value: Buffer | None) -> bytes | None:
        return self.change(value, chance)
