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

from codec.errors import CodecError, DecodeError
from codec.primitives import Buffer
from codec.records.batch import BatchHeader
from codec.records.build import NEW_BATCH, assemble, build_batch
from codec.records.stepping import offset_delta, step_over
from sidecar.faults.allowance import READ, Allowance, close_cost, fits, open_cost
from sidecar.faults.base import Place
from sidecar.faults.record_edits import (
    NOTHING,
    Front,
    in_front,
    may_end_early,
    opened,
    readable,
)
from sidecar.faults.records import Rewritten, headers_of, shown_batches

JAVA: Final = "apache-kafka-java"
"""What Java's clients call themselves since Kafka 2.4."""
AT_ONCE: Final = 250
"""Records of a response up to the end of a run; a consumer's poll takes 500, of all partitions."""
_MAX_PLACES: Final = 10_000
"""Partitions of a connection that are kept in mind."""

Positions = dict[Place, int]
"""Offsets by partition."""


class _Cut(NamedTuple):
    """Where a response ends: behind some records of a batch."""

    header: BatchHeader
    content: Buffer = b""
    front: Front = NOTHING
    last: int = 0
    """Position of the last of them."""
    had: Front = NOTHING
    """Records that the consumer has had, which are left out."""

    def front_of_batch(self) -> bytes:
        """What is left of it."""
        records = self.front.records - self.had.records
        if records <= 0:
            return b""
        like = self.header._replace(
            records_count=records,
            last_offset_delta=offset_delta(self.content, self.last),
        )
        return assemble(memoryview(self.content)[self.had.end : self.front.end], like)


class _Run(NamedTuple):
    """Records to come twice, and where the response ends with them."""

    first: int
    records: int
    done: int
    """Offset behind the run; without records, behind those that nobody chose."""
    cut: _Cut | None
    """None: the response stays whole."""


class Redelivery:
    """What one connection of a consumer has asked for, and has been given twice."""

    def __init__(self) -> None:
        self._asked: Positions = {}
        self._done: Positions = {}

    def asks(self, partitions: Iterable[tuple[Place, int]]) -> None:
        """Note from where on a request asks for records."""
        for place, offset in partitions:
            _put(self._asked, place, offset)

    def rewritten(
        self, place: Place, partition: Any, chosen: Callable[[], bool], allowance: Allowance
    ) -> Rewritten:
        """The records of a partition up to the first run, and the end that brings it back.

        Args:
            place: of the partition.
            partition: in a Fetch response.
            chosen: draws for a record.
            allowance: what may be read.
        """
        search = _Search(self._asked.get(place), self._done.get(place, 0), chosen, allowance)
        try:
            run = search.run(partition)
            if run is None:
                return Rewritten(None, passed=search.passed)
            blob = _ending_before(run, partition.records)
        except CodecError:
            return Rewritten(None)
        _put(self._done, place, run.done)
        return Rewritten(blob, run.records or None, search.passed)


def _put(positions: Positions, place: Place, offset: int) -> None:
    if len(positions) >= _MAX_PLACES and place not in positions:
        positions.clear()  # who has so many has them twice, or loses a few duplicates
    positions[place] = offset


class _Search:
    """Looks for the first records that are drawn one after the other.

    Args:
        asked: offset from which on the consumer asks for records; None if that is not known.
        done: offset in front of which all have had their turn.
    """

    def __init__(
        self, asked: int | None, done: int, chosen: Callable[[], bool], allowance: Allowance
    ) -> None:
        self._known = asked is not None
        self._asked = asked or 0
        self._start = max(self._asked, done)
        self._chosen = chosen
        self._allowance = allowance
        self._spent = False
        self._seen = 0
        """Records of the poll in which the others are to come."""
        self._first = self._count = self._end = 0
        self.passed = 0
        """Records that nobody drew for, as there was no time."""

    def run(self, partition: Any) -> _Run | None:
        """What there is to come twice; None if nothing.

        Raises CodecError where it cannot be read.
        """
        blob = partition.records
        for header in shown_batches(partition):
            last = header.base_offset + header.last_offset_delta
            if header.magic != 2 or last < self._start:
                # Those that had their turn count for the poll in which the others are to come.
                self._seen += header.records_count if last >= self._asked else 0
                continue
            if not readable(blob, header):
                raise DecodeError("a batch cannot be read")
            cut = self._through(blob, header)
            if cut is not None:
                return _Run(self._first, self._count, self._end, cut)
            if self._spent:
                return None
        return _Run(self._first, self._count, self._end, None) if self._count else None

    def _through(self, blob: Buffer, header: BatchHeader) -> _Cut | None:
        """Look through a batch; where to cut it, if that is to be."""
        allowance, opening, closing = self._allowance, open_cost(header), close_cost(header)
        if not allowance.opens(header, opening):
            return self._out_of_time(_Cut(header), early=fits(header, opening))
        try:
            content = opened(blob, header, allowance, opening)
        except CodecError:
            return self._out_of_time(_Cut(header), early=False)
        early = may_end_early(content, header)
        had = in_front(content, header, self._asked, allowance)
        turned = in_front(content, header, self._start, allowance)
        if had is None or turned is None:
            return self._out_of_time(_Cut(header), early=early)
        self._seen += turned.records - had.records
        pos, last = turned.end, 0
        for number in range(turned.records, header.records_count):
            here = _Cut(header, content, Front(number, pos), last, had)
            end = step_over(content, pos, 1)
            if not allowance.take(READ + (end - pos) * closing):
                return self._out_of_time(here, early=early)
            self._seen += 1
            if self._count and self._seen > AT_ONCE:
                return here
            chosen = self._chosen()
            if self._count and not chosen:
                self._end += 1  # it has had its turn
                return here
            offset = header.base_offset + offset_delta(content, pos)
            if chosen:
                self._first = self._first if self._count else offset
                self._count += 1
            self._end = offset + 1
            last, pos = pos, end
        return None

    def _out_of_time(self, here: _Cut, *, early: bool) -> _Cut | None:
        """Where the response ends as there is no time for more of it; None: it stays whole.

        Args:
            here: where it could.
            early: whether the batch there could be looked through in a response of its own.
        """
        if self._count or (early and self._known and self._end):
            return here
        self.passed += here.header.records_count - here.front.records
        self._spent = True
        return None


def _ending_before(run: _Run, blob: Buffer) -> bytes:
    """The records up to the end of the run, and an empty batch that ends before it."""
    if not run.records:
        end = b""
    else:
        epoch = headers_of(blob)[-1].partition_leader_epoch
        like = NEW_BATCH._replace(base_offset=run.first - 1, partition_leader_epoch=epoch)
        end = build_batch([], like)
    if run.cut is None:
        return b"".join((_whole(blob), end))
    return b"".join((memoryview(blob)[: run.cut.header.start], run.cut.front_of_batch(), end))


def _whole(blob: Buffer) -> Buffer:
    """The blob without a last batch that is cut off, behind which nothing would be read."""
    return memoryview(blob)[: headers_of(blob)[-1].end]
