"""The end of a client's session: it has to show again who it is before (KIP-368)."""

from collections.abc import Callable
from typing import Any, Final

from sidecar import clock

GRACE: Final = 5.0
"""Seconds for what has been asked before; then the connection is cut."""
_STEP: Final = 0.02


class Expiry:
    """When the session of a connection ends, if it does.

    Args:
        loop: the hub's.
        end: ends it between two requests; False where that has to wait. Must not wait itself.
        cut: ends it at once.
        failed: told of a bug.
    """

    __slots__ = ("_begun", "_cut", "_end", "_failed", "_loop", "_timer", "_when")

    def __init__(
        self,
        loop: Any,
        end: Callable[[], bool],
        cut: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._loop = loop
        self._end = end
        self._cut = cut
        self._failed = failed
        self._when = 0.0
        self._begun = False
        self._timer: Any = None

    def at(self, when: float) -> None:
        """It ends then, seconds since the epoch, whatever was said before."""
        self._when = when
        self._begun = False
        self._again(when - clock.now())

    def stop(self) -> None:
        """It does not end by this any more; safe to call twice."""
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _again(self, seconds: float) -> None:
        self.stop()
        self._timer = self._loop.timer(max(0.0, seconds))
        self._timer.start(self._on_time, update=True)

    def _on_time(self) -> None:
        try:
            left = self._when + GRACE - clock.now()
            if left <= 0:
                self.stop()
                self._cut()
            elif self._begun or self._end():
                self._begun = True
                self._again(left)
            else:
                self._again(_STEP)
        except Exception as error:  # noqa: BLE001 - a bug ends this connection and nothing else
            self._failed(error)
