"""One end of the socket between the first process and a worker, on the hub."""

import contextlib
from collections.abc import Iterator
from typing import Final

from gevent import socket

from codec.frames import FrameDecoder
from sidecar.workers.messages import MESSAGE_LIMIT, FromWorker, ToWorker, decode, encode

_RECEIVE: Final = 64 * 1024


class Channel:
    """Sends and receives messages; one greenlet may do each."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def send(self, message: ToWorker | FromWorker) -> None:
        """Send; waits while the other side does not read.

        Raises:
            OSError: the other side is gone.
        """
        self.write(encode(message))

    def write(self, encoded: bytes) -> None:
        """Send a message that is encoded already; as `send`."""
        self._sock.sendall(encoded)

    def __iter__(self) -> Iterator[ToWorker | FromWorker]:
        """Every message until the other side is gone."""
        decoder = FrameDecoder(MESSAGE_LIMIT)
        try:
            while received := self._sock.recv(_RECEIVE):
                yield from map(decode, decoder.feed(received))
        except OSError:
            return  # the same as the end

    def finish(self) -> None:
        """Tell the other side that nothing will follow."""
        with contextlib.suppress(OSError):  # it was faster
            self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Give the socket up."""
        self._sock.close()
