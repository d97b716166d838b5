"""The time by which this process goes: seconds since the epoch, which nobody can set.

The machine's clock may be set by an hour while clients are served. What lasts for a while here (a
partition without a leader, an answer that is held back, a lease) would then end at once, or last an
hour longer. So this clock counts what has passed, and goes towards the machine's by being a little
fast or slow, as NTP has it when it does not step: in the end both agree, and it never jumps.

Dates that other machines are told stay the machine's own: log lines, tokens, certificates.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

SLEW: Final = 1 / 20
"""Seconds by which it is fast or slow in each, until both agree: an hour takes twenty."""
_LOOK_SECONDS: Final = 1.0
_LONGEST: Final = 10.0
"""After nobody has asked for long, so much of that time counts, for a small step at most."""
_AGREED: Final = 0.1

# With the time for which the machine slept, where the kernel counts that.
_passed: Final = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    if hasattr(time, "CLOCK_BOOTTIME")
    else time.monotonic
)

Event = TypeVar("Event")


class Clock:
    """Calling it gives the time. Safe to call from any thread.

    Args:
        machine: seconds since the epoch; may be set.
        passed: seconds that only grow, at the same pace.
    """

    def __init__(
        self,
        machine: Callable[[], float] = time.time,
        passed: Callable[[], float] = _passed,
    ) -> None:
        self._machine = machine
        self._passed = passed
        self._lock = threading.Lock()
        self._looked = passed()
        self.ahead = machine() - self._looked
        """Of `passed`, seconds; the same in all processes of a sidecar, which share that clock."""
        self.off = 0.0
        """Seconds that the machine's clock is ahead, when it was last looked at; 0: they agree."""

    def __call__(self) -> float:
        """Seconds since the epoch."""
        passed = self._passed()
        if passed - self._looked >= _LOOK_SECONDS:
            self._look(passed)
        return self.ahead + passed

    def join(self, ahead: float) -> None:
        """Go by the time of another process, which is this far ahead."""
        with self._lock:
            self.ahead = ahead

    def dated(self, events: Sequence[Event]) -> Sequence[Event]:
        """Events, whose `time` is of this clock, with that of the machine's."""
        if not self.off:
            return events
        return [_at(event, self.off) for event in events]

    def _look(self, passed: float) -> None:
        with self._lock:
            most = min(max(0.0, passed - self._looked), _LONGEST) * SLEW
            self._looked = max(passed, self._looked)
            off = self._machine() - self._passed() - self.ahead
            self.ahead += max(-most, min(off, most))
            self.off = off if abs(off) > _AGREED else 0.0


def _at(event: Any, off: float) -> Any:
    time = event.time + off
    return event._replace(time=time) if hasattr(event, "_replace") else replace(event, time=time)


now: Final = Clock()
"""That of this process."""
