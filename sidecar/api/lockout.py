"""Slows down who guesses: failed authentications by address and user name."""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from sidecar.model.errors import Refused

FAILURES_AT_ONCE: Final = 20
"""Failures that a user name may have from an address before it has to wait there."""
SECONDS_A_FAILURE: Final = 3.0
"""One more every so often."""
MAX_ADDRESSES: Final = 4096
"""Addresses that are kept in mind; the one that failed longest ago is forgotten first."""
MAX_NAMES: Final = 32
"""User names that are told apart at an address; further ones count as one. Names that do not exist
count as others do, so that nobody learns which do."""
CLIENTS: Final = 10
"""As many clients that guess a bridge may have before the others wait with them, where it is not
believed whose calls it makes: all that it claims count together, each a tenth."""
_OTHERS: Final = b"others"
PREFIX: Final = 64
"""Bits of an IPv6 address that count: whoever has one has the rest of them, too."""

_Place = tuple[str, str | None]
"""Address and claim; the claim is empty where there is none, None for all claims together."""


class Lockout:
    """Refuses a user name from an address where it has failed too often, right password or not.

    By name alone anybody could lock anybody out; by address alone one guesser would lock out
    everybody behind a proxy.

    Args:
        clock: seconds on a monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._forgiven: OrderedDict[_Place, dict[bytes, float]] = OrderedDict()
        """By place and name: when all failures are forgiven."""

    def check(self, address: str, username: str, claimed: str = "") -> None:
        """Return if a caller may try; raise Refused.

        Args:
            address: where it calls from.
            username: whom it says it is.
            claimed: whose call it says it makes.
        """
        due = 0.0
        with self._lock:
            now = self._clock()
            for place, _ in _places(address, claimed):
                names = self._forgiven.get(place, {})
                due = max(due, names.get(_counted_as(username, names, now), now) - now)
        if due > (FAILURES_AT_ONCE - 1) * SECONDS_A_FAILURE:
            wait = math.ceil(due - (FAILURES_AT_ONCE - 1) * SECONDS_A_FAILURE)
            raise Refused(
                "lockout",
                f"too many failed authentications from {address or 'there'}: retry in {wait} s",
                wait,
            )

    def failed(self, address: str, username: str, claimed: str = "") -> None:
        """Take note of a failure; arguments as above."""
        with self._lock:
            now = self._clock()
            for place, share in _places(address, claimed):
                names = self._forgiven.setdefault(place, {})
                name = _counted_as(username, names, now)
                names[name] = max(now, names.get(name, now)) + SECONDS_A_FAILURE * share
                self._forgiven.move_to_end(place)
            while len(self._forgiven) > MAX_ADDRESSES:
                self._forgiven.popitem(last=False)


def _counted_as(username: str, names: dict[bytes, float], now: float) -> bytes:
    """What a name is counted as; takes out of `names` what is forgiven when they are too many."""
    name = blake2b(username.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    if name in names or len(names) < MAX_NAMES:
        return name
    for forgiven in [each for each, until in names.items() if until <= now]:
        del names[forgiven]
    return name if len(names) < MAX_NAMES else _OTHERS


def _places(address: str, claimed: str) -> tuple[tuple[_Place, float], ...]:
    """Where a failure counts, and how much."""
    place = place_of(address)
    own = ((place, place_of(claimed)), 1.0)
    return (own, ((place, None), 1 / CLIENTS)) if claimed else (own,)


def place_of(address: str) -> str:
    """What an address is counted by: its network where it is IPv6, else itself."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), PREFIX), strict=False))
