"""The one line of JAAS configuration that Java clients take for `sasl.jaas.config`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

_WORDS: Final = '`Module required name="value" ...;`'
_HEAD: Final = re.compile(r"\s*([\w.$]+)\s+(required|requisite|sufficient|optional)\b", re.I)
_OPTION: Final = re.compile(
    r"""\s+([\w.]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^\s;"']+))"""
)
_END: Final = re.compile(r"\s*;\s*$")


@dataclass(frozen=True, slots=True)
class Jaas:
    """A login module and its options.

    Args:
        module: its class.
        options: by name; secrets among them, so they are not shown.
    """

    module: str
    options: Mapping[str, str] = field(repr=False)


def jaas(value: Any) -> Jaas:
    """Read the line; raises ValueError, whose message completes "it takes ..."."""
    head = _HEAD.match(value) if isinstance(value, str) else None
    if head is None:
        raise ValueError(_WORDS)
    options: dict[str, str] = {}
    position = head.end()
    while (found := _OPTION.match(value, position)) is not None:
        name, double, single, bare = found.groups()
        quoted = double if double is not None else single
        options[name] = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        position = found.end()
    if _END.match(value, position) is None:
        raise ValueError(f"{_WORDS}; after {len(options)} options something else stands")
    return Jaas(head[1], MappingProxyType(options))
