"""Peers that keep to the protocol and still mean harm, or are merely slow."""

import contextlib
import itertools
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
import structlog
from gevent import socket as green

from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.create_topics import CreateTopicsRequest
from codec.messages.metadata import MetadataRequest
from sidecar.metrics import Metrics
from sidecar.net.connection import ClientConnection
from sidecar.net.transport import PLAIN, Transport
from tests.kafka.processes import wait_until
from tests.robustness.running import Running, running
from tests.robustness.wire import MIB, Wire
from tests.support.messages import request, sized
from tests.support.sessions import Client

_RESET = struct.pack("ii", 1, 0)


@pytest.fixture(scope="module")
def sidecar_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("sidecar")) as process:
        yield process
        assert process.child.stop() == 0
        assert {line["level"] for line in process.log()} <= {"info", "warning"}


def opened(stack: contextlib.ExitStack, port: int) -> Wire:
    """A wire that is closed with the stack."""
    wire = Wire(port)
    stack.callback(wire.sock.close)
    return wire


def stopped(sock: socket.socket, data: bytes, times: int = 2000) -> bool:
    """Send it again and again until the peer takes no more; False if it takes everything."""
    for _ in range(times):
        try:
            sock.sendall(data)
        except TimeoutError:
            return True
    return False


# In this process, where constants can be changed.


@contextlib.contextmanager
def served(
    client: Client, broker: tuple[str, int], transport: Transport = PLAIN
) -> Iterator[tuple[Any, Any, Any]]:
    """A client socket, the connection behind it, and the greenlet that serves it."""
    ours, theirs = green.socketpair()
    log = structlog.get_logger()
    connection = ClientConnection(
        theirs, client.session, lambda: broker, MIB, Metrics(), log, transport
    )
    serving = gevent.spawn(connection.run)
    try:
        yield ours, connection, serving
    finally:
        ours.close()
        serving.kill(timeout=5)


def test_who_talks_without_authenticating_is_closed_too() -> None:
    data = sized(request(ApiVersionsRequest(), 0))
    hasty = Transport(login_seconds=0.2)
    with served(Client(secured=True), ("127.0.0.1", 1), hasty) as (ours, connection, serving):
        with gevent.Timeout(5), contextlib.suppress(OSError):
            while True:
                ours.sendall(data)
                gevent.sleep(0.02)
                if not ours.recv(1 << 16):
                    break
        serving.join(5)
        assert serving.successful()
        assert connection.close_reason == "authentication_timeout"


# Against a process.


def test_one_byte_at_a_time_is_enough(sidecar_process: Running) -> None:
    with contextlib.ExitStack() as stack:
        wire = opened(stack, sidecar_process.port)
        wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert wire.ask(ApiVersionsRequest(), 0, pace=1).api_keys
        wire.authenticate(sidecar_process.token("slow"), pace=1)
        answer = wire.ask(MetadataRequest(topics=[]), 1, pace=1)
        assert {broker.port for broker in answer.brokers} == set(sidecar_process.ports)


def test_who_never_reads_fills_no_memory_and_stops_nobody(sidecar_process: Running) -> None:
    topic = CreateTopicsRequest.CreatableTopic
    with contextlib.ExitStack() as stack:
        other = opened(stack, sidecar_process.port)
        other.authenticate(sidecar_process.token("busy"))
        wanted = [topic(name="wide", num_partitions=1000, replication_factor=1)]
        made = other.ask(CreateTopicsRequest(topics=wanted, timeout_ms=5000), 4)
        assert made.topics[0].error_code == 0
        descriptors = sidecar_process.descriptors()
        before, _ = sidecar_process.memory()
        deaf = opened(stack, sidecar_process.port)
        deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.authenticate(sidecar_process.token("busy"))
        deaf.sock.settimeout(1)
        # Each is answered with 26 KB; somebody has to say stop.
        assert stopped(deaf.sock, sized(request(MetadataRequest(topics=None), 1)) * 1000)
        began = time.perf_counter()
        assert other.ask(MetadataRequest(topics=None), 1).topics[0].name == "wide"
        assert time.perf_counter() - began < 2
        assert sidecar_process.memory()[0] < before + 24
        deaf.sock.close()
        wait_until(lambda: sidecar_process.descriptors() <= descriptors, "descriptors back", 10)


def test_five_hundred_connections_leave_nothing_behind(sidecar_process: Running) -> None:
    with contextlib.ExitStack() as stack:
        wire = opened(stack, sidecar_process.port)
        assert wire.ask(ApiVersionsRequest(), 0).api_keys
    wait_until(lambda: sidecar_process.descriptors() > 0, "a first look", 1)
    descriptors = sidecar_process.descriptors()
    ports = itertools.cycle(sidecar_process.ports)
    with contextlib.ExitStack() as stack:
        crowd = [opened(stack, next(ports)) for _ in range(500)]
        wait_until(lambda: sidecar_process.descriptors() >= descriptors + 490, "all accepted", 10)
        for number, wire in enumerate(crowd):
            wire.sock.sendall(sized(request(ApiVersionsRequest(), 0))[: number % 30])
            if number % 2:
                wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    wait_until(lambda: sidecar_process.descriptors() <= descriptors, "descriptors given back", 10)


def test_more_connections_than_allowed_wait_for_their_turn(tmp_path: Path) -> None:
    allowed = 20
    settings = {"GATEWAY_MAX_CONNECTIONS": str(allowed)}
    with running(tmp_path, settings) as process, contextlib.ExitStack() as stack:
        inside = [opened(stack, process.ports[n % 3]) for n in range(allowed)]
        for wire in inside:
            assert wire.ask(ApiVersionsRequest(), 0).api_keys
        waiting = [opened(stack, process.ports[n % 3]) for n in range(15)]
        for wire in waiting:
            wire.send(ApiVersionsRequest(), 0)
        assert waiting[0].answer(timeout=0.5) is None
        assert inside[0].ask(ApiVersionsRequest(), 0).api_keys
        for wire in inside:
            wire.sock.close()
        for wire in waiting:
            assert wire.answer(timeout=5) is not None
        assert process.health()["status"] == "UP"
