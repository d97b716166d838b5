"""Faults between `protos/` and their dataclasses: fields of the same names, whatever the kind.

What a field may be is checked by the dataclass; here only that those are there that must be. Enums
are strings without the enum's own name in front, such as ``PRODUCE`` for ``TARGET_PRODUCE``.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from sidecar.api.violations import below
from sidecar.faults.registry import KINDS, kind_of
from sidecar.gen.kafka.chaos.v1 import fault_options_pb2, interceptor_pb2
from sidecar.model.errors import FieldViolation, InvalidArgument
from sidecar.model.faults import Fault
from sidecar.model.interceptor import Interceptor


def given_in(message: interceptor_pb2.Interceptor) -> frozenset[str]:
    """Return the names of the fields of its fault that a message has."""
    part = getattr(message, message.WhichOneof("fault") or "", None)
    if part is None:
        return frozenset()
    return frozenset(f.name for f in part.DESCRIPTOR.fields if _is_set(f, part))


def fault_from_proto(message: interceptor_pb2.Interceptor) -> Fault:
    """Return what an interceptor is to do; InvalidArgument with every bad field at once."""
    name = message.WhichOneof("fault")
    if name is None:
        raise InvalidArgument.of("fault", f"fault is required, allowed are {', '.join(KINDS)}")
    config = KINDS[name].config
    part = getattr(message, name)
    values = {f.name: _from(f, part) for f in part.DESCRIPTOR.fields if _is_set(f, part)}
    missing = [field for field in _required(config) if field not in values]
    with below(name):
        if missing:
            fields = part.DESCRIPTOR.fields_by_name
            raise InvalidArgument(*(_required_field(fields[name]) for name in missing))
        return config(**values)


def set_fault(message: interceptor_pb2.Interceptor, item: Interceptor) -> None:
    """Write the fault of `item` into its field of `message`, as far as its client gave it."""
    fault = item.fault
    part = getattr(message, kind_of(fault))
    part.SetInParent()
    given = _unusual(fault) if item.given is None else item.given
    for field in part.DESCRIPTOR.fields:
        value = getattr(fault, field.name)
        if field.name in given and value is not None:
            _set(field, part, value)


def _unusual(fault: Any) -> set[str]:
    """The fields that are not what they are by themselves."""
    missing = dataclasses.MISSING
    usual = {
        field.name: field.default if field.default_factory is missing else field.default_factory()
        for field in dataclasses.fields(fault)
    }
    return {name for name, value in usual.items() if getattr(fault, name) != value}


def _required(config: Any) -> list[str]:
    missing = dataclasses.MISSING
    return [
        field.name
        for field in dataclasses.fields(config)
        if field.default is missing and field.default_factory is missing
    ]


def _required_field(field: FieldDescriptor) -> FieldViolation:
    """What is said where it is missing."""
    return FieldViolation(field.name, f"{field.name} is required, allowed are {_allowed(field)}")


def _is_set(field: FieldDescriptor, part: Message) -> bool:
    if field.has_presence:
        return part.HasField(field.name)
    return bool(getattr(part, field.name))


def _from(field: FieldDescriptor, part: Message) -> Any:
    value = getattr(part, field.name)
    if field.enum_type is not None:
        return _without_prefix(field.enum_type, value)
    if isinstance(value, Mapping):
        return MappingProxyType(dict(value))
    return tuple(value) if field.is_repeated else value


def _set(field: FieldDescriptor, part: Message, value: Any) -> None:
    if field.enum_type is not None:
        prefix = _prefix(field.enum_type)
        setattr(part, field.name, field.enum_type.values_by_name[prefix + value].number)
    elif isinstance(value, Mapping):
        getattr(part, field.name).update(value)
    elif field.is_repeated:
        getattr(part, field.name).extend(value)
    else:
        setattr(part, field.name, value)


def _without_prefix(kind: EnumDescriptor, number: int) -> str:
    """The name of a value; of one that is not known its number, which no field allows."""
    known = kind.values_by_number.get(number)
    return str(number) if known is None else known.name.removeprefix(_prefix(kind))


def _prefix(kind: EnumDescriptor) -> str:
    """What the names of all values begin with: the enum's own, in capitals."""
    first = kind.values_by_number[0].name
    return first.removesuffix("UNSPECIFIED")


def _allowed(field: FieldDescriptor) -> str:
    """The values a field may have, in words."""
    key = field.GetOptions().Extensions[fault_options_pb2.key]
    if key.allowed:
        return str(key.allowed)
    return f"{key.minimum:g} to {key.maximum:.0f}"
