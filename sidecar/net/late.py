"""A response that must not leave before a certain time."""

from collections.abc import Callable
from typing import Any

from sidecar import clock
from sidecar.dataplane.actions import Chunks


class Late:
    """The response of a connection that is held back, if there is one.

    Args:
        loop: the hub's.
        release: given the response when its time has come; must not wait.
        failed: told of a bug.
    """

    __slots__ = ("_data", "_failed", "_loop", "_release", "_timer")

    def __init__(
        self, loop: Any, release: Callable[[bytes], None], failed: Callable[[Exception], None]
    ) -> None:
        self._loop = loop
        self._release = release
        self._failed = failed
        self._data: bytes | None = None
        self._timer: Any = None

    def __bool__(self) -> bool:
        return self._data is not None

    def hold(self, until: float, chunks: Chunks) -> None:
        """Keep a copy of a response until then, seconds since the epoch."""
        self._data = b"".join(chunks)
        self._timer = self._loop.timer(max(0.0, until - clock.now()))
        # From now on, not from when the loop last looked at its clock: it would be early by that.
        self._timer.start(self._on_time, update=True)

    def stop(self) -> None:
        """Forget it; safe to call twice."""
        if self._timer is not None:
            self._timer.close()
            self._timer = None
        self._data = None

    def _on_time(self) -> None:
        data = self._data or b""
        self.stop()
        try:
            self._release(data)
        except Exception as error:  # noqa: BLE001 - a bug ends this connection and nothing else
            self._failed(error)
