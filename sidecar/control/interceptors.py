"""The interceptors: who may exist, which seed they draw from, and what the data side sees of them.

Writers take turns (see `ControlState`); readers take the current ones without a lock.
"""

import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import NamedTuple, Protocol

from sidecar import clock
from sidecar.control.comparing import check_etag, etag_of, same
from sidecar.control.ending import controlled, dated, leased
from sidecar.control.index import Index
from sidecar.control.state import ControlState, in_turn
from sidecar.control.weights import MAX_ALL_ANNOTATION_BYTES, check_annotations, weight
from sidecar.model.errors import (
    AlreadyExists,
    NotFound,
    ResourceExhausted,
)
from sidecar.model.identity import Identity
from sidecar.model.interceptor import Interceptor, Scope, resolve
from sidecar.model.lease import Lease
from sidecar.model.user_mapping import mapped

MAX_INTERCEPTORS = 1000
"""Keeps a listing (11 ms) and the data side's matching (0.1 ms for each user) short."""
KEPT_SECONDS = 3600.0
"""How long an expired interceptor stays listed, unless it is deleted before."""

ACTIVE, PAUSED, EXPIRED = "ACTIVE", "PAUSED", "EXPIRED"
EXHAUSTED, HALTED = "EXHAUSTED", "HALTED"

_Key = tuple[Scope, str]


