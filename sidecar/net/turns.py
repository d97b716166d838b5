"""The rest of what a client sent at once, which waits until others have had their turn.

A read brings up to 8,700 of the smallest requests. Those that pass as they are cost nothing worth
speaking of; those the session has to see cost some 40 us each, and while one client's are decided
about, everybody waits.
"""

from collections.abc import Callable
from typing import Any, Final

MOST_DECIDED: Final = 32
"""Requests of one connection that the session sees in one turn of the loop."""


class Turns:
    """Whether the tail of a client waits for its next turn, and the timer that brings it.

    Args:
        loop: the hub's.
        go_on: called, once for each `begin_next`, when the others have had their turn.
        failed: told of a bug.
    """

    __slots__ = ("_failed", "_go_on", "_loop", "_timer", "due")

    def __init__(
        self, loop: Any, go_on: Callable[[], None], failed: Callable[[Exception], None]
    ) -> None:
        self._loop = loop
        self._go_on = go_on
        self._failed = failed
        self._timer: Any = None
        self.due = False
        """Whether something waits for its turn."""

    def begin_next(self) -> None:
        """Go on in the next turn. Safe to call twice."""
        if self._timer is None:
            # Of no time: the loop looks at every socket once before it comes.
            self._timer = self._loop.timer(0.0)
            self._timer.start(self._on_turn)

    def stop(self) -> None:
        """Forget it; safe to call twice."""
        if self._timer is not None:
            self._timer.close()
            self._timer = None
        self.due = False

    def _on_turn(self) -> None:
        self.stop()
        try:
            self._go_on()
        except Exception as error:  # noqa: BLE001 - a bug ends this connection and nothing else
            self._failed(error)
