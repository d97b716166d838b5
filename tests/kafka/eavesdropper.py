"""A relay between clients and a sidecar that keeps every byte, to be searched afterwards.

Clients are told the sidecar's advertised host and ports, so the eavesdropper listens exactly there,
and the sidecar on another loopback address behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

START_TIMEOUT = 10.0
CONTEXT = 60
CHUNK = 1 << 16
SETTLING = 0.05


@dataclass
class Conversation:
    """The bytes of one connection, both ways."""

    port: int
    to_client: bytearray = field(default_factory=bytearray)
    from_client: bytearray = field(default_factory=bytearray)


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
        self._servers: list[asyncio.Server] = []
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

    @property
    def volume(self) -> int:
        """How many bytes went to clients."""
        return sum(len(each.to_client) for each in list(self.conversations))

    async def _listen(self) -> None:
        for port in self._ports:
            server = await asyncio.start_server(self._accepted(port), self._host, port)
            self._servers.append(server)

    def _accepted(self, port: int):  # type: ignore[no-untyped-def]  # asyncio's own callback type
        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            self._writers.append(writer)
            conversation = Conversation(port)
            self.conversations.append(conversation)
            try:
                behind = await asyncio.open_connection(self._upstream, port)
                self._writers.append(behind[1])
            except OSError:
                writer.close()
                self._tasks.discard(task)
                return
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(
                    _pump(reader, behind[1], conversation.from_client),
                    _pump(behind[0], writer, conversation.to_client),
                )
            for each in (writer, behind[1]):
                each.close()
            self._tasks.discard(task)

        return relay

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        # Who has just been accepted gets the task that will close its connection.
        await asyncio.sleep(SETTLING)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(SETTLING)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray
) -> None:
    """Pass bytes on until either side is gone."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            kept += data
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()
