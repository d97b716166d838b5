"""What of a declaration is on the wire in one version, and how small it can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from codec.api_keys import is_flexible
from codec.errors import UnsupportedVersion
from codec.fields import FIXED_SIZES, Field, Kind
from codec.primitives import NumberArrays, UuidArrays
from codec.schema import Message, Struct

FIXED_ARRAYS: dict[Kind | None, NumberArrays] = {
    Kind.INT8: NumberArrays("b"),
    Kind.INT16: NumberArrays("h"),
    Kind.INT32: NumberArrays("i"),
    Kind.INT64: NumberArrays("q"),
    Kind.UUID: UuidArrays(),
}


@dataclass(frozen=True)
class Slot:
    """One field of one version. `inner` is the layout of its struct, or of its elements."""

    field: Field
    nullable: bool
    flexible: bool
    inner: "Layout | None" = None

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def kind(self) -> Kind:
        return self.field.kind

    @property
    def element(self) -> Kind | None:
        """Type of the elements when they are not structs."""
        element = self.field.element
        return element if isinstance(element, Kind) else None

    @property
    def fixed(self) -> bool:
        """Whether the value has one size, and a struct code."""
        return self.kind in FIXED_SIZES

    @property
    def prefix(self) -> str:
        """Struct code of what stands before the value, a length, a count, or the byte that tells
        whether a nullable struct is there; "" if there is nothing.
        """
        if self.fixed:
            return ""
        if self.kind is Kind.STRUCT:
            return "b" if self.nullable else ""
        if self.flexible:
            return "B"
        return "h" if self.kind is Kind.STRING else "i"

    @property
    def usual(self) -> int:
        """Prefix of a sparse field in the usual case: null if it may be, else empty."""
        if self.flexible:
            return 0 if self.nullable else 1
        return -1 if self.nullable else 0

    @property
    def smallest(self) -> int:
        """Bytes the field takes at least."""
        if self.kind is Kind.STRUCT and self.inner and not self.nullable:
            return self.inner.smallest
        if self.fixed:
            return FIXED_SIZES[self.kind]
        return element_size(self.prefix)

    @property
    def smallest_element(self) -> int:
        """Bytes one element of the array takes at least."""
        if self.inner:
            return self.inner.smallest
        if self.element is Kind.STRING:
            return 1 if self.flexible else 2
        return FIXED_SIZES[self.element] if self.element else 1


def element_size(code: str) -> int:
    """Size of a prefix code."""
    return {"B": 1, "b": 1, "h": 2, "i": 4}[code]


@dataclass(frozen=True)
class Layout:
    """The fields of one struct in one version: those in wire order, and the tagged ones by tag."""

    struct: type[Struct]
    flexible: bool
    slots: Sequence[Slot]
    tagged: Sequence[Slot]

    @property
    def smallest(self) -> int:
        """Bytes a struct takes at least. It bounds how many a count can honestly claim."""
        return sum(slot.smallest for slot in self.slots) + self.flexible

    @property
    def has_blobs(self) -> bool:
        """Whether bytes or records are anywhere in it."""
        slots = (*self.slots, *self.tagged)
        return any(s.kind is Kind.BYTES or (s.inner and s.inner.has_blobs) for s in slots)


def layout_of(struct: type[Struct], version: int, flexible: bool) -> Layout:
    """The layout of a struct in a version of the message it is part of."""
    present = [_slot(f, version, flexible) for f in struct.FIELDS if version in f.versions]
    tagged = [slot for slot in present if slot.field.tag is not None]
    return Layout(
        struct,
        flexible,
        [slot for slot in present if slot.field.tag is None],
        sorted(tagged, key=_tag),
    )


def _tag(slot: Slot) -> Any:
    return slot.field.tag


def _slot(field: Field, version: int, flexible: bool) -> Slot:
    inner = None
    if isinstance(field.element, type):
        inner = layout_of(field.element, version, flexible)
    return Slot(field, version in field.nullable, flexible, inner)


def message_layout(message: type[Message], version: int) -> Layout:
    """The layout of a message; UnsupportedVersion outside the versions it declares."""
    if version not in message.VERSIONS:
        raise UnsupportedVersion(f"{message.__name__} has no version {version}")
    return layout_of(message, version, is_flexible(message.API_KEY, version))


def take_run(
    slots: Sequence[Slot], *, sparse: bool = True
) -> tuple[list[Slot], Sequence[Slot], Slot | None]:
    """Split off the fields that can be read at once: fixed-size ones, and sparse ones if wanted.

    Returns them, the fields after the next one, and that next one, whose prefix joins the run.
    A run does not end with a sparse field unless it ends the struct: there it has nothing to save.
    """
    for i, slot in enumerate(slots):
        if not slot.fixed and not (sparse and slot.field.sparse):
            return list(slots[:i]), slots[i + 1 :], slot
    return list(slots), [], None
