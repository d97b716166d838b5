"""Frames in, buffers out, on one gevent socket each way."""

from collections.abc import Iterator
from struct import Struct
from typing import Any, Final

from gevent.event import Event
from gevent.socket import socket

from codec.errors import DecodeError

_SIZE: Final = Struct(">i")
_RECEIVE: Final = 64 * 1024
_RECEIVE_LARGE: Final = 256 * 1024
_JOIN_BELOW: Final = 16 * 1024
"""Bytes up to which copying buffers together is cheaper than handing the kernel a list."""
_MAX_BUFFERS: Final = 512
"""Buffers a system call: half of Linux' IOV_MAX."""


class FrameReader:
    """The frames of a socket, without their size prefix.

    Memory grows with what has arrived, not with the size a frame claims to have.

    Args:
        sock: where to read.
        limit: largest size a frame may have, bytes; may be changed while reading.
    """

    def __init__(self, sock: socket, limit: int) -> None:
        self._sock = sock
        self.limit = limit

    def __iter__(self) -> Iterator[memoryview]:
        """Yield frames until the peer closes.

        Raises:
            DecodeError: a size is negative or above the limit, or the peer closed inside a frame.
            OSError: the connection broke.
        """
        rest = b""
        while True:
            data = self._sock.recv(_RECEIVE)
            if not data:
                if rest:
                    raise DecodeError(f"connection closed {len(rest)} bytes into a frame")
                return
            rest = rest + data if rest else data
            position = 0
            while len(rest) - position >= 4:
                end = position + 4 + self._size(rest, position)
                if end > len(rest) + _RECEIVE:
                    rest = self._large(rest[position:], end - position)
                    position, end = 0, end - position
                elif end > len(rest):
                    break
                yield memoryview(rest)[position + 4 : end]
                position = end
            rest = bytes(rest[position:])

    def _size(self, data: bytes, position: int) -> int:
        size: int = _SIZE.unpack_from(data, position)[0]
        if not 0 <= size <= self.limit:
            raise DecodeError(f"frame size {size}, allowed are 0 to {self.limit}")
        return size

    def _large(self, start: bytes, end: int) -> Any:
        """Read on until there are `end` bytes; extending large memory moves pages, not bytes."""
        buffer = bytearray(start)
        while len(buffer) < end:
            data = self._sock.recv(min(_RECEIVE_LARGE, end - len(buffer)))
            if not data:
                raise DecodeError(f"connection closed {len(buffer)} bytes into a frame")
            buffer += data
        return buffer


class Outbox:
    """Buffers on their way out of one socket, in the order they were given.

    Several greenlets may send; whoever finds nobody sending does it for all. Others return at
    once while little is waiting, and wait when much is: a slow reader slows its writers.
    """

    _LIMIT: Final = 256 * 1024
    """Bytes that may wait before a sender has to wait too."""

    def __init__(self, sock: socket) -> None:
        self._sock = sock
        self._waiting: list[Any] = []
        self._size = 0
        self._idle = Event()
        self._idle.set()
        self._broken: OSError | None = None

    def send(self, chunks: list[Any]) -> None:
        """Send, or queue behind what is being sent.

        Raises:
            OSError: the connection broke, now or earlier.
        """
        if self._broken is not None:
            raise self._broken
        self._waiting += chunks
        if self._idle.is_set():
            self._send_waiting()
            return
        self._size += sum(map(len, chunks))
        if self._size > self._LIMIT:
            self.drain()

    def drain(self, timeout: float | None = None) -> None:
        """Wait until everything is with the kernel, at most `timeout` seconds."""
        self._idle.wait(timeout)
        if self._broken is not None:
            raise self._broken

    def _send_waiting(self) -> None:
        self._idle.clear()
        try:
            while self._waiting:
                chunks, self._waiting, self._size = self._waiting, [], 0
                _send_all(self._sock, chunks)
        except OSError as error:
            self._broken = error
            self._waiting = []
            raise
        finally:
            self._idle.set()


def _send_all(sock: socket, chunks: list[Any]) -> None:
    if sum(map(len, chunks)) <= _JOIN_BELOW:
        sock.sendall(b"".join(chunks))
        return
    for first in range(0, len(chunks), _MAX_BUFFERS):
        _send_vector(sock, chunks[first : first + _MAX_BUFFERS])


def _send_vector(sock: socket, chunks: list[Any]) -> None:
    while chunks:
        sent = sock.sendmsg(chunks)
        done = 0
        while done < len(chunks) and sent >= len(chunks[done]):
            sent -= len(chunks[done])
            done += 1
        chunks = chunks[done:]
        if chunks and sent:
            chunks[0] = memoryview(chunks[0])[sent:]
