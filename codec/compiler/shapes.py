"""Passing over many fields in one step, where their layout is one that was met before.

How many bytes a stretch without strings takes depends on the counts in it and on nothing else. Its
shape is the counts, each with its place. Bytes that have the same counts in the same places are
read in the same way, so a rewriter can compare those and leave the rest unread: the partitions of a
topic mostly have equally many replicas. What is not of a shape met before is walked as ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct, error
from typing import Any, Self

from codec.compiler.asked import HOOKS, plain, same_size, slot_hooks, usually_empty
from codec.compiler.layout import Layout, Slot
from codec.fields import FIXED_SIZES, Kind
from codec.primitives import INT32

MOST_COUNTS = 52
"""Counts in a stretch that is compared at once; beyond, comparing costs as much as it saves."""
FEW = 16
"""Elements that are not worth looking for equal shapes."""
_LONGEST = 4096
"""Bytes of one element that is compared, and its highest count where that is an int32."""
_FITTED = 8
"""Stretches in a row that a shape has to fit for one that it does not to be an exception."""
_LONGEST_REST = 255
_KEPT = 32
"""Shapes of one stretch that are kept ready."""
_WINDOW = 256
"""Elements compared at first; four times as many after each time that all were alike."""
_WALKED = 64
"""Elements walked where they are not alike."""

Known = tuple[Any, tuple[int, ...], int]
"""How to read the counts of a stretch, what they have to be, and the bytes it takes."""

UNKNOWN: Known = (None, (), 1 << 62)
"""Fits no stretch: none is as long."""


class _NotSimple(Exception):
    """The bytes are not valid, or of a form that has no shape here."""


@dataclass(frozen=True)
class _Count:
    """A count, what is before it, and what it counts.

    Args:
        gap: bytes between what was before and the count.
        lowest: of its values, null and compact form included.
        highest: the same; the count of unknown tags must be 0, and what is usually empty has to be.
        size: bytes of one element, if all have one size.
        inner: the steps of one element, otherwise.
    """

    gap: int
    lowest: int
    highest: int
    size: int = 0
    inner: "Steps | None" = None


@dataclass(frozen=True)
class Steps:
    """The way through a stretch: its counts in order, and the bytes behind the last."""

    counts: Sequence[_Count]
    tail: int
    compact: bool

    @classmethod
    def of(cls, slots: Sequence[Slot], *, tags: bool, compact: bool) -> Self | None:
        """The way through these fields, and a tag section if wanted; None if there is none.

        There is none through strings, bytes, and what a hook is asked about, unless it is usually
        empty: the way is then that through the empty form.
        """
        counts, gap = [], 0
        for slot in slots:
            if plain(slot):
                gap += FIXED_SIZES[slot.kind]
                continue
            count = cls._count(slot, gap, compact=compact)
            if count is None:
                return None
            counts.append(count)
            gap = 0
        if tags:
            counts.append(_Count(gap, 0, 0))
            gap = 0
        return cls(counts, gap, compact)

    @classmethod
    def of_struct(cls, layout: Layout, *, compact: bool) -> Self | None:
        """The way through a struct; one with known tags has none, if any of them is asked about."""
        if any(map(slot_hooks, layout.tagged)):
            return None
        return cls.of(layout.slots, tags=layout.flexible, compact=compact)

    @classmethod
    def _count(cls, slot: Slot, gap: int, *, compact: bool) -> _Count | None:
        if compact and usually_empty(slot) and (slot_hooks(slot) or slot.kind is Kind.STRING):
            return _Count(gap, slot.usual, slot.usual)
        if slot.kind is not Kind.ARRAY or slot.field.role in HOOKS:
            return None
        lowest = (0 if slot.nullable else 1) if compact else (-1 if slot.nullable else 0)
        highest = 127 if compact else _LONGEST
        if same_size(slot):
            return _Count(gap, lowest, highest, size=slot.smallest_element)
        inner = cls.of_struct(slot.inner, compact=compact) if slot.inner else None
        return _Count(gap, lowest, highest, inner=inner) if inner else None

    @property
    def nested(self) -> bool:
        """Whether there are arrays of structs on the way."""
        return any(count.inner for count in self.counts)

    def read(self, b: bytes, p: int, found: list[tuple[int, int]], most: int) -> int:
        """Collect places and values of the counts from p on; returns where the stretch ends.

        Raises _NotSimple, IndexError or struct.error if there are more counts than `most`, or
        something is not as it should be.
        """
        for count in self.counts:
            p += count.gap
            n = b[p] if self.compact else INT32.unpack_from(b, p)[0]
            if not count.lowest <= n <= count.highest or len(found) >= most:
                raise _NotSimple
            found.append((p, n))
            p += 1 if self.compact else 4
            elements = n - 1 if self.compact else n
            if count.inner:
                for _ in range(elements):
                    p = count.inner.read(b, p, found, most)
            elif elements > 0:
                p += elements * count.size
        return p + self.tail


class Stretch:
    """Shapes of one stretch, learnt from those that were walked.

    For each value of the first count, the last shape met with it: topics differ in their number of
    partitions before they differ in anything else. `at` is the place of the byte that tells, from
    the beginning of the stretch.
    """

    def __init__(self, steps: Steps) -> None:
        first = steps.counts[0]
        self._steps = steps
        self._seen = self._rest = 0
        # The highest first count worth a try, in the form it has on the wire.
        self._most = MOST_COUNTS // max(1, len(first.inner.counts) if first.inner else 1)
        self._most += steps.compact
        self.at = first.gap + (0 if steps.compact else 3)
        self.known: dict[int, Known] = {}
        self._made: dict[tuple[Any, ...], Known] = {}

    def learn(self, b: bytes, start: int, end: int) -> int:
        """Take notice of a stretch that fitted no known shape, and had to be walked.

        Returns how many more to walk before shapes are tried again: where they change all the
        time, trying costs more than it saves. One that did not fit after many that did is passed
        over in silence.
        """
        key = b[start + self.at]
        fitted = start - self._seen > (self._rest + _FITTED) * (end - start)
        self._seen = end
        if fitted or key > self._most:
            self._rest = 0
            return 0
        found: list[tuple[int, int]] = []
        try:
            if self._steps.read(b, start, found, MOST_COUNTS) == end:
                self.known[key] = self._known(found, start, end)
        except (_NotSimple, IndexError, error):
            self.known.pop(key, None)
        self._rest = min(2 * self._rest + 1, _LONGEST_REST)
        return self._rest

    def _known(self, found: Sequence[tuple[int, int]], start: int, end: int) -> Known:
        shape = (end - start, *[(place - start, n) for place, n in found])
        known = self._made.get(shape)
        if known is None:
            known = self._make(found, start, end)
            if len(self._made) >= _KEPT:
                self._made.clear()
            self._made[shape] = known
        return known

    def _make(self, found: Sequence[tuple[int, int]], start: int, end: int) -> Known:
        code, width = ("B", 1) if self._steps.compact else ("i", 4)
        form, last = ">", start
        for place, _ in found:
            form += f"{place - last}x{code}"
            last = place + width
        return Struct(form).unpack_from, tuple(n for _, n in found), end - start


class Alike:
    """Passes over elements of one shape in an array of structs, by comparing columns of bytes."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def skip(self, b: bytes, p: int, e: int, left: int) -> tuple[int, int, int]:
        """Pass over elements from p on, of which there should be `left` before e.

        It stops where elements are not alike, or not valid: those are for the walk. Returns the
        place behind the last one passed over, how many to walk before it is tried again, and how
        many are left behind those.
        """
        window = _WINDOW
        while left >= FEW:
            size, columns = self._shape(b, p)
            tried = run = min(window, left, (e - p) // size)
            if tried < 1:
                # Too few bytes for one more, or a count has led behind the end already.
                break
            for place, value in columns:
                column = b[p + place : p + place + (run - 1) * size + 1 : size]
                # The leading bytes that are equal: up to there, elements begin where they should.
                run -= len(column.lstrip(value))
            p += run * size
            left -= run
            if run < tried and run < FEW:
                break
            window = 4 * run if run == tried else _WINDOW
        walked = min(left, _WALKED)
        return p, walked, left - walked

    def _shape(self, b: bytes, p: int) -> tuple[int, list[tuple[int, bytes]]]:
        """Size of the element at p, and the bytes that make it so; of a huge one if it has none."""
        found: list[tuple[int, int]] = []
        try:
            size = self._steps.read(b, p, found, MOST_COUNTS) - p
        except (_NotSimple, IndexError, error):
            size = 0
        if not 0 < size <= _LONGEST:
            return 1 << 62, []
        width = 1 if self._steps.compact else 4
        # The last bytes of all counts first: they differ where elements do, and end the comparing.
        places = [place + i for i in reversed(range(width)) for place, _ in found]
        return size, [(place - p, b[place : place + 1]) for place in places]
