"""Writes the decoder of one message in one version.

Generated code reads `b` (bytes or bytearray) at position `p`, ends at `e`, and takes views of blobs
from `v`, the caller's buffer that `b` equals. Every count is checked against the bytes left before
anything is made of it. Reading past the end raises struct.error or IndexError, which the entry
point turns into DecodeError; `e` is always the end of `b`, so that this cannot fail to happen.
"""

from collections.abc import Callable, Sequence
from typing import Any

from codec.compiler.layout import FIXED_ARRAYS, Layout, Slot, message_layout, take_run
from codec.compiler.source import Source
from codec.errors import DecodeError
from codec.fields import Kind
from codec.primitives import (
    continue_string_length,
    continue_uvarint,
    read_tags,
    read_uvarint,
)
from codec.schema import Message

Decoder = Callable[[Any, int, int, Any], Any]

TWO_BYTES = "BB"
"""Prefix of which the second byte may as well be the first of what follows."""


def compile_decoder(message: type[Message], version: int, *, lenient: bool = False) -> Decoder:
    """The function (bytes, start, end, original buffer) -> message of this version.

    The lenient one keeps bytes that are not UTF-8 as surrogate escapes, where the other raises
    UnicodeDecodeError: Java does not refuse them either.
    """
    source = Source(
        DecodeError=DecodeError,
        continue_uvarint=continue_uvarint,
        continue_string_length=continue_string_length,
        read_uvarint=read_uvarint,
        read_tags=read_tags,
    )
    writer = _DecoderWriter(source, '"utf-8", "surrogateescape"' if lenient else "")
    with source.block("def decode(b, p, e, v):"):
        layout = message_layout(message, version)
        if layout.has_blobs:
            source.line("v = memoryview(v)")
        made = writer.struct(layout)
        source.line(f"{made}.trailing = bytes(b[p:e]) if p != e else b''")
        source.line(f"return {made}")
    compiled: Decoder = source.execute("decode", f"decode {message.__name__} v{version}")
    return compiled


