"""Flags of faults there may be: every type a field can have, from a message made here."""

import argparse
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from sidecar.cli.arguments import Parser
from sidecar.cli.ctl.controls import SELECTIONS
from sidecar.cli.ctl.faults import Kind
from sidecar.cli.ctl.values import to_json
from sidecar.gen.kafka.chaos.v1 import fault_options_pb2, interceptor_pb2

_FILE = fault_options_pb2.DESCRIPTOR
_MESSAGE = descriptor_pb2.DescriptorProto(
    name="Anything",
    enum_type=[
        descriptor_pb2.EnumDescriptorProto(
            name="Way",
            value=[
                descriptor_pb2.EnumValueDescriptorProto(name=f"WAY_{name}", number=i)
                for i, name in enumerate(("UNSPECIFIED", "IN", "OUT_AND_BACK"))
            ],
        )
    ],
)


_TYPES = descriptor_pb2.FieldDescriptorProto.Type
_LABELS = descriptor_pb2.FieldDescriptorProto.Label


def _add(name: str, kind: str, label: str = "OPTIONAL", *, minimum: float | None = None) -> None:
    field = _MESSAGE.field.add(
        name=name,
        number=len(_MESSAGE.field) + 1,
        type=_TYPES.Value(f"TYPE_{kind}"),
        label=_LABELS.Value(f"LABEL_{label}"),
    )
    if kind == "ENUM":
        field.type_name = ".anything.Anything.Way"
    if label == "OPTIONAL":
        field.proto3_optional = True
        field.oneof_index = len(_MESSAGE.oneof_decl)
        _MESSAGE.oneof_decl.add(name=f"_{name}")
    key = field.options.Extensions[fault_options_pb2.key]
    key.meaning, key.fallback = f"100 % of {name}", "none"
    if minimum is not None:
        key.minimum, key.maximum, key.fallback = minimum, 10, ""


_add("share_of_it", "DOUBLE", minimum=0)
_add("some_offset", "INT64", minimum=-5)
_add("way", "ENUM")
_add("ways", "ENUM", "REPEATED")
_add("loud", "BOOL")
_add("names", "STRING", "REPEATED")
_add("target", "STRING")
_add("count", "UINT32")


@pytest.fixture(scope="module")
def kind() -> Kind:
    """A fault with fields of all types."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(  # type: ignore[no-untyped-call]  # protobuf's stubs say nothing of it
        descriptor_pb2.FileDescriptorProto(
            name="anything.proto", package="anything", syntax="proto3", message_type=[_MESSAGE]
        )
    )
    message = pool.FindMessageTypeByName("anything.Anything")
    field: Any = SimpleNamespace(name="any_thing", message_type=message)
    return Kind(field)


def parsed(kind: Kind, *words: str) -> dict[str, Any]:
    """The message that flags make, as JSON."""
    parser = Parser(prog="x", allow_abbrev=False)
    kind.add_to(parser)
    part = message_factory.GetMessageClass(kind.message)()
    into: Any = SimpleNamespace(any_thing=part)
    kind.write(parser.parse_args(words), into)
    return to_json(part)


NEEDED = ("--share-of-it", "2.5", "--some-offset", "-5")


def test_every_type_of_field_has_a_flag(kind: Kind) -> None:
    more = "--way out-and-back --ways IN --ways OUT_AND_BACK --no-loud --names a --names b"
    assert parsed(kind, *NEEDED, *more.split(), "--fault-target", "t", "--count", "4294967295") == {
        "share_of_it": 2.5,
        "some_offset": -5,
        "way": "OUT_AND_BACK",
        "ways": ["IN", "OUT_AND_BACK"],
        "loud": False,
        "names": ["a", "b"],
        "target": "t",
        "count": 4294967295,
    }


def test_what_is_not_given_stays_unset(kind: Kind) -> None:
    found = parsed(kind, *NEEDED)

    assert [name for name, value in found.items() if value not in (None, [])] == [
        "share_of_it",
        "some_offset",
    ]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--share-of-it", "11", "--some-offset", "0"), "'11' is not a number from 0 to 10"),
        (("--share-of-it", "1", "--some-offset", "-6"), "'-6' is not a whole number from -5 to 10"),
        (("--share-of-it", "1"), "are required: --some-offset"),
        ((*NEEDED, "--way", "UNSPECIFIED"), "invalid choice: 'UNSPECIFIED'"),
        ((*NEEDED, "--count", "4294967296"), "not a whole number from 0 to 4294967295"),
    ],
)
def test_what_the_options_do_not_allow_is_refused(
    kind: Kind, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(SystemExit):
        parsed(kind, *words)

    assert complaint in capsys.readouterr().err


def test_the_help_comes_from_the_options(kind: Kind) -> None:
    parser = argparse.ArgumentParser()
    kind.add_to(parser)
    text = " ".join(parser.format_help().split())

    assert "100 % of share_of_it (0 to 10; required)" in text
    assert "--loud, --no-loud" in text
    assert kind.example() == "any-thing --share-of-it 5 --some-offset 2"


def test_every_field_of_a_selector_has_a_flag() -> None:
    fields = [field.name for field in interceptor_pb2.Selector.DESCRIPTOR.fields]

    assert [one.field for one in SELECTIONS] == fields
