"""Reads one side of a connection no faster than a rate allows.

Nothing is kept: what may not be read yet stays with the kernel, whose full buffers slow the peer
down. In place of the side's reader stands one that reads a slice, hands it on, and has the side not
read until the slice is paid for. So a side that nobody slows down is read as if this was not here.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from sidecar.net.buffer import READ_SIZE
from sidecar.net.side import Side

SLICE: Final = 0.1
"""Seconds whose bytes are read at once, and that a timer may be late without a loss. So the rate,
which may be none any more, is asked for every tenth of a second, or behind every byte."""


class PacedReader:
    """In the place of a side's `on_readable`, until there is no rate any more.

    Args:
        side: whose reader it takes the place of.
        loop: the hub's.
        rate: bytes a second, above 0; None: no such limit any more.
        failed: told of a bug.
    """

    __slots__ = ("_due", "_failed", "_loop", "_rate", "_read", "_side", "_timer")

    def __init__(
        self,
        side: Side,
        loop: Any,
        rate: Callable[[], int | None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._side = side
        self._read = side.on_readable
        self._loop = loop
        self._rate = rate
        self._failed = failed
        self._due = time.monotonic()
        """When what was read so far is paid for."""
        self._timer: Any = None
        side.paced = True
        side.read_with(self)

    def __call__(self, arrived: int = 0) -> None:
        """Something can be read, or stands in the buffer already and has been paid for."""
        try:
            if not arrived:
                arrived = self._receive()
        except BlockingIOError:
            return
        except OSError:
            arrived = -1
        except Exception as error:  # noqa: BLE001 - a bug ends this connection and nothing else
            self._failed(error)
            return
        if arrived > 0:
            self._read(arrived)
        elif arrived < 0:
            self._read()  # which meets the end, or has no rate to keep to any more

    def stop(self) -> None:
        """Leave the side to its own reader again. Safe to call twice."""
        if self._timer is not None:
            self._timer.close()
            self._timer = None
        self._side.hold(False)
        if self._side.on_readable is self:
            self._side.paced = False
            self._side.read_with(self._read)

    def _receive(self) -> int:
        """Read what may be read now.

        Returns the bytes that stand in the buffer; 0: none yet; -1: its own reader's turn.

        Raises:
            OSError: as `Side.receive`.
        """
        rate = self._rate()
        if rate is None:
            self.stop()
            return -1
        now = time.monotonic()
        if now < self._due:
            self._wait(self._due - now)
            return 0
        before = len(self._side.tail)
        arrived = self._side.receive(max(1, min(READ_SIZE, int(rate * SLICE))))
        if not arrived:
            return -1
        self._due = max(self._due, now - SLICE) + (arrived - before) / rate
        if now < self._due:
            self._wait(self._due - now)
        return arrived

    def _wait(self, seconds: float) -> None:
        self._side.hold(True)
        if self._timer is not None:
            self._timer.close()
        self._timer = self._loop.timer(seconds)
        self._timer.start(self._go_on, update=True)

    def _go_on(self) -> None:
        self._side.hold(False)