class _DecoderWriter:
    def __init__(self, source: Source, errors: str) -> None:
        self.source = source
        self.line = source.line
        self.block = source.block
        self.errors = errors

    def struct(self, layout: Layout) -> str:
        """Make and fill an object; returns the variable it is in."""
        made = self.source.name("o")
        self.line(f"{made} = {self.source.constant(layout.struct.BARE, 'T')}()")
        self.absent(layout, made)
        self.sequence(layout.slots, made, layout.flexible)
        if layout.flexible:
            self.tags(layout, made)
        return made

    def absent(self, layout: Layout, made: str) -> None:
        """Give every field that is not of this version, or in a tag, its default."""
        untagged = {slot.name for slot in layout.slots}
        for field in layout.struct.FIELDS:
            if field.name in untagged:
                continue
            if isinstance(field.default, type):
                self.line(f"{made}.{field.name} = {self.source.constant(field.default, 'T')}()")
            else:
                self.line(f"{made}.{field.name} = {field.default!r}")
        if not layout.flexible:
            self.line(f"{made}.unknown_tags = ()")

    def sequence(self, slots: Sequence[Slot], made: str, tags: bool) -> None:
        """Read fields in order; with `tags`, the first byte of the tag count ends up in n."""
        while slots or tags:
            run, slots, end = take_run(slots)
            prefix = self.prefix(end, bool(slots) or tags) if end else "B" if tags else ""
            if any(not slot.fixed for slot in run):
                self.sparse_run(run, made, prefix)
            else:
                self.fixed_run(run, made, prefix)
            if not end:
                return
            self.value(end, f"{made}.{end.name}", prefix)

    def prefix(self, slot: Slot, followed: bool) -> str:
        """Code of what is read of a field together with the run before it.

        For the length of a blob, two bytes are as likely as one. They can both be read wherever the
        field is `followed` by anything.
        """
        return TWO_BYTES if slot.kind is Kind.BYTES and slot.flexible and followed else slot.prefix

    def fixed_run(self, run: Sequence[Slot], made: str, prefix: str) -> None:
        """Read fixed-size fields, and with them the prefix of what follows into n.

        Of a prefix of two bytes the second is in c, and not passed yet.
        """
        codes = "".join(slot.kind.value for slot in run) + prefix
        targets = [*(f"{made}.{slot.name}" for slot in run), *"nc"[: len(prefix)]]
        if codes == "B":
            self.line("n = b[p]")
            self.line("p += 1")
        elif codes:
            unpack, size = self.source.struct(codes, "unpack_from")
            comma = "," if len(targets) == 1 else ""
            self.line(f"{', '.join(targets)}{comma} = {unpack}(b, p)")
            self.line(f"p += {size - (prefix == TWO_BYTES)}")

    def sparse_run(self, run: Sequence[Slot], made: str, prefix: str) -> None:
        """Read a run as if its sparse fields were empty; if one is not, step back to the first.

        The attempt cannot read too far: a sparse field that is not empty takes more bytes, and
        everything else in the run is there in either case.
        """
        first = next(i for i, slot in enumerate(run) if not slot.fixed)
        codes, targets, tests = "", [], []
        for slot in run:
            codes += slot.prefix or slot.kind.value
            if slot.fixed:
                targets.append(f"{made}.{slot.name}")
                continue
            raw = f"n_{slot.name}"
            targets.append(raw)
            tests.append((slot, raw))
        codes += prefix
        targets += "nc"[: len(prefix)]
        unpack, size = self.source.struct(codes, "unpack_from")
        comma = "," if len(targets) == 1 else ""
        self.line(f"{', '.join(targets)}{comma} = {unpack}(b, p)")
        with self.block("if " + " and ".join(f"{raw} == {s.usual}" for s, raw in tests) + ":"):
            self.line(f"p += {size - (prefix == TWO_BYTES)}")
            for slot, _ in tests:
                self.line(f"{made}.{slot.name} = {_usual(slot)}")
        with self.block("else:"):
            head = "".join(slot.kind.value for slot in run[:first]) + run[first].prefix
            self.line(f"p += {self.source.struct(head, 'unpack_from')[1]}")
            self.line(f"n = n_{run[first].name}")
            self.value(run[first], f"{made}.{run[first].name}")
            rest: Sequence[Slot] = run[first + 1 :]
            while rest or prefix:
                plain, rest, end = take_run(rest, sparse=False)
                self.fixed_run(plain, made, end.prefix if end else prefix)
                if not end:
                    break
                self.value(end, f"{made}.{end.name}")

    def value(self, slot: Slot, target: str, prefix: str = "") -> None:
        """Read what follows the prefix in n, and in c if it is one of two bytes."""
        if slot.kind is Kind.ARRAY:
            self.array(slot, target)
        elif slot.kind is Kind.STRING:
            self.string(slot.name, slot.nullable, slot.flexible, f"{target} = ", "")
        elif slot.inner:
            self.inner_struct(slot, slot.inner, target)
        elif prefix == TWO_BYTES:
            # Values below 128 have a shorter form, and are left to the general way.
            with self.block("if n > 127 and 0 < c < 128:"):
                self.line("q = p + 1")
                self.line("p += n + (c << 7) - 128")
                self.line(f"{target} = v[q:p]")
            with self.block("else:"):
                self.blob(slot, target)
        else:
            self.blob(slot, target)

    def inner_struct(self, slot: Slot, layout: Layout, target: str) -> None:
        """Read a struct; if it is nullable, n tells whether it is there."""
        if not slot.nullable:
            self.line(f"{target} = {self.struct(layout)}")
            return
        with self.block("if n == 1:"):
            self.line(f"{target} = {self.struct(layout)}")
        with self.block("elif n == -1:"):
            self.line(f"{target} = None")
        with self.block("else:"):
            # Java takes any negative byte for null, and any other for a struct. None writes such.
            self.line(f'raise DecodeError(f"{slot.name} is there or not by {{n}}, not 1 or -1")')

    def varint(self, function: str = "continue_uvarint") -> None:
        """Complete the compact count or length whose first byte is in n."""
        with self.block("if n > 127:"):
            self.line(f"n, p = {function}(b, p, n)")

    def string(self, name: str, nullable: bool, flexible: bool, before: str, after: str) -> None:
        """Read a string and store it with the statement parts given."""
        if flexible:
            self.varint("continue_string_length")
        value = f"b[p:q].decode({self.errors})"
        self.stretch(name, nullable, flexible, before, value, after)

    def blob(self, slot: Slot, target: str) -> None:
        """Take a view of bytes or records."""
        if slot.flexible:
            self.varint()
        self.stretch(slot.name, slot.nullable, slot.flexible, f"{target} = ", "v[p:q]", "")

    def stretch(
        self, name: str, nullable: bool, flexible: bool, before: str, value: str, after: str
    ) -> None:
        """Store what is between p and the end that the length in n tells."""
        if nullable:
            with self.block(f"if n == {0 if flexible else -1}:"):
                self.line(f"{before}None{after}")
            with self.block("else:"):
                self._stretch(name, flexible, "", f"{before}{value}{after}")
            return
        self._stretch(name, flexible, "n == 0", f"{before}{value}{after}")

    def _stretch(self, name: str, flexible: bool, null: str, store: str) -> None:
        # A compact length too long needs no check: slices stop at the end of the buffer, and the
        # tag count that follows somewhere behind is then read past it.
        self.line("q = p + n - 1" if flexible else "q = p + n")
        test = null if flexible else "not p <= q <= e"
        if test:
            with self.block(f"if {test}:"):
                self.line(f'raise DecodeError("{name} has no valid length")')
        self.line(store)
        self.line("p = q")

    def array(self, slot: Slot, target: str) -> None:
        """Read an array whose count, or its first byte, is in n."""
        if slot.element in FIXED_ARRAYS:
            self.numbers(slot, target)
            return
        self.count(slot)
        if slot.nullable:
            with self.block("if n == -1:"):
                self.line(f"{target} = None")
            with self.block("else:"):
                self._elements(slot, target)
        else:
            self._elements(slot, target)

    def count(self, slot: Slot) -> None:
        """Turn the prefix in n into the count, -1 for null."""
        if slot.flexible:
            self.varint()
            self.line("n -= 1")

    def check_count(self, slot: Slot) -> None:
        """Refuse a count that the bytes left cannot hold."""
        with self.block(f"if n < 0 or n * {slot.smallest_element} > e - p:"):
            self.line(f'raise DecodeError(f"{slot.name} has count {{n}}")')

    def numbers(self, slot: Slot, target: str) -> None:
        """Read an array of numbers or ids. Short ones need no check: unpacking them does it."""
        arrays = FIXED_ARRAYS[slot.element]
        unpack = self.source.constant(
            arrays.unpack_compact if slot.flexible else arrays.unpack, "U"
        )
        first = 1 if slot.flexible else 0
        with self.block(f"if {first} <= n < 65:"):
            self.line(f"{target} = {unpack}[n](b, p)")
            self.line(f"p += n * {arrays.size} - {first * arrays.size}")
        if slot.nullable:
            with self.block(f"elif n == {first - 1}:"):
                self.line(f"{target} = None")
        with self.block("else:"):
            self.count(slot)
            self.check_count(slot)
            self.line(f"{target} = {self.source.constant(arrays, 'A')}.read(b, p, n)")
            self.line(f"p += n * {arrays.size}")

    def _elements(self, slot: Slot, target: str) -> None:
        self.check_count(slot)
        items, add = self.source.name("a"), self.source.name("add")
        self.line(f"{target} = {items} = []")
        self.line(f"{add} = {items}.append")
        with self.block("for _ in range(n):"):
            if slot.inner:
                self.line(f"{add}({self.struct(slot.inner)})")
                return
            self.fixed_run([], "", "B" if slot.flexible else "h")
            self.string(slot.name, False, slot.flexible, f"{add}(", ")")

    def tags(self, layout: Layout, made: str) -> None:
        """Read the tag section whose count byte is in n."""
        with self.block("if n:"):
            if layout.tagged:
                self.tag_loop(layout, made)
            else:
                self.line(f"{made}.unknown_tags, p = read_tags(b, p, n, e)")
        with self.block("else:"):
            self.line(f"{made}.unknown_tags = ()")

    def tag_loop(self, layout: Layout, made: str) -> None:
        """Read tags of which some are known; each must be exactly as long as it says."""
        tag, last, end = (self.source.name(stem) for stem in ("tag", "last", "end"))
        unknown = self.source.name("unknown")
        self.varint()
        with self.block("if n * 2 > e - p:"):
            self.line('raise DecodeError("more tagged fields than bytes")')
        self.line(f"{last} = -1")
        self.line(f"{made}.unknown_tags = {unknown} = []")
        with self.block("for _ in range(n):"):
            self.line(f"{tag}, p = read_uvarint(b, p)")
            self.line("n, p = read_uvarint(b, p)")
            self.line(f"{end} = p + n")
            with self.block(f"if {tag} <= {last} or {end} > e:"):
                self.line('raise DecodeError("tags out of order, or too long")')
            self.line(f"{last} = {tag}")
            self.known_tags(layout, made, tag)
            with self.block("else:"):
                self.line(f"{unknown}.append(({tag}, bytes(b[p:{end}])))")
                self.line(f"p = {end}")
            with self.block(f"if p != {end}:"):
                self.line(f'raise DecodeError(f"tag {{{tag}}} is not as long as it says")')

    def known_tags(self, layout: Layout, made: str, tag: str) -> None:
        """Branches for the tags that are declared."""
        word = "if"
        for slot in layout.tagged:
            with self.block(f"{word} {tag} == {slot.field.tag}:"):
                self.sequence([slot], made, False)
            word = "elif"


def _usual(slot: Slot) -> str:
    """What a sparse field holds in the usual case, as decoding makes it."""
    if slot.nullable:
        return "None"
    if slot.kind is Kind.STRING:
        return '""'
    return "()" if slot.element in FIXED_ARRAYS else "[]"
