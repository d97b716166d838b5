"""What a declared field is: its wire type, its versions, its meaning."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

_NEWEST = 0x7FFF


class Role(Enum):
    """What a field means to someone who has to rename, hide or move things."""

    TOPIC = "topic"
    TOPIC_ID = "topic_id"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional_id"
    TOPIC_PATTERN = "topic_pattern"
    """A regular expression over topic names."""
    TRANSACTIONAL_ID_PATTERN = "transactional_id_pattern"
    """A regular expression over transactional ids."""
    BROKER = "broker"
    """On each field of a node id, host, port triple; they always stand in that order."""
    TEXT = "text"
    """An error message for people; brokers quote names in it."""
    CONDITIONAL = "conditional"
    """A name whose kind is told by another field: the key type, or the resource type."""
    EMBEDDED = "embedded"
    """Bytes that hold a message of their own, with names in it: of the consumer protocol (see
    codec.consumer_protocol), of telemetry, or a whole request."""


class Kind(Enum):
    """Wire types. The value of a fixed-size one is its struct format."""

    BOOLEAN = "?"
    INT8 = "b"
    INT16 = "h"
    INT32 = "i"
    INT64 = "q"
    UINT16 = "H"
    FLOAT64 = "d"
    UUID = "16s"
    STRING = "string"
    BYTES = "bytes"
    ARRAY = "array"
    STRUCT = "struct"


FIXED_SIZES = {
    Kind.BOOLEAN: 1,
    Kind.INT8: 1,
    Kind.INT16: 2,
    Kind.INT32: 4,
    Kind.INT64: 8,
    Kind.UINT16: 2,
    Kind.FLOAT64: 8,
    Kind.UUID: 16,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field. `versions` and `nullable` are ranges of versions.

    `element` is the struct class, or the Kind of primitive elements. The default of an untagged
    struct that is never null is its class, to be called. `sparse` says that the
    field is nearly always null or empty, which lets generated code try it together with its
    neighbours.
    """

    kind: Kind
    versions: range
    default: Any
    nullable: range = range(0)
    tag: int | None = None
    role: Role | None = None
    element: type[Any] | Kind | None = None
    sparse: bool = False
    name: str = ""


def version_range(text: str) -> range:
    """The range of a version expression: "3+", "3-12" or "3"; "none" is empty."""
    if text == "none":
        return range(0)
    if text.endswith("+"):
        return range(int(text[:-1]), _NEWEST + 1)
    low, _, high = text.partition("-")
    return range(int(low), int(high or low) + 1)
