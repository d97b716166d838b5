"""Any message of the codec with a value in every field that has a role."""

from collections.abc import Callable, Sequence
from typing import Any

from codec.schema import Field, Kind, Role, Struct

NAMES = {Role.TOPIC: "cars", Role.GROUP: "group", Role.TRANSACTIONAL_ID: "tx"}
PATTERNS = frozenset({Role.TOPIC_PATTERN, Role.TRANSACTIONAL_ID_PATTERN})
Address = Callable[[int], tuple[str, int]]


def filled(
    kind: type[Struct], version: int, prefixes: Sequence[str], address: Address, text: str = ""
) -> Any:
    """A struct with names, addresses and texts.

    Args:
        kind: the class to fill.
        version: fields of other versions keep their defaults.
        prefixes: names are each of `NAMES` behind the first prefix, patterns match whatever is
            behind it; what an array holds is there once for each prefix.
        address: host and port by node id; there are brokers 1 and 2 where an array holds them.
        text: every error text.
    """
    return _struct(kind, version, prefixes, address, text, 1)


def has_role(kind: type[Struct], version: int, role: Role) -> bool:
    """Whether some field of this version, however deep, has the role."""
    return any(
        field.role is role
        or (isinstance(field.element, type) and has_role(field.element, version, role))
        for field in _present(kind, version)
    )


def fill_topic_ids(message: Struct, version: int, topic_id: bytes) -> None:
    """Give every topic in a message, however deep, this id."""
    for field in _present(type(message), version):
        value = getattr(message, field.name)
        if field.role is Role.TOPIC_ID:
            setattr(message, field.name, topic_id)
        elif isinstance(field.element, type) and value:
            for item in value if field.kind is Kind.ARRAY else [value]:
                fill_topic_ids(item, version, topic_id)


def _present(kind: type[Struct], version: int) -> list[Field]:
    return [field for field in kind.FIELDS if version in field.versions]


def _struct(
    kind: type[Struct],
    version: int,
    prefixes: Sequence[str],
    address: Address,
    text: str,
    node_id: int,
) -> Any:
    values: dict[str, Any] = {}
    for field in _present(kind, version):
        if field.kind is Kind.ARRAY and field.role in NAMES:
            values[field.name] = [prefix + NAMES[field.role] for prefix in prefixes]
        elif field.role in NAMES:
            values[field.name] = prefixes[0] + NAMES[field.role]
        elif field.role in PATTERNS:
            patterns = [f"{prefix}(?:.*)" if prefix else ".*" for prefix in prefixes]
            values[field.name] = patterns if field.kind is Kind.ARRAY else patterns[0]
        elif field.role is Role.TEXT:
            values[field.name] = text
        elif field.role is Role.BROKER:
            host, port = address(node_id)
            values[field.name] = host if field.kind is Kind.STRING else port
            if field.name in ("node_id", "broker_id"):
                values[field.name] = node_id
        elif isinstance(field.element, type) and field.kind is Kind.ARRAY:
            values[field.name] = _elements(field.element, version, prefixes, address, text)
        elif isinstance(field.element, type):
            values[field.name] = _struct(field.element, version, prefixes, address, text, node_id)
    return kind(**values)


def _elements(
    kind: type[Struct], version: int, prefixes: Sequence[str], address: Address, text: str
) -> list[Any]:
    roles = {field.role for field in _present(kind, version)}
    if roles & NAMES.keys():
        return [_struct(kind, version, [prefix], address, text, 1) for prefix in prefixes]
    nodes = (1, 2) if Role.BROKER in roles else (1,)
    return [_struct(kind, version, prefixes, address, text, node) for node in nodes]
