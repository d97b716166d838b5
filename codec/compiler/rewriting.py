"""Writes the function that renames things in the bytes of one message in one version.

Generated code walks `b` with position `p`. What has been passed since `s` is to be copied as it is;
it is appended to `out` only when something else has to stand in its place. Spans are cut from `v`,
the caller's buffer, where the message holds blobs, so that those are not copied.
"""

from collections.abc import Callable, Sequence
from typing import Any

from codec.compiler.asked import (
    HOOKS,
    begins_with_its_name,
    droppable,
    hooks_of,
    plain,
    same_size,
    slot_hooks,
    usually_empty,
)
from codec.compiler.layout import Layout, Slot, message_layout
from codec.compiler.shapes import FEW, UNKNOWN, Alike, Steps, Stretch
from codec.compiler.source import Source
from codec.compiler.values import Dropping, ValueWriter
from codec.errors import DecodeError, EncodeError
from codec.fields import FIXED_SIZES, Kind, Role
from codec.primitives import (
    COMPACT_LENGTHS,
    INT16,
    INT32,
    LEAST_BLOB,
    PLAIN_LENGTHS,
    compact_broker,
    compact_string,
    continue_uvarint,
    join_small,
    plain_broker,
    plain_string,
    read_tags,
    read_uvarint,
    topic_id_bytes,
    uvarint,
)
from codec.schema import Message

Rewriter = Callable[[bytes, int, int, memoryview, Any], list[Any]]


def compile_rewriter(message: type[Message], version: int) -> Rewriter | None:
    """The function (bytes, start, end, view, hooks) -> list of pieces, or None without names."""
    layout = message_layout(message, version)
    if not hooks_of(layout):
        return None
    source = Source(
        DecodeError=DecodeError,
        EncodeError=EncodeError,
        continue_uvarint=continue_uvarint,
        read_uvarint=read_uvarint,
        read_tags=read_tags,
        uvarint=uvarint,
        join_small=join_small,
        compact_string=compact_string,
        compact_broker=compact_broker,
        plain_string=plain_string,
        plain_broker=plain_broker,
        topic_id_bytes=topic_id_bytes,
        unpack_h=INT16.unpack_from,
        unpack_i=INT32.unpack_from,
        pack_i=INT32.pack,
        short_strings=COMPACT_LENGTHS if layout.flexible else PLAIN_LENGTHS,
        UNKNOWN=UNKNOWN,
    )
    writer = _RewriterWriter(source, "v" if layout.has_blobs else "b", layout.flexible)
    with source.block("def rewrite(b, p, e, v, hooks):"):
        for hook in sorted(hooks_of(layout)):
            source.line(f"{hook} = hooks.{hook}")
        source.line("out = []")
        source.line("add = out.append")
        source.line("s = start = p" if layout.has_blobs else "s = p")
        beginning = source.mark()
        writer.message(layout)
        for text in writer.at_start:
            source.insert(beginning, text)
        with source.block("if p > e:"):
            source.line('raise DecodeError("it ends too early")')
        if layout.has_blobs:
            # The usual case: all names stand before all blobs.
            with source.block(f"if 0 < s - start < {LEAST_BLOB} <= e - s:"):
                source.line("return [b''.join(out), v[s:e]]")
        source.line(f"add({writer.span('s', 'e')})")
        # Without blobs there is nothing that is better left uncopied.
        source.line("return join_small(out)" if layout.has_blobs else "return [b''.join(out)]")
    compiled: Rewriter = source.execute("rewrite", f"rewrite {message.__name__} v{version}")
    return compiled


