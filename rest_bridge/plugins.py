"""Plugin classes of the reference and their `config`, as faults of our API and back.

All of it is read from the options of the messages in `protos/`: a fault that has a class there is a
plugin here, and its fields are the keys of the config, in lowerCamel. What a number may be beyond
its type and bounds the sidecar checks.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from rest_bridge.errors import bad_request
from rest_bridge.json_body import Json, Number, show
from sidecar.gen.kafka.chaos.v1 import fault_options_pb2
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor

_INTEGER = re.compile(r"-?[0-9]{1,20}")
_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin class.

    Args:
        name: of the class.
        title, description: in few words, and in one sentence.
        fault: the field of our Interceptor that it sets.
        message: that field's type.
    """

    name: str
    title: str
    description: str
    fault: str
    message: Descriptor

    @property
    def readme(self) -> str:
        """Markdown that tells the keys of its config."""
        rows = "\n".join(_row(field) for field in self.message.fields)
        return (
            f"# {self.title}\n\n{self.description}\n\n"
            f"| key | type | default | meaning |\n|---|---|---|---|\n{rows}\n"
        )

    def read(self, config: Mapping[str, Json], into: Interceptor, path: str = "config") -> None:
        """Set the fault from a config, or raise Refusal (400).

        Args:
            path: of the config in the body.
        """
        fields = {field.json_name: field for field in self.message.fields}
        refuse_unknown(config, tuple(fields), f"{path}.")
        for name, field in fields.items():
            if not _key(field).fallback and name not in config:
                raise bad_request(f"{path}.{name} is required, allowed are {_allowed(field)}")
        part = getattr(into, self.fault)
        part.SetInParent()
        for name, value in config.items():
            _set(part, fields[name], value, f"{path}.{name}")

    def render(self, interceptor: Interceptor) -> dict[str, Json]:
        """Return the config that describes the fault."""
        part = getattr(interceptor, self.fault)
        return {
            field.json_name: _json(field, getattr(part, field.name))
            for field in self.message.fields
            if (part.HasField(field.name) if field.has_presence else getattr(part, field.name))
        }


def integer(value: Json, name: str, low: int, high: int) -> int:
    """Return `value` as an integer in the range, or raise Refusal (400) that names it."""
    if isinstance(value, Number) and _INTEGER.fullmatch(value.text):
        number = int(value.text)
        if low <= number <= high:
            return number
    raise bad_request(f"{name} is {show(value)}, allowed are integers from {low} to {high}")


def refuse_unknown(body: Mapping[str, Json], allowed: tuple[str, ...], prefix: str = "") -> None:
    """Raise Refusal (400) when `body` has a key that is not `allowed`."""
    for key in body:
        if key not in allowed:
            names = ", ".join(prefix + known for known in allowed)
            raise bad_request(f"{prefix}{show(key)[1:-1]} is not known, allowed are {names}")


def plugin_of(name: Json, path: str = "pluginClass") -> Plugin:
    """Return the plugin of this class name, or raise Refusal (400) that calls it `path`."""
    for plugin in PLUGINS:
        if plugin.name == name:
            return plugin
    allowed = ", ".join(plugin.name for plugin in PLUGINS)
    raise bad_request(f"{path} is {show(name, 200)}, allowed are {allowed}")


def plugin_for(interceptor: Interceptor) -> Plugin:
    """Return the plugin that stands for this interceptor's fault."""
    fault = interceptor.WhichOneof("fault")
    return next(plugin for plugin in PLUGINS if plugin.fault == fault)


def _set(part: Message, field: FieldDescriptor, value: Json, name: str) -> None:
    if _is_map(field):
        getattr(part, field.name).update(_texts(value, name, field))
    elif field.is_repeated:
        if not isinstance(value, list):
            raise bad_request(f"{name} is {show(value)}, a list is needed")
        items = [_scalar(field, item, f"{name}[{i}]") for i, item in enumerate(value)]
        getattr(part, field.name).extend(items)
    else:
        setattr(part, field.name, _scalar(field, value, name))


