"""The user mappings: what users are called, and which groups they are in."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import NamedTuple

from sidecar.control.index import Index
from sidecar.control.ports import Claim
from sidecar.control.state import ControlState, in_turn
from sidecar.model.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
)
from sidecar.model.names import resource_name
from sidecar.model.user_mapping import UserMapping

MAX_USER_MAPPINGS = 1000
"""Keeps the data side's matching short: 0.1 ms for each user."""
MAX_GROUPS = 100
"""Of one mapping."""
MAX_USER_MAPPING_BYTES = 2 * 1024 * 1024
"""All their names together, in a listing, which stays below 4 MiB with this."""

_FIELD_BYTES = 3  # what protobuf puts around a name, at most

FIELDS = frozenset({"principal", "groups"})
"""What there is in a mapping besides its key."""

_Key = tuple[str, str]


class Updated(NamedTuple):
    """What an update did, or would do."""

    mapping: UserMapping
    created: bool
    changed: bool


class UserMappingService:
    """Creates, changes and deletes user mappings.

    Args:
        state: where they are published.
        claim: makes a virtual cluster exist; raises DomainError when it may not.
    """

    def __init__(self, state: ControlState, claim: Claim) -> None:
        self._state = state
        self._claim = claim
        self._index = Index(lambda: state.snapshot.user_mappings, _key, _weight)

    @property
    def _items(self) -> dict[_Key, UserMapping]:
        return self._index.items

    @in_turn
    def create(self, wanted: UserMapping, *, require_new: bool = False) -> UserMapping:
        """Add `wanted`; an identical one is left as it is.

        Raises:
            AlreadyExists: the user has another mapping, or one at all when `require_new`; or the
                virtual cluster cannot be (as all that `claim` raises).
            InvalidArgument: it has too many groups.
            ResourceExhausted: there are too many, or their names together are too long.
        """
        present = self._items.get(_key(wanted))
        if present is None:
            self._put(wanted)
            return wanted
        if require_new or present != wanted:
            raise AlreadyExists(
                f"{_described(*_key(wanted))} exists{'' if require_new else ' with other content'}"
            )
        return present

    def get(self, virtual_cluster: str, username: str) -> UserMapping:
        """Return one mapping, or raise NotFound."""
        found = self._items.get((virtual_cluster, username))
        if found is None:
            raise NotFound(f"there is no {_described(virtual_cluster, username)}")
        return found

    def list(self, virtual_cluster: str | None = None) -> tuple[UserMapping, ...]:
        """Return those of one virtual cluster, or all for None, in order of creation."""
        return tuple(
            mapping
            for mapping in self._items.values()
            if virtual_cluster in (None, mapping.virtual_cluster)
        )

    @in_turn
    def update(
        self,
        wanted: UserMapping,
        *,
        allow_missing: bool = False,
        fields: Collection[str] = FIELDS,
        validate_only: bool = False,
    ) -> Updated:
        """Replace the `fields` of a mapping; return it, whether it was created, whether changed.

        With `validate_only` nothing is replaced, but all else is the same.

        Args:
            fields: of `FIELDS`; of a mapping that is created all count.

        Raises:
            NotFound: it does not exist, and not `allow_missing`.
            AlreadyExists: the virtual cluster cannot be (as all that `claim` raises).
            InvalidArgument, ResourceExhausted: as in `create`.
        """
        present = self._items.get(_key(wanted))
        if present is None and not allow_missing:
            raise NotFound(f"there is no {_described(*_key(wanted))}")
        if present is not None:
            kept = {name: getattr(present, name) for name in FIELDS.difference(fields)}
            wanted = replace(wanted, **kept)
        changed = present != wanted
        if changed:
            self._put(wanted, validate_only=validate_only)
        return Updated(wanted, created=present is None, changed=changed)

    @in_turn
    def delete(
        self,
        virtual_cluster: str,
        username: str,
        *,
        allow_missing: bool = False,
        require_ungrouped: bool = False,
    ) -> None:
        """Remove a mapping.

        Raises:
            NotFound: it does not exist, and not `allow_missing`.
            FailedPrecondition: it names groups, with `require_ungrouped`.
        """
        if allow_missing and (virtual_cluster, username) not in self._items:
            return
        present = self.get(virtual_cluster, username)
        if require_ungrouped and present.groups:
            raise FailedPrecondition(
                f"{_described(virtual_cluster, username)} is in groups"
                f" {_listed(sorted(present.groups))}; take it out of them first"
            )
        others = {key: item for key, item in self._items.items() if item is not present}
        self._commit(others, self._index.bytes - _weight(present))

    @in_turn
    def update_group(
        self, name: str, members: Collection[tuple[str, str]], *, validate_only: bool = False
    ) -> tuple[bool, bool]:
        """Have exactly `members` name a group; return whether it was created, whether changed.

        With `validate_only` nothing changes, but all else is the same.

        Args:
            members: ``(virtual cluster, username)`` of mappings that are there.

        Raises:
            InvalidArgument: the name is not one, there are no members, or one is in too many
                groups then.
            NotFound: a member has no mapping.
            ResourceExhausted: the names in all mappings would be too long together.
        """
        resource_name(name, "name")
        if not members:
            raise InvalidArgument.of(
                "members",
                "members must not be empty: a group is there while a user mapping names it",
            )
        for member in members:
            self.get(*member)
        before = {key for key, item in self._items.items() if name in item.groups}
        created, changed = not before, before != set(members)
        if changed:
            self._regroup(name, frozenset(members), validate_only=validate_only)
        return created, changed

    @in_turn
    def delete_group(self, name: str) -> None:
        """Take a group out of all mappings at once.

        Raises:
            NotFound: no mapping names it.
            FailedPrecondition: it is the scope of interceptors.
        """
        if not any(name in item.groups for item in self._items.values()):
            raise NotFound(f"there is no group {name!r}: no user mapping names it")
        scoped = [i.name for i in self._state.snapshot.interceptors if i.scope.group == name]
        if scoped:
            raise FailedPrecondition(
                f"group {name!r} is the scope of interceptors {_listed(scoped)}; delete them first"
            )
        self._regroup(name, frozenset())

    def _regroup(self, name: str, members: frozenset[_Key], *, validate_only: bool = False) -> None:
        items = {key: _with_group(item, name, key in members) for key, item in self._items.items()}
        for item in items.values():
            if len(item.groups) > MAX_GROUPS:
                raise InvalidArgument.of(
                    "members",
                    f"members has {_described(*_key(item))}, which would name {len(item.groups)}"
                    f" groups, at most {MAX_GROUPS} are allowed",
                )
        size = _checked_size(sum(map(_weight, items.values())))
        if not validate_only:
            self._commit(items, size)

    def _put(self, wanted: UserMapping, *, validate_only: bool = False) -> None:
        if len(wanted.groups) > MAX_GROUPS:
            raise InvalidArgument.of(
                "groups", f"groups has {len(wanted.groups)} names, at most {MAX_GROUPS} are allowed"
            )
        present = self._items.get(_key(wanted))
        if present is None and len(self._items) >= MAX_USER_MAPPINGS:
            raise ResourceExhausted(
                f"there are {len(self._items)} user mappings, no more are allowed: delete some"
            )
        size = _checked_size(
            self._index.bytes + _weight(wanted) - (_weight(present) if present else 0)
        )
        self._claim(wanted.virtual_cluster, validate_only=validate_only)
        if not validate_only:
            self._commit({**self._items, _key(wanted): wanted}, size)

    def _commit(self, items: dict[_Key, UserMapping], size: int) -> None:
        self._state.commit(user_mappings=tuple(items.values()))
        self._index.remember(items, size)


def _key(mapping: UserMapping) -> _Key:
    return mapping.virtual_cluster, mapping.username


def _described(virtual_cluster: str, username: str) -> str:
    return f"user mapping {username!r} in virtual cluster {virtual_cluster!r}"


def _with_group(mapping: UserMapping, name: str, wanted: bool) -> UserMapping:
    if wanted == (name in mapping.groups):
        return mapping
    return replace(mapping, groups=mapping.groups ^ {name})


def _checked_size(size: int) -> int:
    """Return the size of all mappings, in bytes, or refuse it."""
    if size > MAX_USER_MAPPING_BYTES:
        raise ResourceExhausted(
            f"the names in all user mappings would have {size} bytes,"
            f" at most {MAX_USER_MAPPING_BYTES} are allowed: shorten or delete some"
        )
    return size


def _listed(names: Iterable[str], most: int = 10) -> str:
    shown = [repr(name) for name in names]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more


def _weight(mapping: UserMapping) -> int:
    """What `mapping` adds to a listing, at most, in bytes."""
    names = (mapping.virtual_cluster, mapping.username, mapping.principal, *mapping.groups)
    return 2 * _FIELD_BYTES + sum(len(name.encode()) + _FIELD_BYTES for name in names)
