"""Reads the vectors of tests/vectors, and compares messages with the values listed there."""

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import codec
from codec.api_keys import ApiKey
from codec.schema import Field, Kind, Message, Struct

FOLDER = Path(__file__).parent.parent / "vectors"
RELEASES = ("3.9.0", "4.3.0")
HEADER_KEY = -1
# Of Kafka 3.9, where it was unstable and never offered: 4.0 put leader_epoch into the same version.
SUPERSEDED = {("3.9.0", ApiKey.READ_SHARE_GROUP_STATE_SUMMARY, False, 0)}
# What fields were called in 3.9, for the APIs that 4.x renamed some in. The bytes are the same.
RENAMED = {
    ("3.9.0", ApiKey.VOTE): {
        "candidateEpoch": "replicaEpoch",
        "candidateId": "replicaId",
        "candidateDirectoryId": "replicaDirectoryId",
    },
    ("3.9.0", ApiKey.LIST_CONFIG_RESOURCES): {
        "clientMetricsResources": "configResources",
        "name": "resourceName",
    },
}


@dataclass(frozen=True)
class Vector:
    """One line of a file of bodies."""

    key: int
    is_request: bool
    version: int
    profile: str
    values: dict[str, Any]
    body: bytes

    def __str__(self) -> str:
        side = "request" if self.is_request else "response"
        return f"key {self.key} {side} v{self.version} {self.profile}"

    def decode(self, body: bytes | None = None) -> Message:
        """The message in `body`, or in the vector's own bytes."""
        decode = codec.decode_request if self.is_request else codec.decode_response
        return decode(self.key, self.version, self.body if body is None else body)

    def rewrite(self, hooks: codec.Hooks, body: bytes | None = None) -> bytes:
        """The rewritten body, joined."""
        rewrite = codec.rewrite_request if self.is_request else codec.rewrite_response
        chunks = rewrite(self.key, self.version, self.body if body is None else body, hooks)
        return b"".join(chunks)


def lines(name: str) -> Iterator[dict[str, Any]]:
    """The objects of one file."""
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(name, name): _renamed(each, names) for name, each in value.items()}
    return [_renamed(each, names) for each in value] if isinstance(value, list) else value


@cache
def all_vectors(release: str) -> tuple[Vector, ...]:
    """The bodies and headers of one Kafka release."""
    return tuple(
        Vector(
            line["k"],
            line["s"] == "q",
            line["v"],
            line["p"],
            _renamed(line["j"] or {}, RENAMED.get((release, line["k"]), {})),
            bytes.fromhex(line["h"]),
        )
        for line in lines(f"bodies-{release}")
    )


def bodies(release: str) -> list[Vector]:
    """The message bodies of one Kafka release, without the superseded ones."""
    return [
        vector
        for vector in all_vectors(release)
        if vector.key != HEADER_KEY
        and (release, vector.key, vector.is_request, vector.version) not in SUPERSEDED
    ]


@cache
def distinct_bodies() -> tuple[Vector, ...]:
    """The bodies of all releases, each (message, version, bytes) once."""
    found = {(v.key, v.is_request, v.version, v.body): v for r in RELEASES for v in bodies(r)}
    return tuple(found.values())


def assert_holds(made: Struct, values: dict[str, Any]) -> int:
    """Assert that a struct has these values and no others; returns how many there were."""
    names = {_camel(field.name): field for field in made.FIELDS}
    assert set(values) <= set(names)
    checked = 0
    for name, field in names.items():
        actual = getattr(made, field.name)
        if name in values:
            checked += _assert_value(field, actual, values[name])
        else:
            default = field.default
            default = default() if isinstance(default, type) else default
            assert actual == default or actual == [], f"{name} is {actual!r}"
    return checked


def _assert_value(field: Field, actual: Any, value: Any) -> int:
    if value is None:
        assert actual is None
    elif field.kind is Kind.STRUCT:
        return assert_holds(actual, value)
    elif field.kind is Kind.ARRAY and isinstance(field.element, type):
        assert len(actual) == len(value)
        return 1 + sum(map(assert_holds, actual, value))
    elif field.kind is Kind.ARRAY and field.element is Kind.UUID:
        assert list(actual) == list(map(_bytes, value))
    elif field.kind is Kind.ARRAY:
        assert list(actual) == value
    elif field.kind in (Kind.UUID, Kind.BYTES):
        assert actual == _bytes(value)
    else:
        assert actual == value
    return 1


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "==")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
