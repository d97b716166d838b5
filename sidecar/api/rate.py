"""A token bucket, so that a flood of control calls cannot starve the data plane of the CPU."""

import threading
import time
from collections.abc import Callable

from sidecar.model.errors import Refused


class TokenBucket:
    """Lets `rate` calls per second through, and up to `burst` at once after a rest.

    Args:
        clock: seconds on a monotonic clock.
    """

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._level = burst
        self._filled_at = clock()

    def take(self) -> None:
        """Let one call through, or raise Refused."""
        with self._lock:
            now = self._clock()
            gained = (now - self._filled_at) * self._rate
            self._level = min(self._burst, self._level + gained)
            self._filled_at = now
            if self._level < 1:
                raise Refused(
                    "rate",
                    f"too many control calls: {self._rate:g} per second are allowed, retry later",
                )
            self._level -= 1
