"""When an interceptor is to end: checked, fixed or kept, as it is created or changed."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from sidecar.control.leases import lasting
from sidecar.model.errors import FailedPrecondition, InvalidArgument
from sidecar.model.interceptor import Interceptor
from sidecar.model.lease import Lease

_SHOWN: Final = 10
"""Leases that a refusal names."""


def leased(wanted: Interceptor, leases: Iterable[Lease], now: float) -> Interceptor:
    """With the lease that has its name, if it has one.

    Raises:
        FailedPrecondition: that lease is not there.
    """
    if not wanted.lease:
        return wanted
    there = lasting(leases, now)
    lease = there.get(wanted.lease)
    if lease is None:
        raise FailedPrecondition(
            f"lease is {wanted.lease!r}, which is not there: create it first"
            + (f"; there are {', '.join(list(there)[:_SHOWN])}" if there else "")
        )
    return replace(wanted, lease_uid=lease.uid)


def dated(wanted: Interceptor, now: float) -> Interceptor:
    """With the time at which it expires, if it does.

    Raises:
        InvalidArgument: that is not in the future.
    """
    if wanted.ttl is not None:
        # To the microsecond, as it is told, so that it comes back the same.
        return replace(wanted, expires=round((now + wanted.ttl) * 1e6) / 1e6)
    if wanted.expires is not None and wanted.expires <= now:
        raise InvalidArgument.of(
            "expire_time",
            f"expire_time is {_moment(wanted.expires)}, allowed are times after now,"
            f" {_moment(now)}",
        )
    return wanted


def controlled(wanted: Interceptor, present: Interceptor) -> Interceptor:
    """With the selector, limits and end of the one that is there; and with the draws it is given,
    as long as they are of the same fault."""
    return replace(
        wanted,
        selector=present.selector,
        limits=present.limits,
        expires=present.expires,
        ttl=present.ttl,
        lease=present.lease,
        lease_uid=present.lease_uid,
        draws=present.draws if wanted.fault == present.fault else (),
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
