"""A request that has to wait: until a broker has been asked which topics its ids are of, say."""

from collections.abc import Callable
from contextlib import suppress

import gevent

from codec.errors import CodecError

LookUpTopics = Callable[[frozenset[bytes]], None]
"""Has a directory learn of topic ids; may wait. Raises OSError or CodecError where no broker can be
asked."""


class Held:
    """The held request of a connection, if there is one.

    Args:
        go_on: given the request when that is done; must not wait.
        give_up: told why it cannot be done.
        failed: told of a bug.
    """

    __slots__ = ("_failed", "_frame", "_give_up", "_go_on")

    def __init__(
        self,
        go_on: Callable[[memoryview], None],
        give_up: Callable[[str], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._go_on = go_on
        self._give_up = give_up
        self._failed = failed
        self._frame: bytes | None = None

    def __bool__(self) -> bool:
        return self._frame is not None

    def ask(self, asking: Callable[[], None], frame: memoryview | None) -> None:
        """Ask, in a greenlet, and keep a request, without its size, until that is done.

        `asking` may wait, and raises as `LookUpTopics`. Without a request nothing waits, and it
        does not matter if nobody can be asked.
        """
        if frame is None:
            gevent.spawn(self._learn, asking)
        else:
            self._frame = bytes(frame)
            gevent.spawn(self._ask, asking)

    def _learn(self, asking: Callable[[], None]) -> None:
        try:
            with suppress(CodecError, OSError):
                asking()
        except Exception as error:  # noqa: BLE001 - as below
            self._failed(error)

    def _ask(self, asking: Callable[[], None]) -> None:
        try:
            try:
                asking()
            except (CodecError, OSError) as error:
                self._give_up(str(error))
                return
            frame, self._frame = self._frame, None
            self._go_on(memoryview(frame or b""))
        except Exception as error:  # noqa: BLE001 - a bug ends this connection and nothing else
            self._failed(error)
