"""Messages of the API as values for JSON, with the names they have in `protos/` and in the log.

Every field is there, so that scripts find the same keys always: unset ones are null. Of a oneof
only the member that is set is there, and the oneof's own name tells which. Numbers are numbers,
also those of 64 bits; times are in UTC.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

Json = Any


def to_json(message: Message) -> dict[str, Json]:
    """The fields of a message in the order of their numbers."""
    result: dict[str, Json] = {}
    fields: Any = message.DESCRIPTOR.fields  # the stubs know two kinds of them
    for field in sorted(fields, key=lambda one: int(one.number)):
        choice = _choice(field)
        if choice is not None:
            chosen = message.WhichOneof(choice.name)
            result.setdefault(choice.name, chosen)
            if chosen != field.name:
                continue
        result[field.name] = _field(message, field)
    return result


def instant(time: Timestamp) -> str:
    """A time in UTC to the millisecond, such as ``2026-11-25T00:10:00.123Z``."""
    moment = datetime.fromtimestamp(time.ToNanoseconds() // 1_000_000 / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def enum_values(kind: EnumDescriptor) -> dict[str, int]:
    """The values of an enum by their names without the enum's own, and without the unspecified."""
    prefix = _prefix(kind)
    return {value.name.removeprefix(prefix): value.number for value in kind.values if value.number}


def enum_name(kind: EnumDescriptor, value: int) -> str | None:
    """The name of a value without the enum's own; None for the unspecified, a new one's number."""
    known = kind.values_by_number.get(value)
    if known is None:
        return str(value)
    return known.name.removeprefix(_prefix(kind)) if value else None


def _choice(field: FieldDescriptor) -> OneofDescriptor | None:
    """The oneof that a field is a member of; an optional field is none."""
    oneof = field.containing_oneof
    return None if oneof is None or (len(oneof.fields) == 1 and _is_optional(oneof)) else oneof


def _is_optional(oneof: OneofDescriptor) -> bool:
    # What protoc makes of `optional`: a oneof of one field, named after it.
    return oneof.name == f"_{oneof.fields[0].name}"


def _field(message: Message, field: FieldDescriptor) -> Json:
    if field.has_presence and not message.HasField(field.name):
        return None
    value = getattr(message, field.name)
    if isinstance(value, Mapping):
        return dict(value)
    if field.is_repeated:
        return [_scalar(field, item) for item in value]
    return _scalar(field, value)


def _scalar(field: FieldDescriptor, value: Any) -> Json:
    if isinstance(value, Timestamp):
        return instant(value)
    if isinstance(value, Duration):
        return value.ToNanoseconds() / 1e9
    if isinstance(value, Message):
        return to_json(value)
    if field.enum_type is not None:
        return enum_name(field.enum_type, value)
    return value


def _prefix(kind: EnumDescriptor) -> str:
    return kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
