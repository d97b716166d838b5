"""TLS over a raw non-blocking socket: for greenlets, which wait, and for the relay's callbacks."""

import contextlib
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import gevent
from gevent import socket as gsocket

HANDSHAKE_TIMEOUT: Final = 30.0
"""Seconds a client has for the handshake, as to authenticate."""
_RECORD: Final = 16 * 1024
"""Bytes of a TLS record: what is written in one piece, or not at all."""


class TlsSocket:
    """What the relay needs of a socket, over TLS; never waits.

    A read takes all records that have come, as far as there is room. What was decrypted and did not
    fit is no longer with the kernel, so no watcher tells of it: `on_pending` does.

    Args:
        sock: `ssl.SSLSocket`, non-blocking, its handshake done.
    """

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock
        self._ended = False
        self.fileno = sock.fileno
        self.on_pending: Callable[[], None] = _nobody
        """Called after a read that left something which no watcher will tell of."""

    @property
    def pending(self) -> bool:
        """Whether there is something to read without the socket being readable."""
        return self._ended or self._sock.pending() > 0

    def recv_into(self, room: memoryview, size: int = 0, flags: int = 0) -> int:
        """Read as `socket.recv_into` does; flags mean nothing here.

        Raises:
            OSError: nothing to read (BlockingIOError), or the connection broke.
        """
        most = size or len(room)
        read = 0
        try:
            while read < most and not self._ended:
                count = self._sock.recv_into(room[read:most])
                if not count:
                    self._ended = True
                read += count
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if not read:
                raise BlockingIOError from None
        except ssl.SSLZeroReturnError:
            self._ended = True
        except OSError:
            if not read:
                raise
            self._ended = True
        if read and self.pending:
            self.on_pending()
        return read

    def send(self, data: Any) -> int:
        """Send as much as is taken.

        Raises:
            OSError: nothing is (BlockingIOError), or the connection broke. The same bytes have to
                be sent next then: a part of their record may have left.
        """
        view = memoryview(data)
        sent = 0
        try:
            while sent < len(view):
                sent += self._sock.send(view[sent : sent + _RECORD])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if not sent:
                raise BlockingIOError from None
        return sent

    def sendmsg(self, chunks: list[Any]) -> int:
        """As `send`, of several buffers: a record that holds many is cheaper than many records."""
        return self.send(b"".join(chunks))

    def shutdown(self, how: int) -> None:
        """Say that nothing more comes, and end the connection."""
        with contextlib.suppress(OSError, ValueError):
            self._sock.unwrap()
        self._sock.shutdown(how)

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()


class TlsStream:
    """The same connection for a greenlet, which waits.

    Args:
        raw: a connected, non-blocking socket of the standard library.
        context: of this side.
        server_hostname: whom the peer has to be; None on the server's side.
        timeout: seconds for the handshake.

    Raises:
        OSError: the handshake failed (`ssl.SSLError`), or took too long (TimeoutError). The socket
            is closed then.
    """

    def __init__(
        self,
        raw: Any,
        context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float = HANDSHAKE_TIMEOUT,
    ) -> None:
        self._sock = context.wrap_socket(
            raw,
            server_side=server_hostname is None,
            server_hostname=server_hostname,
            do_handshake_on_connect=False,
        )
        self._fd = self._sock.fileno()
        try:
            with gevent.Timeout(timeout, TimeoutError("the TLS handshake was not done in time")):
                self._wait_for(self._sock.do_handshake)
        except BaseException:
            self._sock.close()
            raise

    def __enter__(self) -> "TlsStream":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def certificate(self) -> dict[str, Any] | None:
        """The peer's, as `ssl` decodes it; None if it has shown none."""
        return self._sock.getpeercert() or None

    def recv(self, size: int) -> bytes:
        """Wait for bytes; empty at the end."""
        try:
            return bytes(self._wait_for(partial(self._sock.recv, size)))
        except ssl.SSLZeroReturnError:
            return b""

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        view = memoryview(data)
        while view:
            view = view[self._wait_for(partial(self._sock.send, view[:_RECORD])) :]

    def relayed(self) -> TlsSocket:
        """What the relay works with from now on."""
        return TlsSocket(self._sock)

    def shutdown(self, how: int) -> None:
        """Say that nothing more comes, and end the connection."""
        TlsSocket(self._sock).shutdown(how)

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def _wait_for(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                gsocket.wait_read(self._fd)
            except ssl.SSLWantWriteError:
                gsocket.wait_write(self._fd)


def _nobody() -> None:
    """Before the relay listens."""
