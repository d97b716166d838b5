"""An embedded cluster on a thread of its own, and a bare client that speaks with our codec."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar, cast

import gevent
import gevent.event
import pytest

import codec
from codec.api_keys import ApiKey
from codec.frames import FrameDecoder, frame
from codec.headers import (
    read_request_header,
    request_header,
    response_body_start,
    response_correlation_id,
)
from codec.records.crc32c import crc32c
from codec.schema import Message
from sidecar.embedded.cluster import Cluster
from sidecar.embedded.errors import ApiError
from sidecar.embedded.server import EmbeddedCluster
from sidecar.embedded.settings import Settings

R = TypeVar("R", bound=Message)
T = TypeVar("T")

SECONDS = 10.0


class Wire:
    """One blocking connection to one broker."""

    def __init__(self, endpoint: str) -> None:
        host, _, port = endpoint.rpartition(":")
        self.sock = socket.create_connection((host, int(port)), timeout=SECONDS)
        self._frames = FrameDecoder(1 << 30)
        self._ready: list[bytes] = []
        self._sent: list[tuple[int, int, int]] = []
        self._next = 0

    def send(self, request: Message, version: int, client_id: str | None = "test") -> None:
        """Send a request without reading its response."""
        self._next += 1
        key = request.API_KEY
        head = request_header(key, version, self._next, client_id)
        self._sent.append((key, version, self._next))
        self.sock.sendall(b"".join(frame(head, codec.encode(request, version))))

    def receive(self) -> Message | None:
        """The response to the oldest request; None if the broker closed the connection."""
        while not self._ready:
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self._ready.extend(self._frames.feed(data))
        body = self._ready.pop(0)
        key, version, correlation_id = self._sent.pop(0)
        assert response_correlation_id(body) == correlation_id
        start = response_body_start(key, version, body)
        return codec.decode_response(key, version, body, start)

    def ask(self, request: Message, version: int, kind: type[R]) -> R:
        """Send, and read the response, which must be of `kind` and fully understood."""
        self.send(request, version)
        response = self.receive()
        assert isinstance(response, kind)
        assert not response.trailing
        return response

    def close(self) -> None:
        """Hang up."""
        self.sock.close()


class Running:
    """A started cluster, the events it logged, and ways to reach it from other threads."""

    def __init__(self, embedded: EmbeddedCluster, logged: list[tuple[str, dict[str, Any]]]) -> None:
        self.bootstrap_servers = embedded.bootstrap_servers
        self.cluster = embedded.cluster
        self.logged = logged
        self._hub = gevent.get_hub()
        self._wires: list[Wire] = []

    def on_hub(self, action: Callable[[Cluster], T]) -> T:
        """Run `action` where the cluster lives."""
        done: Future[T] = Future()

        def act() -> None:
            try:
                done.set_result(action(self.cluster))
            except (ApiError, ValueError) as error:
                done.set_exception(error)

        self._hub.loop.run_callback_threadsafe(act)
        return done.result(SECONDS)

    def wire(self, node_id: int = 1) -> Wire:
        """A connection to a broker; closed with the test."""
        wire = Wire(self.bootstrap_servers.split(",")[node_id - 1])
        self._wires.append(wire)
        return wire

    def close_wires(self) -> None:
        """Hang up every connection made here."""
        for wire in self._wires:
            wire.close()


def _varint(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def make_batch(
    *values: bytes,
    producer: tuple[int, int, int] = (-1, -1, -1),
    times: tuple[int, ...] = (),
    attributes: int = 0,
    magic: int = 2,
    count: int | None = None,
) -> bytes:
    """A record batch with these values; `producer` is id, epoch and base sequence."""
    times = times or tuple(range(1000, 1000 + len(values)))
    records = b""
    for index, value in enumerate(values):
        body = b"\x00" + _varint(times[index] - times[0]) + _varint(index)
        body += _varint(-1) + _varint(len(value)) + value + _varint(0)
        records += _varint(len(body)) + body
    total = len(values)
    tail = struct.pack(">hiqq", attributes, total - 1, times[0], max(times))
    tail += struct.pack(">qhii", *producer, total if count is None else count) + records
    crc = crc32c(tail)
    return struct.pack(">qiibI", 0, 9 + len(tail), -1, magic, crc) + tail


@pytest.fixture
def batch() -> Callable[..., bytes]:
    """Builds record batches."""
    return make_batch


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts clusters; each on a hub of its own, stopped after the test."""
    stops: list[Callable[[], None]] = []

    def start_one(**settings: Any) -> Running:
        answer: Future[Running] = Future()
        logged: list[tuple[str, dict[str, Any]]] = []

        def note(event: str, **values: Any) -> None:
            logged.append((event, values))

        def live() -> None:
            embedded = EmbeddedCluster(settings=Settings(**settings), log=note)
            with embedded:
                end = gevent.event.Event()
                loop = gevent.get_hub().loop
                stops.append(lambda: loop.run_callback_threadsafe(end.set))
                running = Running(embedded, logged)
                answer.set_result(running)
                end.wait()
            gevent.get_hub().destroy(destroy_loop=True)

        thread = threading.Thread(target=live, daemon=True)
        thread.start()
        running = answer.result(SECONDS)
        stops[-1:] = [running.close_wires, stops[-1], lambda: thread.join(SECONDS)]
        return running

    yield start_one
    for stop in stops:
        stop()


