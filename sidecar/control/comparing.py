"""Whether an interceptor is still what a caller takes it for."""

from dataclasses import replace
from hashlib import blake2b

from sidecar.model.errors import Aborted
from sidecar.model.interceptor import Interceptor


def same(wanted: Interceptor, present: Interceptor) -> bool:
    """Whether it is what is there, but for what the service has given it."""
    if wanted.ttl is None:
        wanted = replace(wanted, ttl=present.ttl)
    else:
        wanted = replace(wanted, expires=present.expires)
    seed, uid, paused = present.seed, present.uid, present.paused
    return replace(wanted, seed=seed, uid=uid, paused=paused) == present


def check_etag(present: Interceptor, etag: str) -> None:
    """Refuse an etag that is neither empty nor the current one.

    Raises:
        Aborted: it is another.
    """
    if etag and etag != etag_of(present):
        raise Aborted(
            f"interceptor {present.name!r} was changed meanwhile: etag is {etag!r},"
            f" the current one is {etag_of(present)!r}"
        )


def etag_of(item: Interceptor) -> str:
    """What changes with every change of the interceptor."""
    # One uid is never of two scopes or names; a time to live shows in the time it expires.
    content = (item.uid, item.priority, item.fault, sorted(item.annotations.items()))
    control = (item.selector, item.limits, item.expires, item.lease_uid, item.paused, item.draws)
    given = None if item.given is None else sorted(item.given)
    return blake2b(repr((content, control, given)).encode(), digest_size=8).hexdigest()
