"""A network between sidecar and brokers that resets connections inside of frames."""

import contextlib
import random
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Final

NEAR: Final = "127.0.0.1"
"""Where brokers say they are, and the relay listens."""
FAR: Final = "127.0.0.3"
"""Where they listen, at the same ports."""
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST and drops what was not sent."""
_LOOK_SECONDS: Final = 0.2


class ResettingRelay:
    """Carries bytes between both addresses; once told, resets each connection about once a second.

    A connection that is due is reset with the next bytes that come, of which half are passed on.

    Args:
        ports: of the brokers.
        seconds: how long connections last, give or take a half.
    """

    def __init__(self, ports: Iterable[int], seconds: float = 1.0) -> None:
        self.resets = 0
        self._resetting = threading.Event()
        self._seconds = seconds
        self._random = random.Random(7)
        self._stopping = threading.Event()
        self._listeners = [socket.create_server((NEAR, port)) for port in ports]
        self._threads = [
            threading.Thread(target=self._accept, args=(each,)) for each in self._listeners
        ]
        for thread in self._threads:
            thread.start()

    def begin(self) -> None:
        """Reset connections from now on."""
        self._resetting.set()

    def end(self) -> None:
        """Reset none any more."""
        self._resetting.clear()

    def stop(self) -> None:
        """End all connections."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(10)
        for listener in self._listeners:
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        listener.settimeout(_LOOK_SECONDS)
        port = listener.getsockname()[1]
        carrying = []
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = listener.accept()
                carrying.append(threading.Thread(target=self._carry, args=(client, port)))
                carrying[-1].start()
        for thread in carrying:
            thread.join(10)

    def _carry(self, client: socket.socket, port: int) -> None:
        due = time.monotonic() + self._seconds * self._random.uniform(0.5, 1.5)
        with client, contextlib.suppress(OSError), socket.create_connection((FAR, port)) as broker:
            other = {client: broker, broker: client}
            for source, data in self._arriving(client, broker):
                on = self._resetting.is_set() and time.monotonic() >= due and len(data) > 1
                if not on:
                    other[source].sendall(data)
                    continue
                other[source].sendall(data[: len(data) // 2])
                for each in other:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                self.resets += 1
                return

    def _arriving(self, *sockets: socket.socket) -> Iterator[tuple[socket.socket, bytes]]:
        """What comes from any of them, until one ends."""
        with selectors.DefaultSelector() as selector:
            for each in sockets:
                selector.register(each, selectors.EVENT_READ)
            while not self._stopping.is_set():
                for key, _ in selector.select(_LOOK_SECONDS):
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    yield source, data


@contextlib.contextmanager
def resetting(ports: Iterable[int], seconds: float = 1.0) -> Iterator[ResettingRelay]:
    """A relay for the length of a with block."""
    relay = ResettingRelay(ports, seconds)
    try:
        yield relay
    finally:
        relay.stop()
