"""Accepting clients, also while the process is out of descriptors."""

import errno
import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent.server import StreamServer

_SCARCE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What accept(2) says when it lacks means, not when a client is at fault."""
_PAUSE: Final = 0.2
"""Seconds until it tries again: the socket stays readable, so that trying at once would spin."""
_TELL_EVERY: Final = 10.0
"""Seconds between two log events of one listener about it."""


class ClientServer(StreamServer):
    """A server that pauses where descriptors or memory are lacking, and goes on by itself.

    Clients wait in the listen queue meanwhile. gevent's own pauses too, but writes a traceback to
    stderr each time.

    Args:
        tell: called with the error, at most every ten seconds.
    """

    def __init__(self, listener: Any, handle: Any, *, spawn: Any, tell: Callable[[OSError], None]):
        super().__init__(listener, handle, spawn=spawn)
        self._tell = tell
        self._tell_from = 0.0

    def do_read(self) -> Any:
        """The next client's socket and address, None when there is none to be had now.

        Raises:
            OSError: any other than a lack of means.
        """
        try:
            return super().do_read()
        except OSError as error:
            if error.errno not in _SCARCE:
                raise
            self.stop_accepting()
            gevent.spawn_later(_PAUSE, self._resume)
            now = time.monotonic()
            if now >= self._tell_from:
                self._tell_from = now + _TELL_EVERY
                self._tell(error)
            return None

    def _resume(self) -> None:
        if self.started:
            self.start_accepting()
