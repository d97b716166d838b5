"""A raw protocol client: one blocking socket, any API in any version, every answer searched."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import codec
from codec.api_keys import ApiKey
from codec.headers import request_header, response_body_start, response_correlation_id
from codec.registry import request_class
from tests.kafka.api_matrix.shapes import Plain, build, plain

TIMEOUT = 20.0
CLIENT_ID = "matrix"


class ClosedError(AssertionError):
    """The other side closed the connection instead of answering."""


class LeakError(AssertionError):
    """An answer holds bytes that this client must never see."""


@dataclass(frozen=True)
class Answer:
    """One response: its body as a dict, and every byte of it."""

    body: Plain
    raw: bytes

    def __getitem__(self, name: str) -> Any:
        """A field of the body."""
        return self.body[name]


class Connection:
    """One connection to one broker's port.

    `inspect` is called with every byte received, before anything is decoded.
    """

    def __init__(
        self,
        address: tuple[str, int],
        credentials: tuple[str, str] | None = None,
        inspect: Callable[[str, bytes], None] = lambda what, raw: None,
    ) -> None:
        """Connect, and authenticate with SASL/PLAIN if `credentials` (user, token) are given."""
        self._socket = socket.create_connection(address, timeout=TIMEOUT)
        self._correlation = 0
        self._inspect = inspect
        if credentials is not None:
            self.authenticate(credentials)

    def authenticate(
        self, credentials: tuple[str, str], handshake: int = 1, authenticate: int = 2
    ) -> None:
        """SASL/PLAIN in these versions; after handshake 0 the token travels without a header."""
        secret = "\0".join(["", *credentials]).encode()
        answer = self.ask(ApiKey.SASL_HANDSHAKE, handshake, {"mechanism": "PLAIN"})
        assert (answer["error_code"], answer["mechanisms"]) == (0, ["PLAIN"]), answer
        if handshake == 0:
            self._socket.sendall(struct.pack(">i", len(secret)) + secret)
            assert self._received(4) == bytes(4)
        else:
            answer = self.ask(ApiKey.SASL_AUTHENTICATE, authenticate, {"auth_bytes": secret})
            assert answer["error_code"] == 0, answer

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def ask(self, key: int, version: int, values: Plain) -> Answer:
        """Send a request built from `values`, and wait for its response."""
        request = build(request_class(key), values, version)
        raw = self.exchange(key, version, codec.encode(request, version))
        start = response_body_start(key, version, raw)
        decoded = codec.decode_response(key, version, raw, start)
        assert not decoded.trailing, f"surplus bytes: {bytes(decoded.trailing)!r}"
        layout = codec.response_version(key, version, raw, start)
        return Answer(plain(decoded, layout), raw)

    def exchange(self, key: int, version: int, body: bytes) -> bytes:
        """Send any body; the response frame without its size. Raises ClosedError."""
        self._correlation += 1
        head = request_header(key, version, self._correlation, CLIENT_ID)
        frame = head + body
        self._socket.sendall(struct.pack(">i", len(frame)) + frame)
        raw = self._received(struct.unpack(">i", self._received(4))[0])
        self._inspect(f"{ApiKey(key).name} v{version}", raw)
        assert response_correlation_id(raw) == self._correlation
        return raw

    def _received(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                more = self._socket.recv(count - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise ClosedError("the connection was closed")
            data += more
        return data


def found(raw: bytes, forbidden: Sequence[bytes]) -> list[bytes]:
    """The sequences of `forbidden` that occur in `raw`."""
    return [each for each in forbidden if each in raw]