class InjectionCounts(Protocol):
    """Knows how often each interceptor struck; the journal does."""

    def count(self, uid: str) -> int:
        """Return the injections under this uid."""
        ...

    def forget(self, uid: str) -> None:
        """Drop the counter of an interceptor that is gone."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """An interceptor as its owners see it.

    Args:
        injections: errors injected under its uid so far.
        etag: changes with every change of the interceptor.
        state: whether it can strike: ACTIVE, or the first reason of several why not.
    """

    interceptor: Interceptor
    injections: int
    etag: str
    state: str


class Updated(NamedTuple):
    """What an update did, or would do."""

    view: View
    created: bool
    changed: bool


class InterceptorService:
    """Creates, changes and deletes interceptors.

    Args:
        state: where they are published.
        counts: see `InjectionCounts`.
        spent: how much of `limits.max_injections` has been used under a uid.
        process_seed: seeds of interceptors without their own are derived from it; None makes them
            random.
        random_seed, new_uid: sources of fresh values, for tests to fix.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        state: ControlState,
        counts: InjectionCounts,
        *,
        process_seed: int | None = None,
        random_seed: Callable[[], int] = lambda: secrets.randbits(64),
        new_uid: Callable[[], str] = lambda: uuid.uuid4().hex,
        spent: Callable[[str], int] = lambda uid: 0,
        clock: Callable[[], float] = clock.now,
    ) -> None:
        self._state = state
        self._counts = counts
        self._process_seed = process_seed
        self._random_seed = random_seed
        self._new_uid = new_uid
        self._spent = spent
        self._clock = clock
        self._index = Index(lambda: state.snapshot.interceptors, _key, weight)
        self._known_leases: tuple[tuple[Lease, ...], dict[str, Lease]] = ((), {})

    @property
    def _items(self) -> dict[_Key, Interceptor]:
        return self._index.items

    def __len__(self) -> int:
        return len(self._kept())

    @property
    def expired(self) -> int:
        """How many of them have expired."""
        now = self._clock()
        leases = self._leases()
        return sum(now >= item.ends(leases) for item in self._kept().values())

    @in_turn
    def create(self, wanted: Interceptor, *, require_new: bool = False) -> View:
        """Add `wanted` (its seed and uid are given here); an identical one is left as it is.

        An expired one makes room: it is replaced.

        Raises:
            AlreadyExists: the name is taken in this scope by other content, or at all when
                `require_new`.
            InvalidArgument: the annotations are too long, or it would have expired by now.
            FailedPrecondition: its lease is not there.
            ResourceExhausted: there are too many interceptors, or all their annotations together
                are too long.
        """
        wanted = self._leased(wanted)
        present = self._items.get(_key(wanted))
        if present is None or self._is_over(present):
            return self._view(self._add(wanted))
        if require_new or not same(wanted, present):
            raise AlreadyExists(
                f"interceptor {wanted.name!r} exists in {describe(wanted.scope)}"
                f"{'' if require_new else ' with other content'}"
            )
        return self._view(present)

    def get(self, name: str, scope: Scope) -> View:
        """Return one interceptor, or raise NotFound."""
        return self._view(_found(self._kept(), name, scope))

    def list(self, scope: Scope | None = None) -> tuple[View, ...]:
        """Return those of exactly this scope, or all for None, in order of creation."""
        return tuple(self._view(i) for i in self._kept().values() if scope in (None, i.scope))

    @in_turn
    def update(
        self,
        wanted: Interceptor,
        *,
        allow_missing: bool = False,
        etag: str = "",
        validate_only: bool = False,
        keep_control: bool = False,
    ) -> Updated:
        """Replace an interceptor; return it, whether it was created by this, and whether changed.

        An identical one is left as it is. While the fault, and the draws it is given, stay the
        same, seed and uid stay too: its draws go on. A time to live begins anew; a pause goes on.
        With `validate_only` nothing is replaced, but all else is the same. With `keep_control`
        selector, limits and end stay what they are, unless it is over.

        Raises:
            NotFound: it does not exist, and not `allow_missing`.
            Aborted: `etag` is neither empty nor the current one.
            InvalidArgument, FailedPrecondition, ResourceExhausted: as in `create`.
        """
        kept = self._kept()
        there = kept.get(_key(wanted))
        keeps = keep_control and there is not None and not self._is_over(there)
        wanted = controlled(wanted, there) if keeps and there else self._leased(wanted)
        if allow_missing and not etag and there is None:
            added = self._add(wanted, validate_only=validate_only)
            view = self._rehearsed(wanted) if validate_only else self._view(added)
            return Updated(view, created=True, changed=True)
        present = _found(kept, wanted.name, wanted.scope)
        check_etag(present, etag)
        if (keeps or wanted.ttl is None) and same(wanted, present):
            return Updated(self._view(present), created=False, changed=False)
        size = self._grown(wanted, present)
        if wanted.expires is None or wanted.expires != present.expires:
            wanted = self._dated(wanted)
        wanted = replace(wanted, paused=present.paused)
        if wanted.fault == present.fault and wanted.draws == present.draws:
            changed = replace(wanted, seed=present.seed, uid=present.uid)
        else:
            changed = self._seeded(wanted)
        if validate_only:
            told = changed if changed.uid == present.uid else wanted
            return Updated(self._rehearsed(told), created=False, changed=True)
        self._commit({**self._items, _key(wanted): changed}, size)
        if changed.uid != present.uid:
            self._counts.forget(present.uid)
        return Updated(self._view(changed), created=False, changed=True)

    @in_turn
    def pause(self, name: str, scope: Scope, *, paused: bool = True, etag: str = "") -> View:
        """Make an interceptor do nothing, or work again; as it is already, it is left alone.

        Raises:
            NotFound: it does not exist.
            Aborted: `etag` is neither empty nor the current one.
        """
        present = _found(self._kept(), name, scope)
        check_etag(present, etag)
        if present.paused != paused:
            present = replace(present, paused=paused)
            self._commit({**self._items, _key(present): present}, self._index.bytes)
        return self._view(present)

    @in_turn
    def reset(self, scope: Scope | None = None) -> int:
        """Delete those of exactly this scope, or all for None, at once; return how many."""
        kept = self._kept()
        gone = [item for item in kept.values() if scope in (None, item.scope)]
        if gone:
            others = {key: i for key, i in kept.items() if scope not in (None, i.scope)}
            self._commit(others, self._index.bytes - sum(map(weight, gone)))
            for item in gone:
                self._counts.forget(item.uid)
        return len(gone)

    @in_turn
    def delete(
        self, name: str, scope: Scope, *, allow_missing: bool = False, etag: str = ""
    ) -> None:
        """Remove an interceptor.

        Raises:
            NotFound: it does not exist, and not `allow_missing`.
            Aborted: `etag` is neither empty nor the current one.
        """
        kept = self._kept()
        if allow_missing and (scope, name) not in kept:
            return
        present = _found(kept, name, scope)
        check_etag(present, etag)
        others = self._items.copy()
        del others[_key(present)]
        self._commit(others, self._index.bytes - weight(present))
        self._counts.forget(present.uid)

    def resolve(self, who: Identity) -> tuple[View, ...]:
        """Return what applies to `who`, user mappings included, in the order in which it runs."""
        known = mapped(who, self._state.snapshot.user_mappings)
        return tuple(self._view(item) for item in resolve(self._kept().values(), known))

    def _add(self, wanted: Interceptor, *, validate_only: bool = False) -> Interceptor:
        """Have it in the place of an expired one, if there is one."""
        kept = self._kept()
        present = kept.get(_key(wanted))
        self._grown(wanted, present)
        if present is None and len(kept) >= MAX_INTERCEPTORS:
            raise ResourceExhausted(
                f"there are {len(kept)} interceptors, no more are allowed: delete some"
            )
        added = self._seeded(self._dated(wanted))
        if not validate_only:
            gone = [item for key, item in self._items.items() if key not in kept]
            if present is not None:
                gone.append(present)
            others = {key: item for key, item in kept.items() if item is not present}
            size = self._index.bytes + weight(added) - sum(map(weight, gone))
            self._commit({**others, _key(added): added}, size)
            for item in gone:
                self._counts.forget(item.uid)
        return added

    def _grown(self, wanted: Interceptor, present: Interceptor | None) -> int:
        """Return the size of all texts once `wanted` has replaced `present`, or refuse."""
        check_annotations(wanted)
        size = self._index.bytes + weight(wanted) - (weight(present) if present else 0)
        if size > MAX_ALL_ANNOTATION_BYTES:
            raise ResourceExhausted(
                f"the annotations of all interceptors would have {size} bytes, with selectors and"
                f" leases, at most {MAX_ALL_ANNOTATION_BYTES} are allowed: shorten or delete some"
            )
        return size

    def _commit(self, items: dict[_Key, Interceptor], size: int) -> None:
        self._state.commit(interceptors=tuple(items.values()))
        self._index.remember(items, size)

    def _leases(self) -> dict[str, Lease]:
        """By uid; looked at once for each interceptor of a listing, so kept while they stay."""
        of, found = self._known_leases
        leases = self._state.snapshot.leases
        if leases is not of:
            found = {lease.uid: lease for lease in leases}
            self._known_leases = leases, found
        return found

    def _is_over(self, item: Interceptor) -> bool:
        return self._clock() >= item.ends(self._leases())

    def _kept(self) -> dict[_Key, Interceptor]:
        """Those that are listed: all but what expired long ago."""
        since = self._clock() - KEPT_SECONDS
        leases = self._leases()
        if all(item.ends(leases) > since for item in self._items.values()):
            return self._items
        return {key: item for key, item in self._items.items() if item.ends(leases) > since}

    def _leased(self, wanted: Interceptor) -> Interceptor:
        return leased(wanted, self._state.snapshot.leases, self._clock())

    def _dated(self, wanted: Interceptor) -> Interceptor:
        return dated(wanted, self._clock())

    def _seeded(self, wanted: Interceptor) -> Interceptor:
        seed = wanted.fault.seed
        if seed is None and self._process_seed is not None:
            seed = derived_seed(self._process_seed, wanted.scope, wanted.name)
        if seed is None:
            seed = self._random_seed()
        return replace(wanted, seed=seed, uid=self._new_uid())

    def _view(self, item: Interceptor) -> View:
        return View(item, self._counts.count(item.uid), etag_of(item), self._state_of(item))

    def _rehearsed(self, item: Interceptor) -> View:
        """As `_view`, of what is not kept."""
        return View(item, self._counts.count(item.uid), "", self._state_of(item))

    def _state_of(self, item: Interceptor) -> str:
        if self._is_over(item):
            return EXPIRED
        most = item.limits.max_injections
        if most is not None and self._spent(item.uid) >= most:
            return EXHAUSTED
        if item.paused:
            return PAUSED
        return HALTED if self._state.snapshot.halted else ACTIVE


def derived_seed(process_seed: int, scope: Scope, name: str) -> int:
    """Return the seed, 0 to 2**64-1, that one process seed gives the interceptor of this name.

    It depends on nothing else, so that a rerun draws the same whatever was created before.
    """
    parts = [process_seed, scope.virtual_cluster, scope.group, scope.username, name]
    digest = blake2b(json.dumps(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def describe(scope: Scope) -> str:
    """Return `scope` in words, for messages."""
    if not scope.virtual_cluster:
        return "the global scope"
    words = f"virtual cluster {scope.virtual_cluster!r}"
    if scope.group:
        words += f", group {scope.group!r}"
    if scope.username:
        words += f", username {scope.username!r}"
    return words


def _key(item: Interceptor) -> _Key:
    return item.scope, item.name


def _found(items: Mapping[_Key, Interceptor], name: str, scope: Scope) -> Interceptor:
    try:
        return items[scope, name]
    except KeyError:
        raise NotFound(f"there is no interceptor {name!r} in {describe(scope)}") from None
