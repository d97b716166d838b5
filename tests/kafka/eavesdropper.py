"""A relay between clients and a sidecar that keeps every byte, to be searched afterwards.

Clients are told the sidecar's advertised host and ports, so the eavesdropper listens exactly there,
and the sidecar on another loopback address behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

START_TIMEOUT = 10.0
CONTEXT = 60
CHUNK = 1 << 16
SETTLING = 0.05
BACKLOG = 128


@dataclass(frozen=True)
class Read:
    """What came at once: when, from whom, how many bytes. Without bytes that side is done."""

    at: float
    """Seconds of the monotonic clock."""
    from_client: bool
    size: int


@dataclass
class Conversation:
    """The bytes of one connection, both ways, and when they came."""

    port: int
    to_client: bytearray = field(default_factory=bytearray)
    from_client: bytearray = field(default_factory=bytearray)
    opened: float = field(default_factory=time.monotonic)
    """Seconds of the monotonic clock."""
    reads: list[Read] = field(default_factory=list)
    """Of both sides, in order."""

    def keep(self, data: bytes, from_client: bool) -> None:
        """Add what was read of a side; nothing: it has closed."""
        (self.from_client if from_client else self.to_client).extend(data)
        self.reads.append(Read(time.monotonic(), from_client, len(data)))


class Eavesdropper:
    """Relays `ports` of `host` to the same ports of `upstream`, on an event loop of its own."""

    def __init__(self, ports: Sequence[int], host: str, upstream: str) -> None:
        """Nothing listens before `start`."""
        self.conversations: list[Conversation] = []
        self._ports = ports
        self._host = host
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._listening: dict[int, socket.socket] = {}
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        """Listen; OSError if a port is taken."""
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(START_TIMEOUT)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close everything; what was heard stays."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(START_TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT)
        self._loop.close()

    def heard(self, sequences: Iterable[bytes]) -> list[str]:
        """Where clients were sent any of `sequences`: one line each, with the bytes around it."""
        wanted = list(sequences)
        assert all(wanted), "an empty sequence is everywhere"
        lines = []
        for conversation in list(self.conversations):
            data = bytes(conversation.to_client)
            for each in wanted:
                at = data.find(each)
                if at >= 0:
                    around = data[max(0, at - CONTEXT) : at + len(each) + CONTEXT]
                    lines.append(f"port {conversation.port}, byte {at}: {each!r} in {around!r}")
        return lines

    def forget(self) -> None:
        """Begin anew: what connections that are open say from now on is no conversation's."""
        self.conversations.clear()

    def follow(self, port: int, listening: bool) -> None:
        """Listen on one of the ports, or refuse connections there, as what is behind it does."""
        if listening is not (port in self._listening):
            change = self._open(port) if listening else self._shut(port)
            asyncio.run_coroutine_threadsafe(change, self._loop).result(START_TIMEOUT)

    @property
    def volume(self) -> int:
        """How many bytes went to clients."""
        return sum(len(each.to_client) for each in list(self.conversations))

    async def _listen(self) -> None:
        for port in self._ports:
            await self._open(port)

    async def _open(self, port: int) -> None:
        sock = socket.create_server((self._host, port), backlog=BACKLOG)
        sock.setblocking(False)
        self._listening[port] = sock
        self._loop.add_reader(sock, self._accept, port, sock)

    async def _shut(self, port: int) -> None:
        sock = self._listening.pop(port)
        self._loop.remove_reader(sock)
        sock.close()

    def _accept(self, port: int, sock: socket.socket) -> None:
        """Not by asyncio's own server, which leaves hanging whom it accepts as it is closed."""
        try:
            client, _ = sock.accept()
        except OSError:
            return  # gone again
        client.setblocking(False)
        task = self._loop.create_task(self._relay(port, client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _relay(self, port: int, client: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=client)
        self._writers.append(writer)
        conversation = Conversation(port)
        self.conversations.append(conversation)
        try:
            behind = await asyncio.open_connection(self._upstream, port)
            self._writers.append(behind[1])
        except OSError:
            conversation.keep(b"", False)
            writer.close()
            return
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(
                _pump(reader, behind[1], conversation, True),
                _pump(behind[0], writer, conversation, False),
            )
        for each in (writer, behind[1]):
            each.close()

    async def _close(self) -> None:
        for port in list(self._listening):
            await self._shut(port)
        # Who has just been accepted gets the task that will close its connection.
        await asyncio.sleep(SETTLING)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(SETTLING)


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    conversation: Conversation,
    from_client: bool,
) -> None:
    """Pass bytes on until either side is gone."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            conversation.keep(data, from_client)
            writer.write(data)
            await writer.drain()
    conversation.keep(b"", from_client)
    with contextlib.suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()
