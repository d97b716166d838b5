"""The end of a client's session: it has to show again who it is before (KIP-368)."""

from typing import TYPE_CHECKING, Any, Final

from sidecar import clock
from sidecar.dataplane.actions import Close

if TYPE_CHECKING:
    from sidecar.net.relay import Relay

GRACE: Final = 5.0
"""Seconds for what has been asked before; then the connection is cut."""
_STEP: Final = 0.02
_EXPIRED: Final = Close("session_expired", "the client has not shown again in time who it is")


class Expiry:
    """When the session of a connection ends, if it does; must not wait.

    Args:
        relay: of the connection.
    """

    __slots__ = ("_begun", "_relay", "_timer", "_when")

    def __init__(self, relay: "Relay") -> None:
        self._relay = relay
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
        self._timer = self._relay.loop.timer(max(0.0, seconds))
        self._timer.start(self._on_time, update=True)

    def _on_time(self) -> None:
        try:
            self._look()
        except Exception as error:  # noqa: BLE001 - a bug ends this connection and nothing else
            self._relay.failed(error)

    def _look(self) -> None:
        relay = self._relay
        left = self._when + GRACE - clock.now()
        if relay.session.halted and not self._begun:
            self.stop()  # it ends already, or a fault keeps it silent, and nothing is served
        elif left <= 0:
            relay.close(_EXPIRED)
        else:
            if not self._begun and relay.between_requests:
                self._begun = True
                relay.finish(_EXPIRED)
            if not relay.done.is_set():
                self._again(left if self._begun else _STEP)
