"""What a store holds, as texts by key, beside the snapshot that it is a picture of.

Keys are JSON lists such as ``["interceptor","teamA","","","slow"]``; values are objects. `created`
keeps the order in which things came into being. What this version cannot read is left alone: it is
not in the snapshot, and never deleted or overwritten unless something of that key is made anew.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sidecar.model.alias_topic import AliasTopic
from sidecar.model.interceptor import Interceptor
from sidecar.model.lease import Lease
from sidecar.model.snapshot import Snapshot
from sidecar.model.user_mapping import UserMapping
from sidecar.state.documents import UnreadableError, read, written

VERSION: Final = 1
"""Of the values. A change that older sidecars would misunderstand makes it grow."""

Unreadable = Callable[[str, str], None]
"""Told the key and the reason of what cannot be read."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A collection of the snapshot: its field, what is in it, and what tells entries apart."""

    name: str
    field: str
    of: type[Any]
    key: Callable[[Any], tuple[str, ...]]


_KINDS: Final = (
    _Kind(
        "interceptor",
        "interceptors",
        Interceptor,
        lambda i: (i.scope.virtual_cluster, i.scope.group, i.scope.username, i.name),
    ),
    _Kind("user-mapping", "user_mappings", UserMapping, lambda m: (m.virtual_cluster, m.username)),
    _Kind("alias-topic", "alias_topics", AliasTopic, lambda a: (a.virtual_cluster, a.logical_name)),
    _Kind("lease", "leases", Lease, lambda lease: (lease.uid,)),
)
_BY_NAME: Final = {kind.name: kind for kind in _KINDS}

_SINGLES: Final[Mapping[str, tuple[str, type, Callable[[Any], Any]]]] = {
    "virtual-clusters": ("virtual_clusters", list, lambda names: tuple(map(str, names))),
    "halted": ("halted", bool, bool),
    "signing-key": ("signing_key_id", str, str),
}
"""Fields of the snapshot that are one value each, by what their keys are called."""

FIELDS: Final = frozenset(kind.field for kind in _KINDS) | {
    field for field, _, _ in _SINGLES.values()
}
"""The fields of the snapshot that a store has."""


def items_of(snapshot: Snapshot) -> Iterator[tuple[str, str, Any]]:
    """Key, kind and item of all that is in a snapshot."""
    for kind in _KINDS:
        for item in getattr(snapshot, kind.field):
            yield json.dumps([kind.name, *kind.key(item)], separators=(",", ":")), kind.name, item
    for name, (field, _, _) in _SINGLES.items():
        value = getattr(snapshot, field)
        yield json.dumps([name]), name, list(value) if field == "virtual_clusters" else value


def changed_items(before: Snapshot, after: Snapshot) -> Iterator[tuple[str, Any, Any]]:
    """Key, old and new value, as JSON has them, of what differs; None for what is not there."""
    old = {key: item for key, _, item in items_of(before)}
    new = {key: item for key, _, item in items_of(after)}
    for key in dict.fromkeys((*new, *old)):
        was, now = old.get(key), new.get(key)
        if was is not now and was != now:
            yield key, written(was), written(now)


@dataclass(frozen=True, slots=True)
class _Entry:
    text: str
    kind: str
    created: float
    item: Any
    """None where it cannot be read."""


class Mirror:
    """The texts of a store.

    Args:
        clock: seconds since the epoch.
        unreadable: see `Unreadable`.
    """

    def __init__(self, clock: Callable[[], float], unreadable: Unreadable) -> None:
        self._clock = clock
        self._unreadable = unreadable
        self._entries: dict[str, _Entry] = {}
        self._latest = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def texts(self) -> dict[str, str]:
        """All there is, by key."""
        return {key: entry.text for key, entry in self._entries.items()}

    def take(self, changes: Iterable[tuple[str, str | None]]) -> frozenset[str]:
        """Take what the store has; return the fields of the snapshot that change by it.

        Args:
            changes: key and new text in order; None for what was deleted.
        """
        fields: set[str] = set()
        for key, text in changes:
            before = self._entries.pop(key, None)
            if text is None:
                if before is not None:
                    fields.add(_field(before.kind))
                continue
            entry = self._entry(key, text)
            self._entries[key] = entry
            if entry.item is not None or (before is not None and before.item is not None):
                fields.add(_field(entry.kind) or _field(before.kind if before else ""))
        return frozenset(fields - {""})

    def fields(self, names: Iterable[str]) -> dict[str, Any]:
        """Return these fields of the snapshot as the store has them."""
        found: dict[str, Any] = {}
        for name in names:
            entries = [e for e in self._entries.values() if _field(e.kind) == name]
            items = [(e.created, e.text, e.item) for e in entries if e.item is not None]
            single = next((s for s in _SINGLES.values() if s[0] == name), None)
            if single is None:
                found[name] = tuple(i for _, _, i in sorted(items, key=lambda each: each[:2]))
            else:
                found[name] = single[2](items[0][2]) if items else getattr(Snapshot(), name)
        return found

    def missing(self, wanted: Snapshot) -> dict[str, str | None]:
        """Return the texts that the store needs to be a picture of `wanted`; None deletes.

        They are in the mirror only when `take` has been given them.
        """
        changes: dict[str, str | None] = {}
        there: set[str] = set()
        nothing = {key: item for key, _, item in items_of(Snapshot())}
        for key, kind, item in items_of(wanted):
            there.add(key)
            if key in self._entries or item != nothing.get(key):
                self._compare(key, kind, item, changes)
        for key, entry in self._entries.items():
            if key not in there and entry.item is not None:
                changes[key] = None
        return changes

    def _compare(self, key: str, kind: str, item: Any, changes: dict[str, str | None]) -> None:
        before = self._entries.get(key)
        if before is not None and (before.item is item or before.item == item):
            return
        created = before.created if before is not None else self._now()
        value = {"version": VERSION, "created": created, kind: written(item)}
        changes[key] = json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    def _now(self) -> float:
        """A time after all others that are known, so that order is kept whatever clocks say."""
        self._latest = max(round(self._clock(), 6), self._latest + 1e-6)
        return round(self._latest, 6)

    def _entry(self, key: str, text: str) -> _Entry:
        kind = ""
        try:
            kind, *_ = json.loads(key)
            value = json.loads(text)
            if value["version"] != VERSION:
                raise UnreadableError(f"it is of version {value['version']!r}, not {VERSION}")
            created = float(value["created"])
            if not math.isfinite(created):
                raise UnreadableError(f"created is {created}")
            self._latest = max(self._latest, created)
            return _Entry(text, kind, created, _item(kind, value[kind]))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self._unreadable(key, f"{type(error).__name__}: {error}")
            return _Entry(text, kind if isinstance(kind, str) else "", 0.0, None)


def _item(kind: str, value: Any) -> Any:
    if kind in _SINGLES:
        expected = _SINGLES[kind][1]
        if type(value) is not expected:
            raise UnreadableError(f"{kind} is {type(value).__name__}")
        return value
    return read(_BY_NAME[kind].of, value)


def _field(kind: str) -> str:
    if kind in _SINGLES:
        return str(_SINGLES[kind][0])
    return _BY_NAME[kind].field if kind in _BY_NAME else ""
