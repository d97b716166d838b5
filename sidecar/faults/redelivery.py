"""Fetched records twice for Java's consumers, which drop a record whose offset they have had.

A Fetch response gets one more batch at its end: an empty one, as compaction leaves them, that ends
in front of the first record to come twice. A Java consumer that has taken all records of a response
goes on behind its last batch, so it asks for those records again, and is given them with the
offsets, times and headers they have. Nothing is lost by it: a consumer never goes back behind what
an earlier poll took, and whatever it asks for it is given.

The position is all a consumer has, so what comes twice is what lies between two positions: a run of
records. Behind the first run that is drawn the response is cut, and the rest is asked for next.

Source: `CompletedFetch.fetchRecords` and `FetchCollector` of Kafka 4.3 and 3.9: records below the
next offset are skipped; at the end of a response that offset is the last batch's, and is taken if
it is not below the position at the beginning of the poll.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from codec.errors import CodecError
from codec.primitives import Buffer
from codec.records.batch import BatchHeader
from codec.records.build import NEW_BATCH, build_batch
from codec.records.record import Record
from sidecar.faults.records import Allowance, Rewritten, headers_of, read, shown_batches

JAVA: Final = "apache-kafka-java"
"""What Java's clients call themselves since Kafka 2.4."""
AT_ONCE: Final = 250
"""Records of a response up to the end of a run; a consumer's poll takes 500, of all partitions."""
_MAX_PLACES: Final = 10_000
"""Partitions of a connection that are kept in mind."""

Key = tuple[str, int]
"""Topic and partition."""
Positions = dict[Key, int]
"""Offsets by partition."""


class _Run(NamedTuple):
    """Records to come twice, and where the response ends with them."""

    first: int
    records: int
    done: int
    """Offset behind the run."""
    cut: tuple[BatchHeader, list[Record]] | None
    """The batch in which the response ends, and what is left of it; None: it stays whole."""


class Redelivery:
    """What one connection of a consumer has asked for, and has been given twice."""

    def __init__(self) -> None:
        self._asked: Positions = {}
        self._done: Positions = {}

    def asks(self, partitions: Iterable[tuple[Key, int]]) -> None:
        """Note from where on a request asks for records."""
        for key, offset in partitions:
            _put(self._asked, key, offset)

    def rewritten(
        self, key: Key, partition: Any, chosen: Callable[[Record], bool], allowance: Allowance
    ) -> Rewritten | None:
        """The records of a partition up to the first run, and the end that brings it back.

        Args:
            key: of the partition.
            partition: in a Fetch response.
            chosen: draws for a record.
            allowance: what may be read.

        Returns:
            None if nothing is drawn, or nothing can be read.
        """
        start = max(self._asked.get(key, 0), self._done.get(key, 0))
        try:
            run = _first_run(partition, start, self._asked.get(key, 0), chosen, allowance)
            if run is None:
                return None
            blob = _ending_before(run, partition.records)
        except CodecError:
            return None
        _put(self._done, key, run.done)
        return Rewritten(blob, run.records)


def _put(positions: Positions, key: Key, offset: int) -> None:
    if len(positions) >= _MAX_PLACES and key not in positions:
        positions.clear()  # who has so many has them twice, or loses a few duplicates
    positions[key] = offset


def _first_run(
    partition: Any,
    start: int,
    asked: int,
    chosen: Callable[[Record], bool],
    allowance: Allowance,
) -> _Run | None:
    """The first records from `start` on that are drawn one after the other."""
    first = count = seen = done = 0
    for header in shown_batches(partition):
        last = header.base_offset + header.last_offset_delta
        if header.magic != 2 or last < start:
            # Those that had their turn count for the poll in which the others are to come.
            seen += header.records_count if last >= asked else 0
            continue
        if not allowance.allows(header):
            return _Run(first, count, done, (header, [])) if count else None
        records = read(partition.records, header, allowance)
        for n, record in enumerate(records):
            seen += record.offset >= asked
            if record.offset < start:
                continue
            if count and (seen > AT_ONCE or not chosen(record)):
                return _Run(first, count, done, (header, records[:n]))
            if count or chosen(record):
                first = record.offset if not count else first
                count, done = count + 1, record.offset + 1
    return _Run(first, count, done, None) if count else None


def _ending_before(run: _Run, blob: Buffer) -> bytes:
    """The records up to the end of the run, and an empty batch that ends before it."""
    epoch = headers_of(blob)[-1].partition_leader_epoch
    like = NEW_BATCH._replace(base_offset=run.first - 1, partition_leader_epoch=epoch)
    end = build_batch([], like)
    if run.cut is None:
        return b"".join((_whole(blob), end))
    header, kept = run.cut
    rest = build_batch(kept, header) if kept else b""
    return b"".join((memoryview(blob)[: header.start], rest, end))


def _whole(blob: Buffer) -> Buffer:
    """The blob without a last batch that is cut off, behind which nothing would be read."""
    return memoryview(blob)[: headers_of(blob)[-1].end]
