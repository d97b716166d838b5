"""The user mappings: what users are called, and which groups they are in."""

from collections.abc import Callable

from sidecar.control.state import ControlState
from sidecar.model.errors import AlreadyExists, InvalidArgument, NotFound, ResourceExhausted
from sidecar.model.user_mapping import UserMapping

MAX_USER_MAPPINGS = 1000
"""Keeps the data side's matching short: 0.1 ms for each user."""
MAX_GROUPS = 100
"""Of one mapping."""
MAX_USER_MAPPING_BYTES = 2 * 1024 * 1024
"""All their names together, in a listing, which stays below 4 MiB with this."""

_FIELD_BYTES = 3  # what protobuf puts around a name, at most

_Key = tuple[str, str]


class UserMappingService:
    """Creates, changes and deletes user mappings.

    Args:
        state: where they are published.
        claim: makes a virtual cluster exist; raises DomainError when it may not.
    """

    def __init__(self, state: ControlState, claim: Callable[[str], None]) -> None:
        self._state = state
        self._claim = claim
        self._items: dict[_Key, UserMapping] = {}  # replaced whole, so that readers need no lock
        self._bytes = 0

    def create(self, wanted: UserMapping, *, require_new: bool = False) -> UserMapping:
        """Add `wanted`; an identical one is left as it is.

        Raises:
            AlreadyExists: the user has another mapping, or one at all when `require_new`; or the
                virtual cluster cannot be (as all that `claim` raises).
            InvalidArgument: it has too many groups.
            ResourceExhausted: there are too many, or their names together are too long.
        """
        with self._state.lock:
            present = self._items.get(_key(wanted))
            if present is None:
                self._put(wanted)
                return wanted
            if require_new or present != wanted:
                raise AlreadyExists(
                    f"{_described(*_key(wanted))} exists"
                    f"{'' if require_new else ' with other content'}"
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

    def update(
        self, wanted: UserMapping, *, allow_missing: bool = False
    ) -> tuple[UserMapping, bool]:
        """Replace a mapping, groups and all; return it and whether it was created by this.

        Raises:
            NotFound: it does not exist, and not `allow_missing`.
            AlreadyExists: the virtual cluster cannot be (as all that `claim` raises).
            InvalidArgument, ResourceExhausted: as in `create`.
        """
        with self._state.lock:
            created = _key(wanted) not in self._items
            if created and not allow_missing:
                raise NotFound(f"there is no {_described(*_key(wanted))}")
            if self._items.get(_key(wanted)) != wanted:
                self._put(wanted)
            return wanted, created

    def delete(self, virtual_cluster: str, username: str, *, allow_missing: bool = False) -> None:
        """Remove a mapping, or raise NotFound unless `allow_missing`."""
        with self._state.lock:
            if allow_missing and (virtual_cluster, username) not in self._items:
                return
            present = self.get(virtual_cluster, username)
            others = {key: item for key, item in self._items.items() if item is not present}
            self._commit(others, self._bytes - _weight(present))

    def _put(self, wanted: UserMapping) -> None:
        if len(wanted.groups) > MAX_GROUPS:
            raise InvalidArgument.of(
                "groups", f"groups has {len(wanted.groups)} names, at most {MAX_GROUPS} are allowed"
            )
        present = self._items.get(_key(wanted))
        if present is None and len(self._items) >= MAX_USER_MAPPINGS:
            raise ResourceExhausted(
                f"there are {len(self._items)} user mappings, no more are allowed: delete some"
            )
        size = self._bytes + _weight(wanted) - (_weight(present) if present else 0)
        if size > MAX_USER_MAPPING_BYTES:
            raise ResourceExhausted(
                f"the names in all user mappings would have {size} bytes,"
                f" at most {MAX_USER_MAPPING_BYTES} are allowed: shorten or delete some"
            )
        self._claim(wanted.virtual_cluster)
        self._commit({**self._items, _key(wanted): wanted}, size)

    def _commit(self, items: dict[_Key, UserMapping], size: int) -> None:
        self._state.commit(user_mappings=tuple(items.values()))
        self._items = items
        self._bytes = size


def _key(mapping: UserMapping) -> _Key:
    return mapping.virtual_cluster, mapping.username


def _described(virtual_cluster: str, username: str) -> str:
    return f"user mapping {username!r} in virtual cluster {virtual_cluster!r}"


def _weight(mapping: UserMapping) -> int:
    """What `mapping` adds to a listing, at most, in bytes."""
    names = (mapping.virtual_cluster, mapping.username, mapping.principal, *mapping.groups)
    return 2 * _FIELD_BYTES + sum(len(name.encode()) + _FIELD_BYTES for name in names)
