"""Writes what a rewriter does with single values: passing over them, or asking a hook."""

from dataclasses import dataclass
from struct import Struct

from codec.compiler.asked import HOOKS, NAMES
from codec.compiler.layout import Slot
from codec.compiler.source import Source
from codec.fields import Kind, Role


@dataclass(frozen=True)
class Dropping:
    """Variables of a loop whose elements may be dropped.

    Args:
        flag: whether the element is to be dropped.
        mark, held: length of `out`, and `s`, before anything of the element was appended.
        late: they are set when a name is dropped, because nothing is asked about before it.
    """

    flag: str
    mark: str
    held: str
    late: bool


class ValueWriter:
    """Lines about one value each, at position p; `spans` is what pieces are cut from."""

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

    def skip(self, size: int) -> None:
        """Pass over this many bytes."""
        if size:
            self.line(f"p += {size}")

    def is_empty(self, slot: Slot, ahead: int) -> str:
        """Condition that a field that many bytes ahead is null if it may be, else empty."""
        if self.flexible and slot.nullable and slot.kind is Kind.ARRAY:
            # Both take one byte, and hold nothing to ask about.
            return f"b[{_plus('p', ahead)}] < 2"
        if self.flexible:
            return f"b[{_plus('p', ahead)}] == {slot.usual}"
        form = Struct(">" + slot.prefix).pack(slot.usual)
        return f"b[{_plus('p', ahead)}:p + {ahead + len(form)}] == {form!r}"

    def pass_over(self, prefix: str, nullable: bool, ahead: int, *, blob: bool = False) -> None:
        """Walk a string or a blob, that many bytes ahead, that nothing will be done to.

        For the length of a blob, two bytes are as likely as one.
        """
        if not self.flexible:
            self.skip(ahead)
            self.length(prefix)
            self.skip_stretch(nullable)
            return
        self.line(f"n = b[{_plus('p', ahead)}]")
        with self.block("if 0 < n < 128:"):
            self.line(f"p += {_plus('n', ahead)}")
        if blob:
            with self.block(f"elif n and 0 < (c := b[p + {ahead + 1}]) < 128:"):
                self.line(f"p += n + (c << 7) - {127 - ahead}")
        with self.block("else:"):
            self.skip(ahead)
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

    def string(self, role: Role | None, nullable: bool, dropped: Dropping | None) -> None:
        """Walk a string, and ask the hook of its role for another."""
        self.line("h = p")
        self.length("B" if self.flexible else "h")
        with self.block("if n:" if self.flexible else "if n >= 0:"):
            self.line("q = p")
            self.line("p += n - 1" if self.flexible else "p += n")
            with self.block("if p > e:"):
                self.line('raise DecodeError("it ends too early")')
            self.line("x = b[q:p]")
            self.line(f"y = {HOOKS[role]}(x)")
            with self.block("if y is None:"):
                self.drop(role, dropped)
            with self.block("elif y is not x:"):
                self.line(f"add({self.span('s', 'h')})")
                with self.block("try:"):
                    self.line("add(short_strings[len(y)])")
                    self.line("add(y)")
                with self.block("except IndexError:"):
                    self.line(f"add({self.form}_string(y))")
                self.line("s = p")
        if nullable and self.flexible:
            return
        with self.block("elif n < -1:" if nullable else "else:"):
            self.line('raise DecodeError("a length is not valid")')

    def drop(self, role: Role | None, dropped: Dropping | None) -> None:
        """Take notice that the element which holds this name is to go."""
        if not dropped or role not in NAMES:
            self.line(f'raise EncodeError("the {HOOKS[role]} is no array element to drop")')
            return
        if dropped.late:
            self.line(f"{dropped.mark} = len(out)")
            self.line(f"{dropped.held} = s")
        self.line(f"{dropped.flag} = True")

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

    def same_sized(self, slot: Slot) -> None:
        """Walk an array whose elements all have one size."""
        size = slot.smallest_element
        if not self.flexible:
            self.line("n, = unpack_i(b, p)")
            self.line(f"p += 4 + n * {size}")
            with self.block("if n < 0:"):
                self.null_count(slot, f"p += {size}")
            return
        # The count byte stands for one element more than there are.
        self.line("n = b[p]")
        with self.block("if 0 < n < 128:"):
            self.line(f"p += n * {size} - {size - 1}")
        with self.block("else:"):
            self.length("B")
            with self.block("if n:"):
                self.line(f"p += (n - 1) * {size}")
            if not slot.nullable:
                with self.block("else:"):
                    self.no_count(slot)

    def null_count(self, slot: Slot, step: str) -> None:
        """Take a negative count for null where that is allowed."""
        if slot.nullable:
            with self.block("if n == -1:"):
                self.line(step)
            with self.block("else:"):
                self.no_count(slot)
        else:
            self.no_count(slot)

    def no_count(self, slot: Slot) -> None:
        """Refuse the count in n."""
        self.line(f'raise DecodeError(f"{slot.name} has count {{n}}")')


def _plus(name: str, number: int) -> str:
    """Their sum, without the number if it is 0."""
    return f"{name} + {number}" if number else name
