"""The flags of each fault, made from the options of its message in `protos/`.

A new fault gets its sub-command, its help and its example without a change here. A field's flag is
its name in words with dashes; where another flag has that name, `fault-` comes before it.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from sidecar.cli.arguments import number, whole_number
from sidecar.cli.ctl.values import enum_values
from sidecar.gen.kafka.chaos.v1 import fault_options_pb2
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor

_INTEGERS: Final = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}
_SAMPLE_NUMBER: Final = 100
RESERVED: Final = frozenset(
    {"help", "target", "output", "timeout", "vcluster", "group", "username", "priority"}
    | {"annotation", "replace", "max-injections", "max-per-second", "ttl", "lease"}
)
"""Flags that every `create` has, without their dashes."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a fault, as a flag."""

    descriptor: FieldDescriptor

    @property
    def flag(self) -> str:
        """Such as ``--rate-in-percent``."""
        words = self.descriptor.name.replace("_", "-")
        return f"--fault-{words}" if words in RESERVED else f"--{words}"

    @property
    def dest(self) -> str:
        """What argparse keeps its value under; None there if it was not given."""
        return f"fault_{self.descriptor.name}"

    @property
    def required(self) -> bool:
        """Whether nothing stands for it when it is left out."""
        return not self.key.fallback

    @property
    def key(self) -> fault_options_pb2.Key:
        """What `protos/` says of it."""
        return self.descriptor.GetOptions().Extensions[fault_options_pb2.key]

    @property
    def is_map(self) -> bool:
        """Whether it takes pairs of key and value."""
        message = self.descriptor.message_type
        return message is not None and message.GetOptions().map_entry

    def add_to(self, parser: argparse._ActionsContainer) -> None:
        """Add the flag to an argparse parser or group of arguments."""
        options: dict[str, Any] = {
            "dest": self.dest,
            "required": self.required,
            "help": self._help().replace("%", "%%"),
        }
        if self.descriptor.type == FieldDescriptor.TYPE_BOOL and not self.descriptor.is_repeated:
            parser.add_argument(self.flag, action=argparse.BooleanOptionalAction, **options)
            return
        if self.descriptor.enum_type is not None:
            options["choices"] = tuple(enum_values(self.descriptor.enum_type))
            options["type"] = lambda text: text.upper().replace("-", "_")
        else:
            options["type"] = self._parser()
        if self.descriptor.is_repeated:
            options["action"] = Pairs if self.is_map else "append"
        parser.add_argument(self.flag, metavar=self._metavar(), **options)

    def write(self, value: Any, into: Message) -> None:
        """Set the field of the fault's message to what argparse made of the flag."""
        name, kind = self.descriptor.name, self.descriptor.enum_type
        if self.is_map:
            getattr(into, name).update(value)
        elif kind is not None:
            known = enum_values(kind)
            if self.descriptor.is_repeated:
                getattr(into, name).extend(known[item] for item in value)
            else:
                setattr(into, name, known[value])
        elif self.descriptor.is_repeated:
            getattr(into, name).extend(value)
        else:
            setattr(into, name, value)

    def sample(self) -> str:
        """A value that is allowed, as far as the options tell."""
        if self.descriptor.enum_type is not None:
            return next(iter(enum_values(self.descriptor.enum_type)))
        if self.descriptor.type in _INTEGERS or self.descriptor.type == FieldDescriptor.TYPE_DOUBLE:
            low, high = self._bounds()
            middle = (low + high) // 2 if high <= _SAMPLE_NUMBER else max(low, _SAMPLE_NUMBER)
            return f"{middle:.0f}"
        return "TEXT"

    def _parser(self) -> Callable[[str], Any]:
        if self.is_map:
            return pair
        if self.descriptor.type in _INTEGERS:
            low, high = self._bounds()
            return whole_number(int(low), int(high)) if low >= 0 else _integer(int(low), int(high))
        if self.descriptor.type == FieldDescriptor.TYPE_DOUBLE:
            return number(*self._bounds())
        return str

    def _bounds(self) -> tuple[float, float]:
        if self.key.HasField("minimum"):
            return self.key.minimum, self.key.maximum
        return _INTEGERS.get(self.descriptor.type, (float("-inf"), float("inf")))

    def _metavar(self) -> str | None:
        if self.is_map:
            return "KEY=VALUE"
        if self.descriptor.enum_type is not None:
            return None  # argparse tells the choices
        return "N" if self._parser() is not str else "TEXT"

    def _help(self) -> str:
        key, words = self.key, []
        if key.allowed:
            words.append(key.allowed)
        elif key.HasField("minimum"):
            words.append(f"{key.minimum:.15g} to {key.maximum:.15g}")
        words.append(f"default: {key.fallback}" if key.fallback else "required")
        if self.is_map or self.descriptor.is_repeated:
            words.append("may be given more than once")
        meaning = key.meaning or self.descriptor.name.replace("_", " ")
        text = f"{meaning} ({'; '.join(words)})"
        fault = self.descriptor.containing_type
        for other in fault.fields if fault is not None else ():  # named in JSON's words
            text = text.replace(f"`{other.json_name}`", Field(other).flag)
        return text.replace("`", "")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: a field of `Interceptor.fault`."""

    field: FieldDescriptor

    @property
    def name(self) -> str:
        """As in `protos/`, such as ``leader_election``."""
        return self.field.name

    @property
    def command(self) -> str:
        """Its sub-command, such as ``leader-election``."""
        return self.field.name.replace("_", "-")

    @property
    def message(self) -> Descriptor:
        """What the field holds."""
        message = self.field.message_type
        assert message is not None, "a fault is a message"
        return message

    @property
    def title(self) -> str:
        """In few words."""
        return self._plugin().title or self.name.replace("_", " ").capitalize()

    @property
    def description(self) -> str:
        """In a sentence or more; may be empty."""
        return self._plugin().description

    def fields(self) -> Iterator[Field]:
        """Its fields in their order in `protos/`."""
        return (Field(descriptor) for descriptor in self.message.fields)

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Add the flags of its fields."""
        flags = parser.add_argument_group("the fault")
        for field in self.fields():
            field.add_to(flags)

    def example(self) -> str:
        """The words after `create NAME` that make one."""
        flags = (f"{field.flag} {field.sample()}" for field in self.fields() if field.required)
        return " ".join((self.command, *flags))

    def write(self, arguments: argparse.Namespace, into: Interceptor) -> None:
        """Set the fault of `into` from the flags."""
        part = getattr(into, self.name)
        part.SetInParent()
        for field in self.fields():
            value = getattr(arguments, field.dest)
            if value is not None:
                field.write(value, part)

    def _plugin(self) -> fault_options_pb2.Plugin:
        return self.message.GetOptions().Extensions[fault_options_pb2.plugin]


class Pairs(argparse.Action):
    """Collects pairs as a dict; refuses a key that is there, whose value would be lost."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add one."""
        found: dict[str, str] = getattr(namespace, self.dest) or {}
        key, value = values
        if key in found:
            raise argparse.ArgumentError(self, f"{key!r} is given twice")
        setattr(namespace, self.dest, {**found, key: value})


def pair(text: str) -> tuple[str, str]:
    """``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
        if not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


KINDS: Final = tuple(Kind(field) for field in Interceptor.DESCRIPTOR.oneofs_by_name["fault"].fields)
"""Every fault there is."""
