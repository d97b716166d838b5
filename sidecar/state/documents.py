"""Model values as JSON and back, for stores that outlive a version of this program.

An object has a member for each field that is not what it is by itself, so that a version with more
fields reads what an older one wrote. What a newer one wrote is refused where it cannot be read.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from sidecar.faults.registry import KINDS
from sidecar.model.errors import DomainError
from sidecar.model.faults import Fault

_KIND = "kind"


class UnreadableError(ValueError):
    """What is stored is not what this version writes; ``str()`` says where."""


def written(value: Any) -> Any:
    """Return a model value as what JSON has.

    Args:
        value: a dataclass of the model or of the faults, or what their fields are.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: written(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if getattr(value, field.name) != _default(field)
        }
        kind = _KINDS_BY_TYPE.get(type(value))
        return fields if kind is None else {_KIND: kind, **fields}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [written(entry) for entry in value]
    return value


def read(wanted: type[Any], value: Any) -> Any:
    """Return the `wanted` dataclass of which `written` made `value`.

    Raises:
        UnreadableError: it is no such thing, or has what this version does not know.
    """
    try:
        return _read(wanted, value, wanted.__name__)
    except DomainError as error:
        raise UnreadableError(str(error)) from None


def _read(wanted: Any, value: Any, where: str) -> Any:
    if wanted is Fault:
        return _fault(value, where)
    if dataclasses.is_dataclass(wanted):
        return _object(wanted, value, where)
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        if value is None and types.NoneType in arguments:
            return None
        [only] = [each for each in arguments if each is not types.NoneType]
        return _read(only, value, where)
    if origin is not None:
        return _collection(origin, arguments, value, where)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise _bad(where, wanted.__name__, value)
    return value


def _collection(origin: Any, arguments: tuple[Any, ...], value: Any, where: str) -> Any:
    if origin in (tuple, frozenset):
        if not isinstance(value, list):
            raise _bad(where, "a list", value)
        return origin(_read(arguments[0], entry, f"{where}[{n}]") for n, entry in enumerate(value))
    if not isinstance(value, dict):
        raise _bad(where, "an object", value)
    return MappingProxyType({key: _read(arguments[1], v, where) for key, v in value.items()})


def _fault(value: Any, where: str) -> Any:
    if not isinstance(value, dict) or value.get(_KIND) not in KINDS:
        kind = value.get(_KIND) if isinstance(value, dict) else value
        raise UnreadableError(f"{where} is of kind {kind!r}, this version knows {', '.join(KINDS)}")
    rest = {name: entry for name, entry in value.items() if name != _KIND}
    return _object(KINDS[value[_KIND]].config, rest, where)


def _object(wanted: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise _bad(where, "an object", value)
    hints = _hints(wanted)
    unknown = value.keys() - hints.keys()
    if unknown:
        raise UnreadableError(f"{where} has {', '.join(sorted(unknown))}, unknown to this version")
    fields = {name: _read(hints[name], v, f"{where}.{name}") for name, v in value.items()}
    try:
        return wanted(**fields)
    except TypeError:
        raise UnreadableError(f"{where} lacks what it needs") from None


def _bad(where: str, words: str, value: Any) -> UnreadableError:
    return UnreadableError(f"{where} is {type(value).__name__}, expected is {words}")


@cache
def _hints(wanted: Any) -> dict[str, Any]:
    return typing.get_type_hints(wanted)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


_KINDS_BY_TYPE: dict[Any, str] = {kind.config: name for name, kind in KINDS.items()}
