"""Writes the function that renames things in the bytes of one message in one version.

Generated code walks `b` with position `p`. What has been passed since `s` is to be copied as it is;
it is appended to `out` only when something else has to stand in its place. Spans are cut from `v`,
the caller's buffer, where the message holds blobs, so that those are not copied.
"""

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any

from codec.compiler.layout import FIXED_ARRAYS, Layout, Slot, message_layout
from codec.compiler.source import Source
from codec.errors import DecodeError, EncodeError
from codec.fields import FIXED_SIZES, Kind, Role
from codec.primitives import (
    INT16,
    INT32,
    compact_broker,
    compact_string,
    continue_uvarint,
    plain_broker,
    plain_string,
    read_tags,
    read_uvarint,
    topic_id_bytes,
    uvarint,
)
from codec.schema import Message

Rewriter = Callable[[bytes, int, int, memoryview, Any], list[Any]]

_NAMES: dict[Role | None, str] = {
    Role.TOPIC: "topic",
    Role.GROUP: "group",
    Role.TRANSACTIONAL_ID: "transactional_id",
}
_HOOKED: dict[Role | None, str] = {
    **_NAMES,
    Role.TOPIC_ID: "topic_id",
    Role.TOPIC_PATTERN: "topic_pattern",
    Role.TRANSACTIONAL_ID_PATTERN: "transactional_id_pattern",
    Role.TEXT: "text",
    Role.BROKER: "broker",
}


def compile_rewriter(message: type[Message], version: int) -> Rewriter | None:
    """The function (bytes, start, end, view, hooks) -> list of pieces, or None without names."""
    layout = message_layout(message, version)
    if not _hooks(layout):
        return None
    source = Source(
        DecodeError=DecodeError,
        EncodeError=EncodeError,
        continue_uvarint=continue_uvarint,
        read_uvarint=read_uvarint,
        read_tags=read_tags,
        uvarint=uvarint,
        compact_string=compact_string,
        compact_broker=compact_broker,
        plain_string=plain_string,
        plain_broker=plain_broker,
        topic_id_bytes=topic_id_bytes,
        unpack_h=INT16.unpack_from,
        unpack_i=INT32.unpack_from,
        pack_i=INT32.pack,
    )
    writer = _RewriterWriter(source, "v" if layout.has_blobs else "b", layout.flexible)
    with source.block("def rewrite(b, p, e, v, hooks):"):
        for hook in sorted(_hooks(layout)):
            source.line(f"{hook} = hooks.{hook}")
        source.line("out = []")
        source.line("add = out.append")
        source.line("s = p")
        writer.message(layout)
        with source.block("if p > e:"):
            source.line('raise DecodeError("it ends too early")')
        source.line(f"add({writer.span('s', 'e')})")
        source.line("return out")
    compiled: Rewriter = source.execute("rewrite", f"rewrite {message.__name__} v{version}")
    return compiled


def _hooks(layout: Layout) -> set[str]:
    """Names of the hooks that a struct, or anything in it, calls for."""
    return {hook for slot in (*layout.slots, *layout.tagged) for hook in _slot_hooks(slot)}


def _slot_hooks(slot: Slot) -> set[str]:
    own = {_HOOKED[slot.field.role]} if slot.field.role in _HOOKED else set()
    return own | (_hooks(slot.inner) if slot.inner else set())


