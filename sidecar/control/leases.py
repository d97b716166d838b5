"""The leases: who has one promises to come again, or his interceptors end."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from sidecar import clock
from sidecar.control.state import ControlState, in_turn
from sidecar.model.errors import AlreadyExists, NotFound, ResourceExhausted
from sidecar.model.lease import Lease

MAX_LEASES = 1000
_KEPT_SECONDS = 4000.0
"""For this long the end of a lease is known that interceptors name: longer than they are listed."""


@dataclass(frozen=True, slots=True)
class LeaseView:
    """A lease as its owners see it.

    Args:
        interceptors: that name it and have not expired.
    """

    lease: Lease
    interceptors: int


class LeaseService:
    """Creates, renews and ends leases.

    Args:
        state: where they are published.
        clock: seconds since the epoch.
        new_uid: source of fresh values, for tests to fix.
    """

    def __init__(
        self,
        state: ControlState,
        *,
        clock: Callable[[], float] = clock.now,
        new_uid: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._state = state
        self._clock = clock
        self._new_uid = new_uid

    @in_turn
    def create(self, wanted: Lease) -> LeaseView:
        """Have `wanted` last from now on; one of the same duration is renewed.

        Raises:
            AlreadyExists: one of this name lasts, with another duration.
            ResourceExhausted: there are too many.
        """
        now = self._clock()
        there = lasting(self._state.snapshot.leases, now)
        present = there.get(wanted.name)
        if present is None:
            if len(there) >= MAX_LEASES:
                raise ResourceExhausted(
                    f"there are {len(there)} leases, no more are allowed: release some"
                )
            present = replace(wanted, uid=self._new_uid())
        elif present.duration != wanted.duration:
            raise AlreadyExists(
                f"lease {wanted.name!r} exists with duration {present.duration:g} s"
            )
        return self._put(replace(present, expires=now + present.duration), now)

    @in_turn
    def renew(self, name: str, duration: float | None = None) -> LeaseView:
        """Have a lease last for its duration from now on, or for another one.

        Raises:
            NotFound: there is none that lasts.
            InvalidArgument: the duration is bad.
        """
        now = self._clock()
        present = self._found(name, now)
        seconds = present.duration if duration is None else duration
        return self._put(replace(present, duration=seconds, expires=now + seconds), now)

    @in_turn
    def release(self, name: str, *, allow_missing: bool = False) -> None:
        """End a lease now, or raise NotFound unless `allow_missing`."""
        now = self._clock()
        if allow_missing and name not in lasting(self._state.snapshot.leases, now):
            return
        self._put(replace(self._found(name, now), expires=now), now)

    def list(self) -> tuple[LeaseView, ...]:
        """Return those that last, in order of creation."""
        there = lasting(self._state.snapshot.leases, self._clock())
        return tuple(self._view(lease) for lease in there.values())

    def _found(self, name: str, now: float) -> Lease:
        found = lasting(self._state.snapshot.leases, now).get(name)
        if found is None:
            raise NotFound(f"there is no lease {name!r}, or it is over")
        return found

    def _put(self, lease: Lease, now: float) -> LeaseView:
        since = now - _KEPT_SECONDS
        snapshot = self._state.snapshot
        named = {item.lease_uid for item in snapshot.interceptors}
        known = {
            item.uid: item
            for item in snapshot.leases
            if item.expires > (since if item.uid in named else now)
        }
        known[lease.uid] = lease
        self._state.commit(leases=tuple(known.values()))
        return self._view(lease)

    def _view(self, lease: Lease) -> LeaseView:
        now = self._clock()
        items = self._state.snapshot.interceptors
        mine = (item for item in items if item.lease_uid == lease.uid)
        return LeaseView(lease, sum(now < item.ends({lease.uid: lease}) for item in mine))


def lasting(leases: Iterable[Lease], now: float) -> dict[str, Lease]:
    """Those that are not over, by name, in order of creation."""
    return {lease.name: lease for lease in leases if now < lease.expires}
