"""Changing the records of one batch, as far as there is time.

What is not changed keeps its bytes. Where the time ends before the batch does, the rest of it stays
as it is, or is left out for the consumer to ask for next.

Sources: the protocol guide's section on record batches; KIP-98.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from codec.errors import DecodeError
from codec.primitives import Buffer
from codec.records.batch import BatchHeader, crc_ok
from codec.records.build import assemble
from codec.records.record import payload
from codec.records.stepping import moved, offset_delta, step_over, value_of, with_value
from sidecar.faults.allowance import (
    CHANGE,
    DOUBLE,
    MAX_NANOSECONDS,
    MOVE,
    SKIP,
    STEP,
    Allowance,
    close_cost,
    open_cost,
    whole_cost,
)


class Edit(NamedTuple):
    """What is done to records.

    Args:
        chooses: draws for a record.
        change: the value that a chosen one has instead of its own (None: it has none); None to
            leave it alone. Without it a chosen record comes twice.
        growth: bytes that a value grows by.
    """

    chooses: Callable[[], bool]
    change: Callable[[memoryview | None], bytes | None] | None
    growth: int = 0


class Edited(NamedTuple):
    """What has become of a batch.

    Args:
        batch: its new bytes; None: it stays as it is.
        changed: records that are not what they were.
        passed: records that nobody drew for, as there was no time, and that go on.
        cut: whether what follows `batch` is to be left out; without one, the batch itself too.
    """

    batch: bytes | None
    changed: int = 0
    passed: int = 0
    cut: bool = False


def readable(blob: Buffer, header: BatchHeader) -> bool:
    """Whether a batch is of magic 2, and its checksum right."""
    return header.magic == 2 and header.records_count >= 0 and crc_ok(blob, header)


def opened(blob: Buffer, header: BatchHeader, allowance: Allowance, cost: int) -> Buffer:
    """The payload of a readable batch, on the message's account: so much for each byte.

    Raises DecodeError or UnsupportedCompression: it cannot be read, or unpacks to too much.
    """
    content = payload(blob, header, allowance.limit(cost))
    allowance.take(len(content) * cost)
    return content


def edit_produced(
    blob: Buffer,
    header: BatchHeader,
    edit: Edit,
    allowance: Allowance,
    like: Callable[[BatchHeader], BatchHeader],
) -> Edited:
    """A readable batch that goes to a broker, where offsets follow each other.

    Args:
        like: from the header of a batch that is changed to what the new one has of it.

    Raises:
        CodecError: it cannot be read, unpacks to too much, or cannot be written.
    """
    content = opened(blob, header, allowance, whole_cost(header))
    walk = _Walk(content, header, edit, allowance)
    walk.moves = edit.change is None
    walk.go_on()
    return walk.finished(like)


def edit_fetched(
    blob: Buffer, header: BatchHeader, edit: Edit, allowance: Allowance, start: int | None
) -> Edited:
    """A readable batch that goes to a consumer: all offsets stay.

    Args:
        start: offset of the first record that the consumer takes; what is in front of it may be
            left out. None if that is not known: then nothing is left out, as what is left might
            have nothing for the consumer.

    Raises:
        CodecError: as `edit_produced`.
    """
    if start is None:
        content = opened(blob, header, allowance, whole_cost(header))
        walk = _Walk(content, header, edit, allowance)
        walk.go_on()
        return walk.finished(_same)
    content = opened(blob, header, allowance, open_cost(header))
    walk = _Walk(content, header, edit, allowance)
    if may_end_early(content, header):
        walk.cuts = True
        if walk.skip_to(start):
            walk.go_on()
    elif allowance.take(len(content) * close_cost(header)):
        walk.go_on()
    elif len(content) * whole_cost(header) <= MAX_NANOSECONDS:
        return Edited(None, cut=True)
    return walk.finished(_same)


def _same(header: BatchHeader) -> BatchHeader:
    return header


def is_dense(header: BatchHeader) -> bool:
    """Whether no offset of a batch is missing."""
    return header.last_offset_delta + 1 == header.records_count


class Front(NamedTuple):
    """The first records of a payload.

    Args:
        records: how many.
        end: position behind them.
    """

    records: int
    end: int


NOTHING: Final = Front(0, 0)


def in_front(
    content: Buffer, header: BatchHeader, offset: int, allowance: Allowance
) -> Front | None:
    """The records in front of an offset; None if there is no time to step over them.

    Raises DecodeError where there are no records.
    """
    ahead = offset - header.base_offset
    if ahead <= 0:
        return NOTHING
    if is_dense(header):
        count = min(ahead, header.records_count)
        return Front(count, step_over(content, 0, count)) if allowance.take(count * SKIP) else None
    count = pos = 0
    while count < header.records_count and offset_delta(content, pos) < ahead:
        if not allowance.take(STEP):
            return None
        pos = step_over(content, pos, 1)
        count += 1
    return Front(count, pos)


def may_end_early(content: Buffer, header: BatchHeader) -> bool:
    """Whether a batch may be cut, for the consumer to ask for the rest.

    In a message of its own at least half of the time goes to records that are new to the consumer:
    else a large batch might never end.
    """
    return overhead(content, header) <= MAX_NANOSECONDS // 2


def overhead(content: Buffer, header: BatchHeader) -> int:
    """Nanoseconds until the records that are new to a consumer are reached, at most."""
    skips = header.records_count * (SKIP if is_dense(header) else STEP)
    return len(content) * open_cost(header) + skips


class _Walk:
    """Goes over the records of a batch once.

    Attributes:
        moves: whether a record has the offset behind the one in front of it, whatever it had.
        cuts: whether what there is no time for is left out. Then time is taken for each record that
            is put back; else that has been done for all.
    """

    def __init__(
        self, content: Buffer, header: BatchHeader, edit: Edit, allowance: Allowance
    ) -> None:
        self.moves = self.cuts = False
        self._view = memoryview(content)
        self._header = header
        self._edit = edit
        self._allowance = allowance
        self._chunks: list[Buffer] = []
        self._pos = self._last = self._copied = 0
        """Of the next record, of the one before it, and of what does not stand in `_chunks` yet."""
        self._done = self._skipped = self._changed = self._added = 0
        """Records gone over, of these skipped, changed, and that there are more than before."""

    def skip_to(self, offset: int) -> bool:
        """Leave the records in front of an offset alone; whether there is time to."""
        found = in_front(self._view, self._header, offset, self._allowance)
        if found is None:
            return False
        self._skipped = self._done = found.records
        self._pos = self._copied = found.end
        return True

    def go_on(self) -> None:
        """Draw for the records and change those that are chosen, while there is time."""
        count, allowance, view = self._header.records_count, self._allowance, self._view
        chooses, change = self._edit.chooses, self._edit.change
        closing = close_cost(self._header)
        reserved = MOVE if self.moves else 0
        twice = change is None
        more = DOUBLE + 2 * reserved if twice else CHANGE + self._edit.growth * closing
        while self._done < count:
            start = self._pos
            end = step_over(view, start, 1)
            size = (end - start) * closing
            kept = STEP + size if self.cuts else STEP
            chosen = kept + more + size if twice else kept + more
            # Before the draw: else who is chosen would be left out rather than others.
            if not allowance.has(chosen + (count - self._done) * reserved):
                if self._done == self._skipped:
                    # Cutting in front of it helps if there is time when it comes first.
                    self.cuts &= overhead(view, self._header) + chosen <= MAX_NANOSECONDS
                return
            if not chooses():
                allowance.take(kept)
                if self._added and self.moves:
                    self._move(start, end)
            else:
                allowance.take(chosen)
                if change is None:
                    self._double(start, end)
                else:
                    self._change(start, end, change)
            self._to(end)

    def _to(self, end: int) -> None:
        self._last, self._pos = self._pos, end
        self._done += 1

    def _put(self, start: int, end: int, *instead: Buffer) -> None:
        """Have something else in place of a record."""
        self._chunks += (self._view[self._copied : start], *instead)
        self._copied = end

    def _change(
        self, start: int, end: int, change: Callable[[memoryview | None], bytes | None]
    ) -> None:
        old = value_of(self._view, start, end)
        new = change(None if old.start is None else self._view[old.start : old.end])
        if new is not None:
            self._put(start, end, with_value(self._view, end, old, new))
            self._changed += 1

    def _double(self, start: int, end: int) -> None:
        view, by = self._view, self._added
        if self.moves:
            first = moved(view, start, end, by) if by else view[start:end]
            self._put(start, end, first, moved(view, start, end, by + 1))
        else:
            self._put(start, end, view[start:end], view[start:end])
        self._added += 1
        self._changed += 1

    def _move(self, start: int, end: int) -> None:
        self._allowance.take(MOVE)
        self._put(start, end, moved(self._view, start, end, self._added))

    def finished(self, like: Callable[[BatchHeader], BatchHeader]) -> Edited:
        """What has become of the batch; `like` as in `edit_produced`.

        Raises CodecError where it cannot be read to its end, or not be written.
        """
        header, view = self._header, self._view
        left = header.records_count - self._done
        if left and self.cuts:
            if self._done == self._skipped:  # other batches have had the time
                return Edited(None, cut=True)
            last = offset_delta(view, self._last)
            self._chunks.append(view[self._copied : self._pos])
            return self._assembled(header._replace(last_offset_delta=last), self._done, cut=True)
        if not left and self._pos != len(view):
            raise DecodeError(f"{len(view) - self._pos} bytes follow the last record of a batch")
        if not self._changed:
            return Edited(None, passed=left)
        if self.moves and self._added:
            while self._done < header.records_count:
                self._move(self._pos, step_over(view, self._pos, 1))
                self._to(self._copied)
        self._chunks.append(view[self._copied :])
        if self.moves:
            last = header.last_offset_delta + self._added
            header = header._replace(last_offset_delta=last)
        return self._assembled(like(header), header.records_count, passed=left)

    def _assembled(
        self, header: BatchHeader, count: int, *, passed: int = 0, cut: bool = False
    ) -> Edited:
        header = header._replace(records_count=count - self._skipped + self._added)
        batch = assemble(b"".join(self._chunks), header)
        return Edited(batch, self._changed, passed, cut)