class _RewriterWriter:
    def __init__(self, source: Source, spans: str, flexible: bool) -> None:
        self.source = source
        self.line = source.line
        self.block = source.block
        self.spans = spans
        self.flexible = flexible
        self.form = "compact" if flexible else "plain"
        self.null = 0 if flexible else -1

    def span(self, start: str, end: str) -> str:
        """Expression for what is between two positions."""
        return f"{self.spans}[{start}:{end}]"

    def message(self, layout: Layout) -> None:
        """Walk the message up to the last thing that may have to be replaced."""
        if any(map(_slot_hooks, layout.tagged)):
            self.struct(layout, "")
            return
        hooked = [i for i, slot in enumerate(layout.slots) if _slot_hooks(slot)]
        self.sequence(layout.slots[: hooked[-1] + 1], "")

    def struct(self, layout: Layout, dropped: str) -> None:
        """Walk one struct. A name that is to be dropped sets the variable `dropped`."""
        self.sequence(layout.slots, dropped)
        if layout.flexible:
            self.tags(layout)

    def sequence(self, slots: Sequence[Slot], dropped: str) -> None:
        """Walk fields in order."""
        skipped = 0
        i = 0
        while i < len(slots):
            slot = slots[i]
            if _plain(slot):
                skipped += FIXED_SIZES[slot.kind]
                i += 1
                continue
            self.skip(skipped)
            skipped = 0
            if slot.field.role is Role.BROKER:
                self.broker(slots[i + 2].kind)
                i += 3
            elif slot.fixed:
                self.topic_id()
                i += 1
            else:
                self.value(slot, dropped)
                i += 1
        self.skip(skipped)

    def skip(self, size: int) -> None:
        """Pass over this many bytes."""
        if size:
            self.line(f"p += {size}")

    def value(self, slot: Slot, dropped: str) -> None:
        """Walk a field that has a length or a count."""
        if slot.kind is Kind.ARRAY:
            self.array(slot)
        elif slot.inner:
            self.inner_struct(slot, slot.inner)
        elif slot.field.role in _HOOKED:
            self.string(slot.field.role, slot.nullable, dropped)
        else:
            self.pass_over(slot.prefix, slot.nullable)

    def inner_struct(self, slot: Slot, layout: Layout) -> None:
        """Walk a struct that is no array element."""
        if not slot.nullable:
            self.struct(layout, "")
            return
        self.line("n = b[p]")
        self.line("p += 1")
        with self.block("if n == 1:"):
            self.struct(layout, "")
        with self.block("elif n != 255:"):
            self.line(f'raise DecodeError(f"{slot.name} is there or not by {{n}}, not 1 or 255")')

    def pass_over(self, prefix: str, nullable: bool) -> None:
        """Walk a string or a blob that nothing will be done to."""
        if not self.flexible:
            self.length(prefix)
            self.skip_stretch(nullable)
            return
        self.line("n = b[p]")
        with self.block("if 0 < n < 128:"):
            self.line("p += n")
        with self.block("else:"):
            self.length(prefix)
            self.skip_stretch(nullable)

    def length(self, prefix: str) -> None:
        """Read the prefix into n: for compact forms it is one more than the length."""
        if prefix == "B":
            self.line("n = b[p]")
            self.line("p += 1")
            with self.block("if n > 127:"):
                self.line("n, p = continue_uvarint(b, p, n)")
        else:
            self.line(f"n, = unpack_{prefix}(b, p)")
            self.line(f"p += {2 if prefix == 'h' else 4}")

    def skip_stretch(self, nullable: bool) -> None:
        """Pass over the value whose prefix is in n."""
        with self.block(f"if n > {self.null}:"):
            self.line("p += n - 1" if self.flexible else "p += n")
        if nullable and self.flexible:
            return
        with self.block(f"elif n < {self.null}:" if nullable else "else:"):
            self.line('raise DecodeError("a length is not valid")')

    def string(self, role: Role | None, nullable: bool, dropped: str) -> None:
        """Walk a string, and ask the hook of its role for another."""
        self.line("h = p")
        self.length("B" if self.flexible else "h")
        with self.block(f"if n > {self.null}:"):
            self.line("q = p + n - 1" if self.flexible else "q = p + n")
            with self.block("if q > e:"):
                self.line('raise DecodeError("it ends too early")')
            self.line("x = b[p:q]")
            self.line("p = q")
            self.line(f"y = {_HOOKED[role]}(x)")
            with self.block("if y is None:"):
                self.line(
                    f"{dropped} = True"
                    if dropped and role in _NAMES
                    else f'raise EncodeError("the {_HOOKED[role]} is no array element to drop")'
                )
            with self.block("elif y is not x:"):
                self.line(f"add({self.span('s', 'h')})")
                self.line(f"add({self.form}_string(y))")
                self.line("s = q")
        if nullable and self.flexible:
            return
        with self.block(f"elif n < {self.null}:" if nullable else "else:"):
            self.line('raise DecodeError("a length is not valid")')

    def topic_id(self) -> None:
        """Walk the id of a topic, and ask the hook for another."""
        self.line("q = p + 16")
        with self.block("if q > e:"):
            self.line('raise DecodeError("it ends too early")')
        self.line("x = b[p:q]")
        self.line("y = topic_id(x)")
        with self.block("if y is not x:"):
            self.line(f"add({self.span('s', 'p')})")
            self.line("add(topic_id_bytes(y))")
            self.line("s = q")
        self.line("p = q")

    def broker(self, port: Kind) -> None:
        """Walk node id, host and port, which always follow each other."""
        self.line("node, = unpack_i(b, p)")
        self.line("h = p = p + 4")
        self.length("B" if self.flexible else "h")
        self.line("q = p + n - 1" if self.flexible else "q = p + n")
        with self.block("if not p <= q <= e:"):
            self.line('raise DecodeError("a host has no valid length")')
        form = Struct(">" + port.value)
        port_form = self.source.constant(form, "F")
        self.line(f"port, = {port_form}.unpack_from(b, q)")
        self.line("x = b[p:q]")
        self.line(f"p = q + {form.size}")
        self.line("y, z = broker(node, x, port)")
        with self.block("if y is not x or z != port:"):
            self.line(f"add({self.span('s', 'h')})")
            self.line(f"add({self.form}_broker(y, z, {port_form}))")
            self.line("s = p")

    def array(self, slot: Slot) -> None:
        """Walk an array."""
        if self.flexible and _same_size(slot):
            # The count byte stands for one element more than there are.
            size = slot.smallest_element
            self.line("n = b[p]")
            with self.block("if 0 < n < 128:"):
                self.line(f"p += n * {size} - {size - 1}")
            with self.block("else:"):
                self.any_array(slot)
        else:
            self.any_array(slot)

    def any_array(self, slot: Slot) -> None:
        """Walk an array of any length and kind."""
        self.line("h = p")
        self.length(slot.prefix)
        if self.flexible:
            self.line("n -= 1")
        lowest = -1 if slot.nullable else 0
        with self.block(f"if n < {lowest} or n * {slot.smallest_element} > e - p:"):
            self.line(f'raise DecodeError(f"{slot.name} has count {{n}}")')
        if _same_size(slot):
            with self.block("if n > 0:"):
                self.line(f"p += n * {slot.smallest_element}")
        elif _droppable(slot):
            self.dropping_loop(slot)
        else:
            with self.block("for _ in range(n):"):
                self.element(slot, "")

    def element(self, slot: Slot, dropped: str) -> None:
        """Walk one element of an array."""
        if slot.inner:
            self.struct(slot.inner, dropped)
        elif slot.field.role in _HOOKED:
            self.string(slot.field.role, False, dropped)
        else:
            self.pass_over("B" if self.flexible else "h", False)

    def dropping_loop(self, slot: Slot) -> None:
        """Walk an array whose elements hooks may drop: then the count is written anew."""
        count, left, total, mark, held, begin, dropped = (
            self.source.name(stem)
            for stem in ("count", "left", "total", "mark", "held", "begin", "dropped")
        )
        self.line(f"add({self.span('s', 'h')})")
        self.line(f"{count} = len(out)")
        self.line(f"add({self.span('h', 'p')})")
        self.line("s = p")
        self.line(f"{left} = {total} = n")
        with self.block("for _ in range(n):"):
            self.line(f"{mark} = len(out)")
            self.line(f"{held} = s")
            self.line(f"{begin} = p")
            self.line(f"{dropped} = False")
            self.element(slot, dropped)
            with self.block(f"if {dropped}:"):
                self.line(f"del out[{mark}:]")
                with self.block(f"if {begin} > {held}:"):
                    self.line(f"add({self.span(held, begin)})")
                self.line("s = p")
                self.line(f"{left} -= 1")
        with self.block(f"if {left} != {total}:"):
            form = f"uvarint({left} + 1)" if self.flexible else f"pack_i({left})"
            self.line(f"out[{count}] = {form}")

    def tags(self, layout: Layout) -> None:
        """Walk a tag section; fields that may change get their size written anew."""
        hooked = [slot for slot in layout.tagged if _slot_hooks(slot)]
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
        self.sequence([slot], "")
        self.line(f"add({self.span('s', 'p')})")
        self.line("x = b''.join(out)")
        self.line(f"out = {outer}")
        self.line("add = out.append")
        self.line("add(uvarint(len(x)))")
        self.line("add(x)")
        self.line("s = p")


def _plain(slot: Slot) -> bool:
    """Whether a field has one size, and nothing to ask about."""
    return slot.fixed and slot.field.role not in _HOOKED


def _same_size(slot: Slot) -> bool:
    """Whether all elements of an array have one size."""
    if slot.inner:
        return not slot.flexible and all(map(_plain, slot.inner.slots))
    return slot.element in FIXED_ARRAYS


def _droppable(slot: Slot) -> bool:
    """Whether the elements of an array are names, or hold one directly."""
    if slot.inner:
        return any(inner.field.role in _NAMES for inner in slot.inner.slots)
    return slot.field.role in _NAMES
