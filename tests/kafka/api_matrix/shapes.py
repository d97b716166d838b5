"""Requests and responses as plain dicts, so that one table of values serves every version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codec.schema import Struct

Plain = dict[str, Any]


def build(kind: type[Struct], values: Plain, version: int) -> Any:
    """A message or struct of `kind` with the `values` that `version` has fields for.

    Raises KeyError for a name that is in no version, which would be a slip of the table.
    """
    fields = {field.name: field for field in kind.FIELDS}
    unknown = values.keys() - fields.keys()
    if unknown:
        raise KeyError(f"{kind.__name__} has no field {', '.join(sorted(unknown))}")
    made = {}
    for name, value in values.items():
        field = fields[name]
        if version in field.versions:
            made[name] = _built(field.element, value, version)
    return kind(**made)


def _built(element: Any, value: Any, version: int) -> Any:
    if not isinstance(element, type) or not issubclass(element, Struct):
        return value
    if isinstance(value, dict):
        return build(element, value, version)
    if value is None:
        return None
    return [build(element, each, version) for each in value]


def plain(message: Struct, version: int) -> Plain:
    """The fields that `version` has, as dicts and lists; bytes are copied."""
    present = (field for field in message.FIELDS if version in field.versions)
    return {field.name: _plain(getattr(message, field.name), version) for field in present}


def _plain(value: Any, version: int) -> Any:
    if isinstance(value, Struct):
        return plain(value, version)
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    if isinstance(value, list | tuple):
        return [_plain(each, version) for each in value]
    return value


def error_codes(answer: Any, path: str = "") -> Iterator[tuple[str, int]]:
    """Every error code of a response, with the path of the field that holds it."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            if name.endswith("error_code"):
                yield f"{path}{name}", value
            else:
                yield from error_codes(value, f"{path}{name}.")
    elif isinstance(answer, list):
        for index, value in enumerate(answer):
            yield from error_codes(value, f"{path}{index}.")
