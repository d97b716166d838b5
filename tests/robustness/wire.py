"""A client on a plain socket that speaks when it is told to."""

import socket
import time
from typing import Any

from codec.frames import FrameDecoder
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from tests.support.messages import read_response, request, sized

MIB = 1 << 20


class Wire:
    """A client that speaks frames."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._frames = FrameDecoder(64 * MIB)
        self._ready: list[bytes] = []

    def send(self, message: Any, version: int, pace: int = 0) -> None:
        """Send a request, whole or in pieces of `pace` bytes."""
        data = sized(request(message, version))
        for start in range(0, len(data), pace or len(data)):
            self.sock.sendall(data[start : start + (pace or len(data))])

    def answer(self, timeout: float = 10) -> bytes | None:
        """The next answer, or None when none comes in time or the peer has closed."""
        deadline = time.monotonic() + timeout
        while not self._ready:
            self.sock.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.sock.recv(1 << 16)
            except TimeoutError:
                return None
            if not data:
                return None
            self._ready += self._frames.feed(data)
        return self._ready.pop(0)

    def ask(self, message: Any, version: int, pace: int = 0) -> Any:
        """The answer to a request."""
        self.send(message, version, pace)
        data = self.answer()
        assert data is not None
        return read_response(message.API_KEY, version, data)[1]

    def authenticate(self, token: str, pace: int = 0) -> None:
        """Log in."""
        assert self.ask(SaslHandshakeRequest(mechanism="PLAIN"), 1, pace).error_code == 0
        message = SaslAuthenticateRequest(auth_bytes=b"\0any\0" + token.encode())
        assert self.ask(message, 2, pace).error_code == 0
