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

from sidecar.control.state import ControlState
from sidecar.model.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
)
from sidecar.model.identity import Identity
from sidecar.model.interceptor import Interceptor, Scope, resolve
from sidecar.model.user_mapping import mapped

MAX_INTERCEPTORS = 1000
"""Keeps a listing (11 ms) and the data side's matching (0.1 ms for each user) short."""
MAX_ANNOTATION_BYTES = 4096
"""Keys and values of one interceptor together."""
MAX_ALL_ANNOTATION_BYTES = 2 * 1024 * 1024
"""The same of all of them, and `_ENTRY_BYTES` for each key.

With this a listing of the longest names stays below 4 MiB, which is what gRPC clients take.
"""

_ENTRY_BYTES = 9  # what protobuf puts around a key and a value, at most

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
    """

    interceptor: Interceptor
    injections: int
    etag: str


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
        process_seed: seeds of interceptors without their own are derived from it; None makes them
            random.
        processes: how many serve clients.
        random_seed, new_uid: sources of fresh values, for tests to fix.
    """

    def __init__(
        self,
        state: ControlState,
        counts: InjectionCounts,
        *,
        process_seed: int | None = None,
        processes: int = 1,
        random_seed: Callable[[], int] = lambda: secrets.randbits(64),
        new_uid: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._state = state
        self._counts = counts
        self._process_seed = process_seed
        self._processes = processes
        self._random_seed = random_seed
        self._new_uid = new_uid
        self._items: dict[_Key, Interceptor] = {}  # replaced whole, so that readers need no lock
        self._annotation_bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    def create(self, wanted: Interceptor, *, require_new: bool = False) -> View:
        """Add `wanted` (its seed and uid are given here); an identical one is left as it is.

        Raises:
            AlreadyExists: the name is taken in this scope by other content, or at all when
                `require_new`.
            InvalidArgument: the annotations are too long.
            FailedPrecondition: its fault needs one process, and there are more.
            ResourceExhausted: there are too many interceptors, or all their annotations together
                are too long.
        """
        with self._state.lock:
            present = self._items.get(_key(wanted))
            if present is None:
                return self._view(self._add(wanted))
            if require_new or not _same(wanted, present):
                raise AlreadyExists(
                    f"interceptor {wanted.name!r} exists in {describe(wanted.scope)}"
                    f"{'' if require_new else ' with other content'}"
                )
            return self._view(present)

    def get(self, name: str, scope: Scope) -> View:
        """Return one interceptor, or raise NotFound."""
        return self._view(_found(self._items, name, scope))

    def list(self, scope: Scope | None = None) -> tuple[View, ...]:
        """Return those of exactly this scope, or all for None, in order of creation."""
        return tuple(self._view(i) for i in self._items.values() if scope in (None, i.scope))

    def update(
        self,
        wanted: Interceptor,
        *,
        allow_missing: bool = False,
        etag: str = "",
        validate_only: bool = False,
    ) -> Updated:
        """Replace an interceptor; return it, whether it was created by this, and whether changed.

        An identical one is left as it is. While the fault stays the same, seed and uid stay too:
        its draws go on. With `validate_only` nothing is replaced, but all else is the same.

        Raises:
            NotFound: it does not exist, and not `allow_missing`.
            Aborted: `etag` is neither empty nor the current one.
            InvalidArgument, FailedPrecondition, ResourceExhausted: as in `create`.
        """
        with self._state.lock:
            if allow_missing and not etag and _key(wanted) not in self._items:
                added = self._add(wanted, validate_only=validate_only)
                view = View(wanted, 0, "") if validate_only else self._view(added)
                return Updated(view, created=True, changed=True)
            present = _found(self._items, wanted.name, wanted.scope)
            _check_etag(present, etag)
            if _same(wanted, present):
                return Updated(self._view(present), created=False, changed=False)
            size = self._grown(wanted.annotations, present.annotations)
            if wanted.fault == present.fault:
                changed = replace(wanted, seed=present.seed, uid=present.uid)
            else:
                changed = self._seeded(wanted)
            if validate_only:
                kept = changed if changed.uid == present.uid else wanted
                view = View(kept, self._counts.count(kept.uid), "")
                return Updated(view, created=False, changed=True)
            self._commit({**self._items, _key(wanted): changed}, size)
            if changed.uid != present.uid:
                self._counts.forget(present.uid)
            return Updated(self._view(changed), created=False, changed=True)

    def delete(
        self, name: str, scope: Scope, *, allow_missing: bool = False, etag: str = ""
    ) -> None:
        """Remove an interceptor.

        Raises:
            NotFound: it does not exist, and not `allow_missing`.
            Aborted: `etag` is neither empty nor the current one.
        """
        with self._state.lock:
            if allow_missing and (scope, name) not in self._items:
                return
            present = _found(self._items, name, scope)
            _check_etag(present, etag)
            others = self._items.copy()
            del others[_key(present)]
            self._commit(others, self._annotation_bytes - _weight(present.annotations))
            self._counts.forget(present.uid)

    def resolve(self, who: Identity) -> tuple[View, ...]:
        """Return what applies to `who`, user mappings included, in the order in which it runs."""
        known = mapped(who, self._state.snapshot.user_mappings)
        return tuple(self._view(item) for item in resolve(self._items.values(), known))

    def _add(self, wanted: Interceptor, *, validate_only: bool = False) -> Interceptor:
        size = self._grown(wanted.annotations, {})
        if len(self._items) >= MAX_INTERCEPTORS:
            raise ResourceExhausted(
                f"there are {len(self._items)} interceptors, no more are allowed: delete some"
            )
        added = self._seeded(wanted)
        if not validate_only:
            self._commit({**self._items, _key(added): added}, size)
        return added

    def _grown(self, wanted: Mapping[str, str], present: Mapping[str, str]) -> int:
        """Return the size of all annotations once `wanted` has replaced `present`, or refuse."""
        _check_annotations(wanted)
        size = self._annotation_bytes + _weight(wanted) - _weight(present)
        if size > MAX_ALL_ANNOTATION_BYTES:
            raise ResourceExhausted(
                f"the annotations of all interceptors would have {size} bytes,"
                f" at most {MAX_ALL_ANNOTATION_BYTES} are allowed: shorten or delete some"
            )
        return size

    def _commit(self, items: dict[_Key, Interceptor], annotation_bytes: int) -> None:
        self._state.commit(interceptors=tuple(items.values()))
        self._items = items
        self._annotation_bytes = annotation_bytes

    def _seeded(self, wanted: Interceptor) -> Interceptor:
        if self._processes > 1 and getattr(wanted.fault, "needs_one_process", False):
            raise FailedPrecondition(
                f"interceptor {wanted.name!r} keeps in mind what all connections must see, which"
                f" needs one process: GATEWAY_WORKERS is {self._processes}, allowed is 1"
            )
        seed = wanted.fault.seed
        if seed is None and self._process_seed is not None:
            seed = derived_seed(self._process_seed, wanted.scope, wanted.name)
        if seed is None:
            seed = self._random_seed()
        return replace(wanted, seed=seed, uid=self._new_uid())

    def _view(self, item: Interceptor) -> View:
        return View(item, self._counts.count(item.uid), _etag(item))


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


def _same(wanted: Interceptor, present: Interceptor) -> bool:
    return replace(wanted, seed=present.seed, uid=present.uid) == present


def _check_etag(present: Interceptor, etag: str) -> None:
    if etag and etag != _etag(present):
        raise Aborted(
            f"interceptor {present.name!r} was changed meanwhile: etag is {etag!r},"
            f" the current one is {_etag(present)!r}"
        )


def _size(annotations: Mapping[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())


def _weight(annotations: Mapping[str, str]) -> int:
    """What `annotations` add to a listing, at most, in bytes."""
    return _size(annotations) + _ENTRY_BYTES * len(annotations)


def _check_annotations(annotations: Mapping[str, str]) -> None:
    size = _size(annotations)
    if size > MAX_ANNOTATION_BYTES:
        raise InvalidArgument.of(
            "annotations",
            f"annotations has {size} bytes of keys and values,"
            f" at most {MAX_ANNOTATION_BYTES} are allowed",
        )


def _etag(item: Interceptor) -> str:
    content = (item.uid, item.priority, repr(item.fault), sorted(item.annotations.items()))
    return blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()
