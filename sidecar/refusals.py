"""Calls and requests that were turned away at a door: counted, and told of in few lines.

A line for each would let whoever is refused fill the log.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

SECONDS: Final = 5.0
"""Between two lines about refusals of one kind from one address."""
MAX_KINDS: Final = 20
"""Kinds and addresses that are told one by one in that time; the rest is told together."""
OTHERS: Final = "others"

_Key = tuple[str, str, str]


class Refusals:
    """Counts refusals; the first of a kind is logged at once, what follows together.

    Any thread may call it.

    Args:
        log: logs an event and its fields.
        count: told of each refusal, by door and reason.
        clock: seconds on a monotonic clock.
        later: calls a function after so many seconds, on another thread.
    """

    def __init__(
        self,
        log: Callable[..., object],
        count: Callable[[str, str], object],
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], object] | None = None,
    ) -> None:
        self._log = log
        self._count = count
        self._clock = clock
        self._later = later or _later
        self._lock = threading.Lock()
        self._told_at: float | None = None
        self._waiting: dict[_Key, int] = {}
        """What was refused since, by door, reason and address; empty while nobody is refused."""

    def note(self, door: str, reason: str | int, address: str) -> None:
        """Take note of one.

        Args:
            door: ``grpc`` or ``rest``.
            reason: one of few words, or an HTTP status.
            address: of the caller.
        """
        key = (door, str(reason), address)
        self._count(*key[:2])
        with self._lock:
            if self._told_at is not None:
                if key not in self._waiting and len(self._waiting) >= MAX_KINDS:
                    key = (*key[:2], OTHERS)
                self._waiting[key] = self._waiting.get(key, 0) + 1
                return
            self._told_at = self._clock()
        self._tell({key: 1}, 0.0)
        self._later(SECONDS, self._next)

    def flush(self) -> None:
        """Tell of what has not been told."""
        with self._lock:
            told, self._waiting = self._waiting, {}
            since = self._clock() - (self._told_at or self._clock())
        self._tell(told, since)

    def _next(self) -> None:
        with self._lock:
            now = self._clock()
            told, self._waiting = self._waiting, {}
            since = now - (self._told_at or now)
            self._told_at = now if told else None
        self._tell(told, since)
        if told:
            self._later(SECONDS, self._next)

    def _tell(self, told: dict[_Key, int], seconds: float) -> None:
        for (door, reason, address), count in told.items():
            fields: dict[str, Any] = {"door": door, "reason": reason, "address": address}
            self._log("control_calls_refused", **fields, count=count, seconds=round(seconds, 1))


def _later(seconds: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
