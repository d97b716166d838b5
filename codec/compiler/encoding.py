"""Writes the encoder of one message in one version.

Generated code appends pieces to a list, by `add`; the caller joins it, or hands it to sendmsg.
Blobs are appended as they are. A value that does not fit raises struct.error, AttributeError,
TypeError or UnicodeEncodeError, which the entry point turns into EncodeError.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from struct import Struct
from typing import Any

from codec.compiler.layout import FIXED_ARRAYS, Layout, Slot, message_layout, take_run
from codec.compiler.source import Source
from codec.fields import Field, Kind
from codec.primitives import INT8, SHORT_FORMS, string_length, uvarint, write_tags
from codec.schema import Message

Encoder = Callable[[Any], list[Any]]


def compile_encoder(message: type[Message], version: int, *, lenient: bool = False) -> Encoder:
    """The function message -> list of pieces in this version.

    The lenient one writes surrogate escapes back as the bytes they came from, where the other
    raises UnicodeEncodeError.
    """
    source = Source(
        uvarint=uvarint,
        string_length=string_length,
        short_form=SHORT_FORMS,
        write_tags=write_tags,
        by_tag=itemgetter(0),
        pack_b=INT8.pack,
    )
    writer = _EncoderWriter(source, '"utf-8", "surrogateescape"' if lenient else "")
    layout = message_layout(message, version)
    with source.block("def encode(m):"):
        source.line("out = []")
        source.line("add = out.append")
        writer.struct(layout, "m")
        with source.block("if m.trailing:"):
            source.line("add(m.trailing)")
        source.line("return out")
    writer.tag_functions()
    compiled: Encoder = source.execute("encode", f"encode {message.__name__} v{version}")
    return compiled


class _EncoderWriter:
    def __init__(self, source: Source, errors: str) -> None:
        self.source = source
        self.line = source.line
        self.block = source.block
        self.errors = errors
        self._tag_functions: list[tuple[str, Layout]] = []

    def struct(self, layout: Layout, made: str) -> None:
        """Write the object in this variable."""
        self.sequence(layout.slots, made, layout if layout.flexible else None)

    def sequence(self, slots: Sequence[Slot], made: str, tagged: Layout | None) -> None:
        """Write fields in order, and the tag section of `tagged`."""
        while slots or tagged:
            run, slots, end = take_run(slots)
            if end and end.inner and end.kind is Kind.STRUCT:
                self.inner_struct(run, made, end, end.inner)
            elif end:
                value = self.prepare(end, f"{made}.{end.name}")
                self.run(run, made, value.prefix)
                self.content(end, value)
            elif tagged:
                self.run(run, made, self.prepare_tags(tagged, made))
            else:
                self.run(run, made, None)
            if not end:
                return

    def inner_struct(self, run: Sequence[Slot], made: str, slot: Slot, layout: Layout) -> None:
        """Write a run and the struct behind it, with the byte before a nullable one."""
        held = self.source.name("o")
        self.line(f"{held} = {made}.{slot.name}")
        if not slot.nullable:
            self.run(run, made, None)
            self.struct(layout, held)
            return
        there = f"-1 if {held} is None else 1"
        self.run(run, made, _Prefix("b", there, "", f"pack_b({there})"))
        with self.block(f"if {held} is not None:"):
            self.struct(layout, held)

    def run(self, run: Sequence[Slot], made: str, prefix: "_Prefix | None") -> None:
        """Pack a run at once with the prefix that follows it, if all of it is in its usual form."""
        tests = [prefix.short] if prefix and prefix.short else []
        codes, values = "", []
        for slot in run:
            codes += slot.prefix or slot.kind.value
            if slot.fixed:
                values.append(f"{made}.{slot.name}")
                continue
            held = f"{slot.name}_{made}"
            self.line(f"{held} = {made}.{slot.name}")
            tests.append(f"{held} is None" if slot.nullable else f"not len({held})")
            values.append(str(slot.usual))
        if prefix:
            codes += prefix.code
            values.append(prefix.value)
        if not tests:
            self.pack(codes, values)
            return
        with self.block(f"if {' and '.join(tests)}:"):
            self.pack(codes, values)
        if prefix and prefix.blob and len(tests) == 1:
            with self.block(f"elif {prefix.value} < 16384:"):
                low, high = f"{prefix.value} & 127 | 128", f"{prefix.value} >> 7"
                self.pack(codes + "B", [*values[:-1], low, high])
        with self.block("else:"):
            self.plain(run, made)
            if prefix:
                self.line(f"add({prefix.full})")

    def plain(self, run: Sequence[Slot], made: str) -> None:
        """Write a run piece by piece."""
        while run:
            fixed, rest, end = take_run(run, sparse=False)
            codes = "".join(slot.kind.value for slot in fixed)
            self.pack(codes, [f"{made}.{slot.name}" for slot in fixed])
            run = list(rest)
            if end:
                value = self.prepare(end, f"{end.name}_{made}")
                self.line(f"add({value.prefix.full})")
                self.content(end, value)

    def pack(self, codes: str, values: Sequence[str]) -> None:
        """Append these values as one piece."""
        if codes and all(value.lstrip("-").isdecimal() for value in values):
            # The usual forms of sparse fields: what they pack to is known already.
            self.line(f"add({Struct('>' + codes).pack(*map(int, values))!r})")
        elif codes == "B":
            self.line(f"add(short_form[{values[0]}])")
        elif codes:
            pack, _ = self.source.struct(codes, "pack")
            self.line(f"add({pack}({', '.join(values)}))")

    def prepare(self, slot: Slot, expression: str) -> "_Value":
        """Set variables to the value as it will be appended, and to its prefix."""
        held, size = self.source.name("x"), self.source.name("n")
        encoded = f"{held}.encode({self.errors})" if slot.kind is Kind.STRING else held
        plus = " + 1" if slot.flexible else ""
        self.line(f"{held} = {expression}")
        if slot.nullable:
            with self.block(f"if {held} is None:"):
                self.line(f"{size} = {0 if slot.flexible else -1}")
                self.line(f"{held} = b''")
            with self.block("else:"):
                self._measure(held, encoded, f"{size} = len({held}){plus}")
        else:
            self._measure(held, encoded, f"{size} = len({held}){plus}")
        return _Value(held, size, self._prefix(slot, size))

    def _measure(self, held: str, encoded: str, measure: str) -> None:
        if encoded != held:
            self.line(f"{held} = {encoded}")
        self.line(measure)

    def _prefix(self, slot: Slot, size: str) -> "_Prefix":
        if not slot.flexible:
            pack, _ = self.source.struct(slot.prefix, "pack")
            return _Prefix(slot.prefix, size, "", f"{pack}({size})")
        if slot.kind is Kind.STRING:
            return _Prefix("B", size, f"{size} < 128", f"string_length({size} - 1)")
        blob = slot.kind is Kind.BYTES
        return _Prefix("B", size, f"{size} < 128", f"uvarint({size})", blob)

    def content(self, slot: Slot, value: "_Value") -> None:
        """Append what stands behind the prefix."""
        if slot.kind is not Kind.ARRAY:
            self.line(f"add({value.held})")
        elif slot.element in FIXED_ARRAYS:
            arrays = FIXED_ARRAYS[slot.element]
            x, pack = value.held, self.source.constant(arrays.pack, "P")
            write = f"{self.source.constant(arrays, 'A')}.write"
            self.line(f"add({pack}[len({x})](*{x}) if len({x}) < 65 else {write}({x}))")
        else:
            item = self.source.name("o")
            with self.block(f"for {item} in {value.held}:"):
                if slot.inner:
                    self.struct(slot.inner, item)
                else:
                    self._string_element(slot, item)

    def _string_element(self, slot: Slot, item: str) -> None:
        element = Slot(Field(Kind.STRING, slot.field.versions, ""), False, slot.flexible)
        value = self.prepare(element, item)
        self.run([], "", value.prefix)
        self.content(element, value)

    def prepare_tags(self, layout: Layout, made: str) -> "_Prefix":
        """Set a variable to the tagged fields to be written, if any."""
        tags = self.source.name("t")
        self.line(f"{tags} = {made}.unknown_tags")
        if layout.tagged:
            function = self.source.name("tags")
            self._tag_functions.append((function, layout))
            tests = " or ".join(_is_set(slot, made) for slot in layout.tagged)
            with self.block(f"if {tests}:"):
                self.line(f"{tags} = {function}({made})")
        return _Prefix("B", "0", f"not {tags}", f"write_tags({tags})")

    def tag_functions(self) -> None:
        """Write the functions that collect (tag, payload) of known and unknown tags in order."""
        for name, layout in self._tag_functions:
            with self.block(f"def {name}(m):"):
                self.line("tags = list(m.unknown_tags)")
                for slot in layout.tagged:
                    with self.block(f"if {_is_set(slot, 'm')}:"):
                        self.line("out = []")
                        self.line("add = out.append")
                        self.sequence([slot], "m", None)
                        self.line(f"tags.append(({slot.field.tag}, b''.join(out)))")
                self.line("tags.sort(key=by_tag)")
                self.line("return tags")


def _is_set(slot: Slot, made: str) -> str:
    """Test for a value that has to be written: anything but the default."""
    if slot.kind is Kind.ARRAY and not slot.nullable:
        return f"len({made}.{slot.name})"
    if slot.field.default is None:
        return f"{made}.{slot.name} is not None"
    if slot.kind is Kind.ARRAY:
        return f"({made}.{slot.name} is None or len({made}.{slot.name}))"
    return f"{made}.{slot.name} != {slot.field.default!r}"


@dataclass(frozen=True)
class _Prefix:
    """Expressions for a length, a count or a tag count.

    If the condition `short` holds ("" if it always does) it can be packed as `code` with `value`;
    `full` gives its bytes in any case. For the length of a `blob`, two bytes are as likely as one.
    """

    code: str
    value: str
    short: str
    full: str
    blob: bool = False


@dataclass(frozen=True)
class _Value:
    """Variables that hold a value ready to be appended, and its length or count."""

    held: str
    size: str
    prefix: _Prefix