def _scalar(field: FieldDescriptor, value: Json, name: str) -> float | int | str | bool:
    if field.type in _INTEGERS:
        return integer(value, name, *_bounds(field))
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        low, high = _key(field).minimum, _key(field).maximum
        if isinstance(value, Number) and low <= float(value.text) <= high:
            return float(value.text)
    elif field.enum_type is not None:
        names = _values(field.enum_type)
        if isinstance(value, str) and value in names:
            return names[value]
    elif field.type == FieldDescriptor.TYPE_BOOL:
        if isinstance(value, bool):
            return value
    elif isinstance(value, str):
        return value
    raise bad_request(f"{name} is {show(value)}, allowed are {_allowed(field)}")


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _texts(value: Json, name: str, field: FieldDescriptor) -> dict[str, str]:
    if not isinstance(value, dict) or not value:  # an empty one could not be told from none
        raise bad_request(f"{name} is {show(value)}, allowed are objects: {_allowed(field)}")
    for key, text in value.items():
        if not isinstance(text, str):
            raise bad_request(f"{name}[{show(key)}] is {show(text)}, a string is needed")
    return {key: str(text) for key, text in value.items()}


def _json(field: FieldDescriptor, value: object) -> Json:
    if isinstance(value, Mapping):
        return dict(value)
    if field.is_repeated:
        return [_json_scalar(field, item) for item in value]  # type: ignore[attr-defined]  # a list
    return _json_scalar(field, value)


def _json_scalar(field: FieldDescriptor, value: object) -> Json:
    if field.enum_type is not None:
        names = _values(field.enum_type)
        return next((name for name, number in names.items() if number == value), str(value))
    if isinstance(value, bool | str):
        return value
    return Number(repr(value).removesuffix(".0"))


def _values(kind: EnumDescriptor) -> dict[str, int]:
    """The values of an enum by their names without the enum's own, and without the unspecified."""
    prefix = kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return {value.name.removeprefix(prefix): value.number for value in kind.values if value.number}


def _bounds(field: FieldDescriptor) -> tuple[int, int]:
    key = _key(field)
    if key.HasField("minimum"):
        return int(key.minimum), int(key.maximum)
    return _INTEGERS[field.type]


def _allowed(field: FieldDescriptor) -> str:
    """The values a key may have, in words."""
    key = _key(field)
    return str(key.allowed) if key.allowed else _allowed_items(field)


def _allowed_items(field: FieldDescriptor) -> str:
    """The values that it, or each of a list, may have by its type and bounds."""
    key = _key(field)
    if field.type in _INTEGERS:
        return "integers from {} to {}".format(*_bounds(field))
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return f"numbers from {key.minimum:g} to {key.maximum:g}"
    if field.enum_type is not None:
        return ", ".join(_values(field.enum_type))
    return "true, false" if field.type == FieldDescriptor.TYPE_BOOL else "strings"


def _row(field: FieldDescriptor) -> str:
    key = _key(field)
    if _is_map(field):
        kind = "object"
    elif field.is_repeated:
        kind = f"list of {_allowed_items(field)}"
    else:
        kind = _allowed(field).replace("integers", "integer").replace("numbers", "number")
    return f"| `{field.json_name}` | {kind} | {key.fallback or 'required'} | {key.meaning} |"


def _key(field: FieldDescriptor) -> fault_options_pb2.Key:
    return field.GetOptions().Extensions[fault_options_pb2.key]


def _plugins() -> Iterator[Plugin]:
    for field in Interceptor.DESCRIPTOR.oneofs_by_name["fault"].fields:
        message = field.message_type
        if message is None:
            raise AssertionError("a fault is a message")
        options = message.GetOptions()
        if options.HasExtension(fault_options_pb2.plugin):
            told = options.Extensions[fault_options_pb2.plugin]
            yield Plugin(told.class_name, told.title, told.description, field.name, message)


PLUGINS = tuple(_plugins())
"""Every class there is."""
