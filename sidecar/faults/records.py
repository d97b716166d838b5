"""Changing records on their way: what the faults about records share.

Messages are left as they are: a changed one is a new one, in which only the batches are new that
changed. Batches that cannot be read, whose checksum is wrong, of legacy formats and with control
records pass as they are, and so do those of aborted transactions, which no reader of committed
records is shown.

The hub waits while this goes on, so what one message may cost is bounded by an estimate (see
`Allowance`). What would cost more passes unchanged in a Produce request. A Fetch response is cut
short there instead: the consumer asks for the rest next, so that rates hold for it as well.

Sources: the protocol guide's section on record batches; KIP-98 for aborted transactions.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.errors import CodecError, DecodeError
from codec.primitives import Buffer
from codec.records import crc32c
from codec.records.batch import BatchHeader, crc_ok, read_batch_headers
from codec.records.build import build_batch
from codec.records.compression import Compression
from codec.records.control import ControlType, read_marker
from codec.records.record import Record, payload, read_records
from codec.records.rewrite import records_of
from sidecar.faults.base import FORWARD, Answered, Asked, Chance, Change, Forward, Part, RequestRule
from sidecar.faults.matching import matcher

PRODUCE: Final = "PRODUCE"
CONSUME: Final = "CONSUME"
TARGETS: Final = (PRODUCE, CONSUME)

Edit = Callable[[Record], Sequence[Record] | None]
"""What to have instead of a record, one after the other; None to leave it alone."""

MAX_NANOSECONDS: Final = 20_000_000
"""What the records of one message may cost, by estimate."""
_RECORD_COST: Final = 10_000
"""Nanoseconds to read a record and write two, measured on a slow core."""
_BYTE_COST: Final[dict[int, int]] = {
    Compression.NONE: 5,
    Compression.GZIP: 70,
    Compression.SNAPPY: 6,
    Compression.LZ4: 20,
    Compression.ZSTD: 14,
}
"""Nanoseconds to unpack a byte, copy it and pack it again, twice."""
_CHECKSUM_COST: Final = 200 if crc32c.crc32c is crc32c.table_crc32c else 1
"""Nanoseconds for the checksum of a byte that comes and of two that go; much without a library."""


class Allowance:
    """The time that one message may still take, estimated before it is spent.

    Args:
        growth: bytes that a record may grow by.
    """

    def __init__(self, growth: int = 0) -> None:
        self._growth = growth
        self._left = MAX_NANOSECONDS

    def least(self, header: BatchHeader) -> int:
        """What changing a batch costs at least, judged by its header: nanoseconds."""
        count = max(header.records_count, 0)
        size = header.end - header.start + count * self._growth
        return count * _RECORD_COST + size * (_byte_cost(header) + _CHECKSUM_COST)

    def allows(self, header: BatchHeader) -> bool:
        """Whether there is time left for this batch, if it does not unpack to more."""
        return self.least(header) <= self._left

    def limit(self, header: BatchHeader) -> int:
        """Bytes that this batch may unpack to."""
        packed = header.end - header.start
        return packed + max(self._left - self.least(header), 0) // _byte_cost(header)

    def spent(self, header: BatchHeader, unpacked: int) -> None:
        """Take the cost of a batch off."""
        packed = header.end - header.start
        self._left -= self.least(header) + max(unpacked - packed, 0) * _byte_cost(header)


def _byte_cost(header: BatchHeader) -> int:
    """What is compressed in no known way is refused when it is read."""
    return _BYTE_COST.get(header.compression, 1)


class Rewritten(NamedTuple):
    """New bytes of a partition's records.

    Args:
        changed: records that are not what they were; None if only the bytes are to be taken.
    """

    blob: Buffer
    changed: int | None


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
    message: Any, places: Sequence[Located], rewrite: Callable[[Located], Rewritten | None]
) -> Change | Forward:
    """The message with what `rewrite` makes of the records of these partitions; None: as it is.

    FORWARD if that is so of all.
    """
    request = hasattr(message, "topic_data")
    topics_field, parts_field = _FIELDS[request]
    topics: list[Any] = list(getattr(message, topics_field) or ())
    copied: set[int] = set()
    parts = []
    for place in places:
        new = rewrite(place)
        if new is None:
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
    return Change(message.copy(**{topics_field: topics}), parts) if copied else FORWARD


_FIELDS: Final = {
    True: ("topic_data", "partition_data"),
    False: ("responses", "partitions"),
}


def rewrite_produced(
    blob: Buffer,
    edit: Edit,
    allowance: Allowance,
    like: Callable[[BatchHeader], BatchHeader] = lambda header: header,
) -> Rewritten | None:
    """The batches of a Produce request with their records edited; None where none is.

    Args:
        like: from the header of a batch that is edited to what the new one has of it.
    """
    view = memoryview(blob)
    chunks: list[Buffer] = []
    count = copied = 0
    for header in headers_of(blob):
        if not header.is_control and allowance.allows(header):
            new = _edited(blob, header, edit, allowance, like, renumber=True)
            if new is not None:
                chunks += (view[copied : header.start], new.blob)
                copied = header.end
                count += new.changed or 0
    return Rewritten(b"".join((*chunks, view[copied:])), count) if chunks else None


def rewrite_fetched(
    partition: Any, edit: Edit, allowance: Allowance, *, cut: bool
) -> Rewritten | None:
    """The batches of a partition of a Fetch response with their records edited; None: as it is.

    Args:
        cut: whether to end before a batch for which there is no time left now, but would be in a
            response of its own. Without it such a batch passes.
    """
    blob = partition.records
    view = memoryview(blob)
    chunks: list[Buffer] = []
    count = copied = 0
    for header in shown_batches(partition):
        if not allowance.allows(header):
            if cut and allowance.least(header) <= MAX_NANOSECONDS:
                chunks.append(view[copied : header.start])
                return Rewritten(b"".join(chunks), count or None)
            continue
        new = _edited(blob, header, edit, allowance, lambda same: same, renumber=False)
        if new is not None:
            chunks += (view[copied : header.start], new.blob)
            copied = header.end
            count += new.changed or 0
    return Rewritten(b"".join((*chunks, view[copied:])), count) if chunks else None


def _edited(
    blob: Buffer,
    header: BatchHeader,
    edit: Edit,
    allowance: Allowance,
    like: Callable[[BatchHeader], BatchHeader],
    *,
    renumber: bool,
) -> Rewritten | None:
    """One batch with its records edited; None to leave it as it is."""
    try:
        records = read(blob, header, allowance)
        edited = [(record, edit(record)) for record in records]
        count = sum(new is not None for _, new in edited)
        if not count:
            return None
        after = [r for record, new in edited for r in ((record,) if new is None else new)]
        if renumber:
            base = header.base_offset
            after = [record._replace(offset=base + n) for n, record in enumerate(after)]
        return Rewritten(build_batch(after, like(header), keep_end=not renumber), count)
    except CodecError:
        return None


def read(blob: Buffer, header: BatchHeader, allowance: Allowance) -> list[Record]:
    """The records of a batch of magic 2 whose checksum is right, on the message's account.

    Raises DecodeError or UnsupportedCompression: it cannot be read, or unpacks to too much.
    """
    if header.magic != 2 or not crc_ok(blob, header):
        raise DecodeError("the batch is of a legacy format, or its checksum is wrong")
    content = payload(blob, header, allowance.limit(header))
    allowance.spent(header, len(content))
    return list(read_records(content, header))


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


def _is_short(places: Sequence[Located], allowance: Allowance) -> bool:
    """Whether there is no time for all these partitions."""
    batches = (h for place in places for h in headers_of(place.partition.records))
    return sum(map(allowance.least, batches)) > MAX_NANOSECONDS


class RecordRule(RequestRule):
    """A rule about records, in one direction. Every request is looked at, every record drawn.

    Args:
        topic: see `matcher`.
        rate_in_percent: share of records, 0 to 100.
        target: `PRODUCE` or `CONSUME`.
        growth: as for `Allowance`.
    """

    def __init__(self, topic: str, rate_in_percent: float, target: str, growth: int = 0) -> None:
        self.share = 1.0 if rate_in_percent else 0.0
        self.rate = rate_in_percent / 100
        self.topic = self.matches = matcher(topic)
        api = ApiKey.PRODUCE if target == PRODUCE else ApiKey.FETCH
        self.apis = frozenset({api} if self.share else ())
        self.watches = self.apis - {ApiKey.PRODUCE}
        self._growth = growth

    def decide(self, asked: Asked) -> Change | Forward:
        """Change the chosen records of a Produce request."""
        if asked.api is not ApiKey.PRODUCE:
            return FORWARD
        edit, allowance = self._drawn(asked.chance), Allowance(self._growth)

        def rewrite(place: Located) -> Rewritten | None:
            return self.produced(asked, place, edit, allowance)

        return changed(asked.request, produced(asked.request, self.matches), rewrite)

    def answered(self, answered: Answered) -> Change | Forward:
        """Change the chosen records of a Fetch response."""
        places = fetched(answered.response, self.matches)
        chance, allowance = answered.chance, Allowance(self._growth)
        short = _is_short(places, allowance)
        if short:
            # Else a partition at the end of a list that is always too long would get nothing.
            turn = int(chance() * len(places))
            places = places[turn:] + places[:turn]
        edit = self._drawn(chance)

        def rewrite(place: Located) -> Rewritten | None:
            return rewrite_fetched(place.partition, edit, allowance, cut=short)

        return changed(answered.response, places, rewrite)

    def chooses(self, chance: Chance) -> bool:
        """Draw for a record."""
        return self.rate >= 1 or chance() < self.rate

    def edit(self, record: Record, chance: Chance) -> Sequence[Record] | None:
        """What a chosen record becomes; None if there is nothing in it to change."""
        raise NotImplementedError

    def produced(
        self, asked: Asked, place: Located, edit: Edit, allowance: Allowance
    ) -> Rewritten | None:
        """What becomes of the records of one partition of a Produce request."""
        return rewrite_produced(place.partition.records, edit, allowance)

    def _drawn(self, chance: Chance) -> Edit:
        def drawn(record: Record) -> Sequence[Record] | None:
            return self.edit(record, chance) if self.chooses(chance) else None

        return drawn