@pytest.fixture
def running(start: Callable[..., Running]) -> Running:
    """Three brokers with Kafka's settings."""
    return cast(Running, start())


class Relay:
    """Passes bytes on, but closes the connection instead of some of the Produce responses."""

    def __init__(self, upstream: str, lose: tuple[int, ...]) -> None:
        host, _, port = upstream.rpartition(":")
        self.lost = 0
        self._upstream = (host, int(port))
        self._lose = lose
        self._produced = 0
        self._doomed: set[tuple[int, int]] = set()
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self._threads: list[threading.Thread] = []
        self.port = self._sockets[0].getsockname()[1]
        self._run(self._accept)

    def close(self) -> None:
        """Stop, and wait for every thread."""
        for each in self._sockets:
            _hang_up(each)
        for thread in self._threads:
            thread.join(SECONDS)

    def _run(self, target: Callable[..., None], *values: Any) -> None:
        thread = threading.Thread(target=target, args=values, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._sockets[0].accept()
            except OSError:
                return
            broker = socket.create_connection(self._upstream)
            self._sockets += [client, broker]
            self._run(self._pump, client, broker, self._note, len(self._sockets))
            self._run(self._pump, broker, client, self._lost, len(self._sockets))

    def _pump(
        self,
        source: socket.socket,
        target: socket.socket,
        look: Callable[[bytes, int], bool],
        connection: int,
    ) -> None:
        frames = FrameDecoder(1 << 30)
        try:
            while data := source.recv(65536):
                for body in frames.feed(data):
                    if look(body, connection):
                        return
                    target.sendall(b"".join(frame(body)))
        except OSError:
            return
        finally:
            _hang_up(source)
            _hang_up(target)

    def _note(self, body: bytes, connection: int) -> bool:
        header = read_request_header(body)
        if header.api_key == ApiKey.PRODUCE:
            self._produced += 1
            if self._produced in self._lose:
                self._doomed.add((connection, header.correlation_id))
        return False

    def _lost(self, body: bytes, connection: int) -> bool:
        lost = (connection, response_correlation_id(body)) in self._doomed
        self.lost += lost
        return lost


def _hang_up(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


@pytest.fixture
def relay() -> Iterator[Callable[..., Relay]]:
    """Starts relays; stopped after the test."""
    started: list[Relay] = []

    def start_one(upstream: str, lose: tuple[int, ...]) -> Relay:
        started.append(Relay(upstream, lose))
        return started[-1]

    yield start_one
    for each in started:
        each.close()
