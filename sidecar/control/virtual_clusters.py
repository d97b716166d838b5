"""Which virtual clusters there are: they come into being by use, and are prefix-free (see ADR 9).

A first use is decided in turn under a short lock of its own, which nobody holds while he waits for
anything: the hub, too, asks here when a client authenticates. Where sidecars share a store, such a
name is stored soon after (`settle`); of two that are in each other's way and came at once, the one
that was stored first stays, and the other is refused from then on (see ADR 19).
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sidecar.control.ports import ClientSource
from sidecar.control.state import ControlState, in_turn
from sidecar.model.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from sidecar.model.interceptor import Scope
from sidecar.model.names import PASSTHROUGH, virtual_cluster_name
from sidecar.model.virtual_clusters import MAX_VIRTUAL_CLUSTERS, conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualClusterView:
    """A virtual cluster as its owners see it.

    Args:
        configured: whether it is by GATEWAY_VCLUSTERS, not by use.
        groups: different ones in its user mappings.
        tokens: handed out by this process so far.
    """

    name: str
    configured: bool
    alias_topics: int
    user_mappings: int
    groups: int
    interceptors: int
    tokens: int


class VirtualClusterService:
    """Decides who may be a virtual cluster.

    Args:
        state: what refers to them.
        clients: who is connected.
        configured: when not empty, only these may be used; they must be free of conflicts.
    """

    def __init__(
        self, state: ControlState, clients: ClientSource, configured: Iterable[str] = ()
    ) -> None:
        self._state = state
        self._clients = clients
        self._configured = tuple(configured)
        self._lock = threading.Lock()
        names = (name for name in self._configured if name != PASSTHROUGH)
        self._tokens: dict[str, int] = dict.fromkeys(names, 0)  # replaced whole, as it is read
        self._leaving: str | None = None
        self._stored: frozenset[str] = frozenset()

    @property
    def settled(self) -> bool:
        """Whether the snapshot has all of them, as was true a moment ago."""
        return self._stored.issuperset(self._tokens)

    def settle(self) -> None:
        """Have the names that came by use in the snapshot; raises as commits do. Not on the hub."""
        if not self.settled:
            self._state.in_turn(self._store_names)

    def _store_names(self) -> None:
        names = tuple(dict.fromkeys((*self._state.snapshot.virtual_clusters, *self._tokens)))
        if not self._stored.issuperset(names):
            self._state.commit(virtual_clusters=names)
            self._stored = frozenset(names)

    def follow(self, stored: Iterable[str]) -> tuple[str, ...]:
        """Take over what other sidecars have made of the names; return those that had to give way.

        Args:
            stored: the names there are in the store.
        """
        with self._lock:
            now = tuple(n for n in stored if not self._configured or n in self._configured)
            gone = self._stored.difference(now, self._configured)
            kept = {name: count for name, count in self._tokens.items() if name not in gone}
            rivals = [
                name
                for name in kept
                if name not in now and name not in self._configured and conflict(name, now)
            ]
            stay = {name: count for name, count in kept.items() if name not in rivals}
            self._tokens = {**dict.fromkeys(now, 0), **stay}
            self._stored = frozenset(now)
            return tuple(rivals)

    def claim(self, name: str, *, validate_only: bool = False) -> None:
        """Make `name` a virtual cluster, if it is not one yet. Never waits; any thread may call it.

        With `validate_only` it is only checked that it could be one.

        Raises:
            InvalidArgument: it cannot be one, or not here.
            AlreadyExists: another one is in its way.
            ResourceExhausted: there are too many.
            Unavailable: it is being deleted at this moment.
        """
        if name == PASSTHROUGH or (name in self._tokens and name != self._leaving):
            return
        virtual_cluster_name(name)
        with self._lock:
            self._add(name, validate_only=validate_only)

    def create(self, name: str, *, validate_only: bool = False) -> tuple[VirtualClusterView, bool]:
        """Make `name` a virtual cluster before its first use; return it and whether it is new.

        With `validate_only` it is not made one, but all else is the same. Raises as `claim` does.
        """
        virtual_cluster_name(name, "name")
        if name == PASSTHROUGH:
            raise InvalidArgument.of("name", f"name is {name!r}, which is the cluster as it is")
        with self._lock:
            created = self._add(name, field="name", validate_only=validate_only)
        if not validate_only:
            self._keep(name)
        [view] = self._views({name: self._tokens.get(name, 0)})
        return view, created

    def check_scope(self, scope: Scope) -> None:
        """Return when there is somebody, or might be soon, whom an interceptor of `scope` is for.

        Raises:
            NotFound: its virtual cluster has not come into being, or no user mapping there names
                its group.
        """
        place = scope.virtual_cluster
        if place not in ("", PASSTHROUGH) and place not in self._tokens:
            raise _missing(place)
        mappings = self._state.snapshot.user_mappings
        if scope.group and not any(
            mapping.virtual_cluster == place and scope.group in mapping.groups
            for mapping in mappings
        ):
            raise NotFound(
                f"there is no group {scope.group!r} in virtual cluster {place!r}:"
                " no user mapping names it"
            )

    def _add(
        self, name: str, *, field: str = "virtual_cluster", validate_only: bool = False
    ) -> bool:
        """Add `name`, or check that it could be; return whether it is new. Needs the lock."""
        if name == self._leaving:
            raise Unavailable(f"virtual cluster {name!r} is being deleted: try again")
        if name in self._tokens:
            return False
        if self._configured:
            raise InvalidArgument.of(
                field,
                f"{field} is {name!r}, GATEWAY_VCLUSTERS allows {_listed(self._configured)}",
            )
        rival = conflict(name, self._tokens)
        if rival is not None:
            raise AlreadyExists(
                f"virtual cluster {name!r} cannot stand beside {rival!r}: one name begins with the"
                " other ('.' and '_' are the same here), so both could reach the same topics"
            )
        if len(self._tokens) >= MAX_VIRTUAL_CLUSTERS:
            raise ResourceExhausted(
                f"there are {len(self._tokens)} virtual clusters, no more are allowed: delete some"
            )
        if not validate_only:
            self._tokens = {**self._tokens, name: 0}
        return True

    def count_token(self, name: str) -> None:
        """Claim `name` for a token that is about to be handed out; as `claim`, but it may wait.

        Raises:
            Unavailable: besides, it is new and cannot be stored now.
        """
        if name == PASSTHROUGH:
            return
        virtual_cluster_name(name)
        with self._lock:
            self._add(name)
        self._keep(name)
        with self._lock:
            if name in self._tokens:
                self._tokens = {**self._tokens, name: self._tokens[name] + 1}

    def _keep(self, name: str) -> None:
        """Store a name that was just claimed, or claim it not."""

        def keep() -> None:
            self.claim(name)  # it may have had to give way meanwhile
            self._store_names()

        if name in self._stored:
            return
        try:
            self._state.in_turn(keep)
        except Unavailable:
            with self._lock:
                if name not in self._stored:
                    self._tokens = {n: c for n, c in self._tokens.items() if n != name}
            raise

    def get(self, name: str) -> VirtualClusterView:
        """Return one, or raise NotFound."""
        found = [view for view in self.list() if view.name == name]
        if not found:
            raise _missing(name)
        return found[0]

    def list(self) -> tuple[VirtualClusterView, ...]:
        """Return all of them, in order of their first use, configured ones before."""
        return tuple(self._views(self._tokens))

    def _views(self, tokens: Mapping[str, int]) -> Iterator[VirtualClusterView]:
        snapshot = self._state.snapshot
        aliases = Counter(alias.virtual_cluster for alias in snapshot.alias_topics)
        users = Counter(mapping.virtual_cluster for mapping in snapshot.user_mappings)
        interceptors = Counter(item.scope.virtual_cluster for item in snapshot.interceptors)
        members = {(m.virtual_cluster, group) for m in snapshot.user_mappings for group in m.groups}
        groups = Counter(virtual_cluster for virtual_cluster, _ in members)
        for name, count in tokens.items():
            yield VirtualClusterView(
                name=name,
                configured=name in self._configured,
                alias_topics=aliases[name],
                user_mappings=users[name],
                groups=groups[name],
                interceptors=interceptors[name],
                tokens=count,
            )

    @in_turn
    def delete(self, name: str, *, allow_missing: bool = False) -> None:
        """Free the name. Tokens stay what they are: the next use makes it exist again.

        Raises:
            NotFound: there is none, and not `allow_missing`.
            FailedPrecondition: it is configured, something refers to it, or clients are connected
                to this sidecar.
            Unavailable: whether clients are connected cannot be told now.
        """
        if name not in self._tokens and allow_missing:
            return
        _refuse_if_in_use(self.get(name))
        # From here on no client gets in, so the number of those who are in cannot grow.
        self._leaving = name
        try:
            clients = self._clients.clients(name)
            if clients is None:
                raise Unavailable(
                    f"whether clients of virtual cluster {name!r} are connected cannot be told"
                    " now: try again"
                )
            if clients:
                raise FailedPrecondition(
                    f"virtual cluster {name!r} has client connections: {clients}; end them first"
                )
            others = tuple(n for n in self._state.snapshot.virtual_clusters if n != name)
            self._state.commit(virtual_clusters=others)
            with self._lock:
                self._tokens = {n: c for n, c in self._tokens.items() if n != name}
                self._stored = frozenset(others)
        finally:
            self._leaving = None


def _refuse_if_in_use(view: VirtualClusterView) -> None:
    if view.configured:
        raise FailedPrecondition(
            f"virtual cluster {view.name!r} is one by configuration: GATEWAY_VCLUSTERS names it"
        )
    uses = {
        "alias topics": view.alias_topics,
        "user mappings": view.user_mappings,
        "interceptors": view.interceptors,
    }
    found = ", ".join(f"{what}: {count}" for what, count in uses.items() if count)
    if found:
        raise FailedPrecondition(
            f"virtual cluster {view.name!r} is referred to by {found}; delete them first"
        )


def _missing(name: str) -> NotFound:
    if name == PASSTHROUGH:
        return NotFound(f"{PASSTHROUGH!r} is no virtual cluster: it is the cluster as it is")
    return NotFound(f"there is no virtual cluster {name!r}")


def _listed(names: tuple[str, ...], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