class _RewriterWriter(ValueWriter):
    """Lines about structs and arrays; those of `at_start` belong to the beginning."""

    def __init__(self, source: Source, spans: str, flexible: bool) -> None:
        super().__init__(source, spans, flexible)
        self.at_start: list[str] = []
        self._last: Slot | None = None

    def message(self, layout: Layout) -> None:
        """Walk the message up to the last thing that may have to be replaced."""
        if any(map(slot_hooks, layout.tagged)):
            self.struct(layout, None)
            return
        hooked = [i for i, slot in enumerate(layout.slots) if slot_hooks(slot)]
        self._last = layout.slots[hooked[-1]]
        self.sequence(layout.slots[: hooked[-1] + 1], None)

    def struct(self, layout: Layout, dropped: Dropping | None, more: str = "") -> None:
        """Walk one struct, which as an array element may be dropped.

        If nothing behind the array is asked about, `more` is how many elements follow: the walk
        ends with the last thing to ask about in the last of them, unless that is dropped.
        """
        asked = [i for i, slot in enumerate(layout.slots) if self.surely_asked(slot)]
        behind = asked[-1] + 1 if asked else 0
        stretch = self.stretch(layout, behind) if asked else None
        self.sequence(layout.slots[:behind], dropped)
        stop = ""
        if more and not any(map(slot_hooks, (*layout.slots[behind:], *layout.tagged))):
            stop = f"if not {more} and not {dropped.flag}:" if dropped else f"if not {more}:"
        if stretch:
            self.known_or_walked(stretch, layout, behind, stop)
        else:
            self.stop(stop)
            self.sequence(layout.slots[behind:], None)
            self.tags(layout)

    def surely_asked(self, slot: Slot) -> bool:
        """Whether a field holds something to ask about in every shape."""
        return bool(slot_hooks(slot)) and not Steps.of([slot], tags=False, compact=self.flexible)

    def stop(self, condition: str) -> None:
        """End the loop over an array on this condition, if there is one."""
        if condition:
            with self.block(condition):
                self.line("break")

    def known_or_walked(self, stretch: Stretch, layout: Layout, behind: int, stop: str) -> None:
        """Pass over a stretch in one step if it is like the one before, or any met before.

        On the condition `stop` there is no need to: it is tried only where that step is not.
        """
        names = ("begin", "unpack", "counts", "size", "last", "rest")
        begin, unpack, counts, size, last, rest = map(self.source.name, names)
        known = self.source.constant(stretch.known.get, "known")
        learn = self.source.constant(stretch.learn, "learn")
        self.at_start.append(f"{unpack}, {counts}, {size} = UNKNOWN")
        self.at_start.append(f"{last} = -1")
        self.at_start.append(f"{rest} = 0")
        place = f"p + {stretch.at}" if stretch.at else "p"
        like = f"if p <= {last} and {unpack}(b, p) == {counts}:"
        with self.block(like):
            self.line(f"p += {size}")
        with self.block("else:"):
            self.stop(stop)
            self.line(f"{begin} = p")
            with self.block(f"if not {rest}:"):
                self.line(f"{unpack}, {counts}, {size} = {known}(b[{place}], UNKNOWN)")
                self.line(f"{last} = e - {size}")
                with self.block(like):
                    self.line(f"p += {size}")
            with self.block(f"if p == {begin}:"):
                self.sequence(layout.slots[behind:], None)
                self.tags(layout)
                with self.block(f"if {rest}:"):
                    self.line(f"{rest} -= 1")
                with self.block("else:"):
                    self.line(f"{rest} = {learn}(b, {begin}, p)")
                    with self.block(f"if {rest}:"):
                        self.line(f"{last} = -1")

    def stretch(self, layout: Layout, behind: int) -> Stretch | None:
        """The shapes of what follows the last thing asked about, if comparing them pays."""
        slots = layout.slots[behind:]
        if any(map(slot_hooks, layout.tagged)):
            return None
        steps = Steps.of(slots, tags=layout.flexible, compact=layout.flexible)
        arrays = sum(not slot.fixed for slot in slots)
        return Stretch(steps) if steps and (steps.nested or arrays > 1) else None

    def sequence(self, slots: Sequence[Slot], dropped: Dropping | None) -> None:
        """Walk fields in order."""
        i = 0
        while i < len(slots):
            ahead, i = _fixed_run(slots, i)
            if i == len(slots):
                self.skip(ahead)
                return
            slot = slots[i]
            i += 1
            if usually_empty(slot) and not same_size(slot):
                behind, i = _fixed_run(slots, i)
                with self.block(f"if {self.is_empty(slot, ahead)}:"):
                    self.skip(ahead + slot.smallest + behind)
                with self.block("else:"):
                    self.value(slot, dropped, ahead)
                    self.skip(behind)
            elif slot.field.role is Role.BROKER:
                self.skip(ahead)
                self.broker(slots[i + 1].kind)
                i += 2
            else:
                self.value(slot, dropped, ahead)

    def value(self, slot: Slot, dropped: Dropping | None, ahead: int) -> None:
        """Walk a field, that many bytes ahead, that has a length or a count, or is asked about."""
        if slot.kind in (Kind.STRING, Kind.BYTES) and slot.field.role not in HOOKS:
            blob = slot.kind is Kind.BYTES
            self.pass_over(slot.prefix, slot.nullable, ahead, blob=blob)
            return
        self.skip(ahead)
        if slot.fixed:
            self.topic_id()
        elif slot.kind is Kind.ARRAY:
            self.array(slot)
        elif slot.inner:
            self.inner_struct(slot, slot.inner)
        else:
            self.string(slot.field.role, slot.nullable, dropped)

    def inner_struct(self, slot: Slot, layout: Layout) -> None:
        """Walk a struct that is no array element."""
        if not slot.nullable:
            self.struct(layout, None)
            return
        self.line("n = b[p]")
        self.line("p += 1")
        with self.block("if n == 1:"):
            self.struct(layout, None)
        with self.block("elif n != 255:"):
            self.line(f'raise DecodeError(f"{slot.name} is there or not by {{n}}, not 1 or 255")')

    def array(self, slot: Slot) -> None:
        """Walk an array."""
        if same_size(slot):
            self.same_sized(slot)
        else:
            self.elements(slot)

    def elements(self, slot: Slot) -> None:
        """Walk an array element by element."""
        self.line("h = p")
        self.length(slot.prefix)
        if self.flexible:
            self.line("n -= 1")
        lowest = -1 if slot.nullable else 0
        with self.block(f"if n < {lowest} or n * {slot.smallest_element} > e - p:"):
            self.no_count(slot)
        steps = None
        if slot.inner:
            steps = Steps.of_struct(slot.inner, compact=self.flexible)
        if steps:
            self.skipping_loop(slot, Alike(steps))
        elif droppable(slot):
            self.dropping_loop(slot)
        else:
            more, loop = self.loop(slot)
            with self.block(loop):
                self.element(slot, None, more)

    def loop(self, slot: Slot) -> tuple[str, str]:
        """The head of a loop over an array, and the variable of struct() about it, if any."""
        if slot is not self._last or not slot.inner:
            return "", "for _ in range(n):"
        more = self.source.name("more")
        return more, f"for {more} in reversed(range(n)):"

    def skipping_loop(self, slot: Slot, alike: Alike) -> None:
        """Walk an array of structs, passing over those that are alike."""
        left = self.source.name("left")
        skip = self.source.constant(alike.skip, "skip")
        self.line(f"{left} = 0")
        with self.block(f"if n >= {FEW}:"):
            self.line(f"p, n, {left} = {skip}(b, p, e, n)")
        with self.block("while True:"):
            with self.block("for _ in range(n):"):
                self.element(slot, None)
            with self.block(f"if not {left}:"):
                self.line("break")
            self.line(f"p, n, {left} = {skip}(b, p, e, {left})")

    def element(self, slot: Slot, dropped: Dropping | None, more: str = "") -> None:
        """Walk one element of an array, that has so many behind it."""
        if slot.inner:
            self.struct(slot.inner, dropped, more)
        elif slot.field.role in HOOKS:
            self.string(slot.field.role, False, dropped)
        else:
            self.pass_over("B" if self.flexible else "h", False, 0)

    def dropping_loop(self, slot: Slot) -> None:
        """Walk an array whose elements hooks may drop: then the count is written anew."""
        count, left, total, begin = map(self.source.name, ("count", "left", "total", "begin"))
        since, at, behind = map(self.source.name, ("since", "at", "behind"))
        flag, mark, held = map(self.source.name, ("dropped", "mark", "held"))
        dropping = Dropping(flag, mark, held, begins_with_its_name(slot))
        self.line(f"{count} = len(out)")
        self.line(f"{since} = s")
        self.line(f"{at} = h")
        self.line(f"{behind} = p")
        self.line(f"{left} = {total} = n")
        self.line(f"{dropping.flag} = False")
        more, loop = self.loop(slot)
        with self.block(loop):
            if not dropping.late:
                self.line(f"{dropping.mark} = len(out)")
                self.line(f"{dropping.held} = s")
            self.line(f"{begin} = p")
            self.element(slot, dropping, more)
            with self.block(f"if {dropping.flag}:"):
                self.line(f"del out[{dropping.mark}:]")
                with self.block(f"if {begin} > {dropping.held}:"):
                    self.line(f"add({self.span(dropping.held, begin)})")
                self.line("s = p")
                self.line(f"{left} -= 1")
                self.line(f"{dropping.flag} = False")
        with self.block(f"if {left} != {total}:"):
            # Something was dropped, so that the piece which holds the count has been appended.
            form = f"uvarint({left} + 1)" if self.flexible else f"pack_i({left})"
            self.line(f"x = out[{count}][{behind} - {since}:]")
            self.line(f"out[{count}:{count} + 1] = {self.span(since, at)}, {form}, x")

    def tags(self, layout: Layout) -> None:
        """Walk the tag section of a flexible version.

        Fields that may change get their size written anew.
        """
        if not layout.flexible:
            return
        hooked = [slot for slot in layout.tagged if slot_hooks(slot)]
        self.line("n = b[p]")
        self.line("p += 1")
        with self.block("if n:"):
            if hooked:
                self.tag_loop(hooked)
            else:
                self.line("_, p = read_tags(b, p, n, e)")

    def tag_loop(self, hooked: Sequence[Slot]) -> None:
        """Walk tags of which some may change."""
        tag, last, end, outer = (self.source.name(s) for s in ("tag", "last", "end", "outer"))
        with self.block("if n > 127:"):
            self.line("n, p = continue_uvarint(b, p, n)")
        with self.block("if n * 2 > e - p:"):
            self.line('raise DecodeError("more tagged fields than bytes")')
        self.line(f"{last} = -1")
        with self.block("for _ in range(n):"):
            self.line(f"{tag}, p = read_uvarint(b, p)")
            self.line("h = p")
            self.line("n, p = read_uvarint(b, p)")
            self.line(f"{end} = p + n")
            with self.block(f"if {tag} <= {last} or {end} > e:"):
                self.line('raise DecodeError("tags out of order, or too long")')
            self.line(f"{last} = {tag}")
            word = "if"
            for slot in hooked:
                with self.block(f"{word} {tag} == {slot.field.tag}:"):
                    self.tagged(slot, outer)
                word = "elif"
            with self.block("else:"):
                self.line(f"p = {end}")
            with self.block(f"if p != {end}:"):
                self.line(f'raise DecodeError(f"tag {{{tag}}} is not as long as it says")')

    def tagged(self, slot: Slot, outer: str) -> None:
        """Walk one tagged field into pieces of its own, and append them with their size."""
        self.line(f"add({self.span('s', 'h')})")
        self.line(f"{outer} = out")
        self.line("out = []")
        self.line("add = out.append")
        self.line("s = p")
        self.sequence([slot], None)
        self.line(f"add({self.span('s', 'p')})")
        self.line("x = b''.join(out)")
        self.line(f"out = {outer}")
        self.line("add = out.append")
        self.line("add(uvarint(len(x)))")
        self.line("add(x)")
        self.line("s = p")


def _fixed_run(slots: Sequence[Slot], start: int) -> tuple[int, int]:
    """Size of the fields from there on that have one and hold nothing; where the next one is."""
    size = 0
    while start < len(slots) and plain(slots[start]):
        size += FIXED_SIZES[slots[start].kind]
        start += 1
    return size, start
