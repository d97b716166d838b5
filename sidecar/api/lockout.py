"""Slows down who guesses: failed authentications by address."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from sidecar.model.errors import ResourceExhausted

FAILURES_AT_ONCE: Final = 20
"""Failures that an address may have before it has to wait."""
SECONDS_A_FAILURE: Final = 3.0
"""One more every so often."""
MAX_ADDRESSES: Final = 4096
"""Addresses that are kept in mind; the one that failed longest ago is forgotten first."""


class Lockout:
    """Refuses an address that has failed too often, right credentials or not.

    Args:
        clock: seconds on a monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._forgiven: OrderedDict[str, float] = OrderedDict()
        """By address: when all its failures are forgiven."""

    def check(self, address: str) -> None:
        """Return if `address` may try; raise ResourceExhausted."""
        with self._lock:
            due = self._forgiven.get(address, 0.0) - self._clock()
        if due > (FAILURES_AT_ONCE - 1) * SECONDS_A_FAILURE:
            wait = math.ceil(due - (FAILURES_AT_ONCE - 1) * SECONDS_A_FAILURE)
            raise ResourceExhausted(
                f"too many failed authentications from {address or 'there'}: retry in {wait} s"
            )

    def failed(self, address: str) -> None:
        """Take note of a failure."""
        with self._lock:
            now = self._clock()
            since = max(now, self._forgiven.get(address, now))
            self._forgiven[address] = since + SECONDS_A_FAILURE
            self._forgiven.move_to_end(address)
            if len(self._forgiven) > MAX_ADDRESSES:
                self._forgiven.popitem(last=False)
