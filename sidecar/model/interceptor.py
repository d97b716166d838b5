"""Interceptors: a fault, who it applies to, and in which order."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sidecar.model.errors import InvalidArgument
from sidecar.model.faults import Fault, exact
from sidecar.model.identity import Identity
from sidecar.model.lease import Lease
from sidecar.model.limits import UNLIMITED, Limits
from sidecar.model.names import resource_name, virtual_cluster_name
from sidecar.model.selector import EVERYTHING, Selector

MAX_PRIORITY = 2**31 - 1
MAX_DRAWS = 10_000
"""Numbers of draws that an interceptor may be given."""
MAX_DRAW = 2**63 - 1
MAX_TTL = 366 * 86_400
"""Seconds."""
NEVER = math.inf
"""When an interceptor ends that does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whom an interceptor applies to; all empty is global.

    Args:
        virtual_cluster: a tenant, or ``passthrough``; empty for every one.
        group, username: narrow it further; at most one of them, and only inside a virtual cluster.

    Raises:
        InvalidArgument: a name is not one, or the combination means nothing.
    """

    virtual_cluster: str = ""
    group: str = ""
    username: str = ""

    def __post_init__(self) -> None:
        if self.virtual_cluster:
            virtual_cluster_name(self.virtual_cluster, "scope.virtual_cluster")
        for name, value in (("group", self.group), ("username", self.username)):
            if value:
                resource_name(value, f"scope.{name}")
                if not self.virtual_cluster:
                    raise InvalidArgument.of(
                        f"scope.{name}", f"scope.{name} needs scope.virtual_cluster beside it"
                    )
        if self.group and self.username:
            raise InvalidArgument.of(
                "scope.group", "scope.group and scope.username exclude each other"
            )

    @property
    def specificity(self) -> int:
        """Higher wins when one name exists in several scopes: username > group > vcluster."""
        if self.username:
            return 3
        if self.group:
            return 2
        return 1 if self.virtual_cluster else 0

    def covers(self, who: Identity) -> bool:
        """Whether `who` is in this scope."""
        return (
            self.virtual_cluster in ("", who.virtual_cluster)
            and (self.username in ("", who.username) or self.username in who.other_names)
            and (not self.group or self.group in who.groups)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Interceptor:
    """One configured fault.

    Args:
        name: chosen by the client, unique within its scope.
        scope: whom it applies to.
        priority: lower runs first.
        fault: what it does.
        annotations: a client's own notes, kept and returned as they came.
        selector: which of their requests it is about.
        limits: how much it may do.
        expires: seconds since the epoch from which on it does nothing; None is never.
        ttl: seconds after which a client wanted it to expire; kept to tell a repeated wish.
        lease: the name of the lease with which it ends; empty for none.
        lease_uid: which of the leases of that name; given by the service.
        paused: whether it does nothing for the time being; never given by the client.
        draws: the numbers of the draws that strike, in place of rate and seed; none: as they say.
        given: the fields of the fault that the client gave, so that it is told no others; None: all
            that are not what they are by themselves.
        seed: the seed its draws really use; given at creation, never by the client.
        uid: changes whenever the draws start anew (creation, replacement).

    Raises:
        InvalidArgument: the name, priority, ttl or the name of the lease is bad.
    """

    name: str
    scope: Scope
    priority: int
    fault: Fault
    annotations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    selector: Selector = EVERYTHING
    limits: Limits = UNLIMITED
    expires: float | None = None
    ttl: float | None = None
    lease: str = ""
    lease_uid: str = ""
    paused: bool = False
    draws: tuple[int, ...] = ()
    given: frozenset[str] | None = None
    seed: int = 0
    uid: str = ""

    def __post_init__(self) -> None:
        resource_name(self.name, "name")
        if not 0 <= self.priority <= MAX_PRIORITY:
            raise InvalidArgument.of(
                "priority", f"priority is {self.priority}, allowed are 0 to {MAX_PRIORITY}"
            )
        if self.ttl is not None and not 0 < self.ttl <= MAX_TTL:
            raise InvalidArgument.of(
                "ttl", f"ttl is {exact(self.ttl)} s, allowed are above 0 s and up to {MAX_TTL} s"
            )
        if self.lease:
            resource_name(self.lease, "lease")
        self._check_draws()

    def _check_draws(self) -> None:
        if len(self.draws) > MAX_DRAWS:
            told = f"draws has {len(self.draws)} numbers, at most {MAX_DRAWS} are allowed"
            raise InvalidArgument.of("draws", told)
        for number in self.draws:
            if not 0 <= number <= MAX_DRAW:
                told = f"draws has {number}, allowed are 0 to {MAX_DRAW}"
                raise InvalidArgument.of("draws", told)
        if self.draws and getattr(self.fault, "draws_for_itself", False):
            told = "draws is not empty, allowed with draws for partitions or windows is empty"
            raise InvalidArgument.of("draws", told)

    def ends(self, leases: Mapping[str, Lease]) -> float:
        """When it does nothing any more, seconds since the epoch; `NEVER` if that is not known.

        Args:
            leases: by uid; one that is not there was over long ago.
        """
        end = NEVER if self.expires is None else self.expires
        if not self.lease_uid:
            return end
        lease = leases.get(self.lease_uid)
        return min(end, lease.expires) if lease is not None else -NEVER


def resolve(interceptors: Iterable[Interceptor], who: Identity) -> tuple[Interceptor, ...]:
    """The interceptors that apply to `who`, in the order they run.

    Of one name only the most specific scope counts (several groups of one user count together);
    then by priority, equal priorities by name so that every sidecar agrees.
    """
    best: dict[str, list[Interceptor]] = {}
    for candidate in interceptors:
        if not candidate.scope.covers(who):
            continue
        rivals = best.setdefault(candidate.name, [])
        if rivals and rivals[0].scope.specificity > candidate.scope.specificity:
            continue
        if rivals and rivals[0].scope.specificity < candidate.scope.specificity:
            rivals.clear()
        rivals.append(candidate)
    chosen = (i for rivals in best.values() for i in rivals)
    return tuple(sorted(chosen, key=lambda i: (i.priority, i.name, i.scope.group)))
