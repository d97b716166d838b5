"""A gateway on loopback in front of fake brokers, and a client of it, on the test's own hub."""

import os
import socket as plain_socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import gevent
from gevent import socket

from codec.frames import FrameDecoder
from codec.schema import Message
from sidecar.dataplane.addresses import AddressBook
from sidecar.dataplane.pipeline import Pipeline
from sidecar.dataplane.sasl import Logins
from sidecar.dataplane.shared import Shared
from sidecar.dataplane.versions import Versions
from sidecar.metrics import Metrics
from sidecar.model.identity import Identity
from sidecar.model.interceptor import Interceptor
from sidecar.net.discovery import Cluster
from sidecar.net.gateway import Gateway
from sidecar.net.transport import PLAIN, Transport
from tests.support.fake_broker import SECONDS, FakeBroker
from tests.support.log import EventLog
from tests.support.messages import read_response, request, sized
from tests.support.sessions import Recorded, by_password, snapshot

_PORTS = range(21_000, 32_000)


def free_ports(count: int) -> int:
    """The first of `count` consecutive ports that nothing listens on, below the ephemeral ones.

    Each process begins to look somewhere else, as suites may run side by side.
    """
    begin = os.getpid() * 101 % (_PORTS.stop - _PORTS.start - count)
    for step in range(begin, begin + len(_PORTS), count):
        first = _PORTS.start + step % (len(_PORTS) - count)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    probe = stack.enter_context(plain_socket.socket())
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise RuntimeError(f"no {count} consecutive free ports")


class Running:
    """A started gateway with all that can be seen of it."""

    def __init__(
        self,
        *brokers: FakeBroker,
        interceptors: tuple[Interceptor, ...] = (),
        authenticate: Callable[[str, float], Identity] | None = None,
        max_connections: int = 100,
        frame_limit: int = 10_000_000,
        port_count: int | None = None,
        spare_ports: int = 2,
        transport: Transport = PLAIN,
        logins: Logins | None = None,
    ) -> None:
        if authenticate is not None:
            logins = by_password(authenticate)
        self.first_port = free_ports(len(brokers) + spare_ports)
        self.log = EventLog()
        self.metrics = Metrics()
        self.recorded = Recorded()
        self.book = AddressBook("127.0.0.1", self.first_port, port_count)
        self.shared = Shared(
            pipeline=Pipeline(snapshot(*interceptors)),
            versions=Versions([], secured=logins is not None),
            advertise=self.book.advertised,
            record=self.recorded,
            logins=logins,
            tenants=logins is not None or transport.context is not None,
        )
        addresses = [broker.address for broker in brokers]
        self.cluster = Cluster(addresses, self.log, transport.dial)
        self.gateway = Gateway(
            cluster=self.cluster,
            book=self.book,
            shared=self.shared,
            bind_host="127.0.0.1",
            max_connections=max_connections,
            frame_limit=frame_limit,
            metrics=self.metrics,
            log=self.log,
            transport=transport,
        )
        self._clients: list[Wire] = []

    def client(self, index: int = 0) -> "Wire":
        """A new connection to the listener of the broker at this position."""
        wire = Wire(("127.0.0.1", self.first_port + index))
        self._clients.append(wire)
        return wire

    def stop(self) -> None:
        """Close the clients and the gateway."""
        for client in self._clients:
            client.sock.close()
        self.gateway.stop()

    def metric(self, name: str, **labels: str) -> float:
        """A sample of /metrics; 0 if there is none."""
        return self.metrics.registry.get_sample_value(f"kafka_chaos_{name}", labels) or 0.0


class Wire:
    """A client that speaks when it is told to."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address, timeout=SECONDS)
        self._decoder = FrameDecoder(1 << 30)
        self._frames: list[bytes] = []
        self._sent: list[tuple[int, int]] = []

    def send(self, message: Message, version: int) -> int:
        """Send a request; returns its correlation id, which counts from 1."""
        self._sent.append((message.API_KEY, version))
        self.sock.sendall(sized(request(message, version, len(self._sent))))
        return len(self._sent)

    def frame(self) -> bytes | None:
        """The next frame; None once the connection is closed."""
        while not self._frames:
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._frames += self._decoder.feed(data)
        return self._frames.pop(0)

    def receive(self) -> tuple[int, Any] | None:
        """Correlation id and message of the next response; None once closed."""
        data = self.frame()
        if data is None:
            return None
        key, version = self._sent[int.from_bytes(data[:4], "big") - 1]
        return read_response(key, version, data)

    def ask(self, message: Message, version: int) -> Any:
        """Send a request and return the response to it."""
        correlation_id = self.send(message, version)
        answer = self.receive()
        assert answer is not None, "the connection was closed"
        assert answer[0] == correlation_id
        return answer[1]

    def is_closed(self) -> bool:
        """Whether nothing comes any more; waits for it."""
        with gevent.Timeout(SECONDS, TimeoutError("the connection is still open")):
            return self.frame() is None
