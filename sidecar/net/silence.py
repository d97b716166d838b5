"""A connection on which nothing is answered any more, and which stays open."""

import socket
from collections.abc import Callable
from typing import Any, Final

from sidecar import clock
from sidecar.dataplane.actions import Close
from sidecar.net.buffer import STREAM_ROOM, STREAM_SIZE
from sidecar.net.side import Side

TICK: Final = 0.5
"""Seconds between two looks at whether it is over."""


class Silenced:
    """Drops what a client sends, so that its end is seen, until that or until it is over.

    Args:
        client: whose reader this takes the place of.
        loop: the hub's.
        over: why it ends at a time, seconds since the epoch; None while it does not.
        close: told that.
        ended: called when the client is done, or its connection broke.
        failed: told of a bug.
    """

    __slots__ = ("_client", "_close", "_ended", "_failed", "_over", "_timer")

    def __init__(
        self,
        client: Side,
        loop: Any,
        over: Callable[[float], Close | None],
        close: Callable[[Close], None],
        ended: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._client = client
        self._over = over
        self._close = close
        self._ended = ended
        self._failed = failed
        client.tail = b""
        client.read_with(self._drop)
        self._timer: Any = loop.timer(TICK, TICK)
        self._timer.start(self._look, update=True)

    def stop(self) -> None:
        """Look no more. Safe to call twice."""
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _drop(self, arrived: int = 0) -> None:
        """Have the kernel drop what has come."""
        if arrived:
            return
        try:
            if self._client.recv_into(STREAM_ROOM, STREAM_SIZE, socket.MSG_TRUNC):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._ended()

    def _look(self) -> None:
        try:
            close = self._over(clock.now())
            if close is not None:
                self.stop()
                self._close(close)
        except Exception as error:  # noqa: BLE001 - a bug ends this connection and nothing else
            self._failed(error)
