"""HTTPS for waitress, which has none: its sockets are TLS ones, and may want to be asked again."""

import contextlib
import errno
import ssl
from collections.abc import Callable
from socket import socket
from typing import Any, Final

from rest_bridge.channel import Channel

RECORD: Final = 16 * 1024
"""Bytes of a TLS record: OpenSSL decrypts no more at once."""

Context = Callable[[], ssl.SSLContext]
"""Gives the context for a new connection."""


class TlsListener(socket):
    """A listening socket whose connections do their handshake as they are first read.

    So nobody waits for a client's part of it, and one that never does it is cut like any other that
    is silent.
    """

    def __init__(self, listener: socket, context: Context) -> None:
        super().__init__(listener.family, listener.type, listener.proto, listener.detach())
        self._context = context

    def accept(self) -> tuple[socket, Any]:
        """Accept as `socket.accept` does."""
        plain, address = super().accept()
        try:
            plain.getpeername()  # it may be gone already
        except OSError as error:
            plain.close()
            # Of all reasons the one that waitress takes for nothing to log.
            raise ConnectionAbortedError(errno.ECONNABORTED, str(error)) from None
        plain.setblocking(False)
        secured = self._context().wrap_socket(
            plain, server_side=True, do_handshake_on_connect=False
        )
        return secured, address


class _NotYet(Exception):
    """TLS has to hear more before there is anything to read."""


_AGAIN: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class TlsChannel(Channel):
    """A connection over such a socket."""

    def handle_read(self) -> None:
        """Read, unless TLS has nothing for us yet."""
        with contextlib.suppress(_NotYet):
            super().handle_read()

    def recv(self, buffer_size: int) -> bytes:
        """Read what has been decrypted; empty at the end, which a failed handshake is, too."""
        sock: Any = self.socket
        try:
            sock.do_handshake()  # goes on with it; does nothing afterwards
            return super().recv(buffer_size)
        except _AGAIN:
            raise _NotYet from None
        except OSError:  # an SSLError, or the client has reset the connection
            self.handle_close()
            return b""

    def send(self, data: Any, do_close: bool = True) -> int:
        """Send what is taken; the same bytes come again where none is."""
        try:
            return int(super().send(data, do_close))
        except _AGAIN:
            return 0
