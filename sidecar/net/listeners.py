"""The listening sockets of one process, one per broker, and the clients it has accepted."""

import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent import socket
from gevent.pool import Pool

from sidecar.counts import Counts
from sidecar.dataplane.actions import Close
from sidecar.dataplane.addresses import Broker
from sidecar.dataplane.session import Session
from sidecar.dataplane.shared import Shared
from sidecar.model.place import Place
from sidecar.net.accepting import ClientServer
from sidecar.net.connection import ClientConnection
from sidecar.net.liveness import keep_alive
from sidecar.net.transport import PLAIN, Transport

BACKLOG: Final = 1024
"""Connections of one listener that wait to be accepted, unless the kernel allows fewer."""
_DRAIN_STEP: Final = 0.02


class Listeners:
    """Accepts clients, for each broker on a port of its own.

    Args:
        locate: node id to where the broker is now.
        shared: what the sessions share.
        bind_host: address to listen on.
        max_connections: client connections at once, over all listeners.
        frame_limit: largest frame after authentication, bytes.
        metrics, log: where it shows what it does.
        place: with more than one process, each listens on the same ports.
        transport: how clients and brokers are reached.
        on_unreachable: told that a client's broker cannot be connected to; must not wait.
    """

    def __init__(
        self,
        *,
        locate: Callable[[int], Broker],
        shared: Shared,
        bind_host: str,
        max_connections: int,
        frame_limit: int,
        metrics: Counts,
        log: Any,
        place: Place,
        transport: Transport = PLAIN,
        on_unreachable: Callable[[], None] = lambda: None,
    ) -> None:
        self._locate = locate
        self._shared = shared
        self._bind_host = bind_host
        self._frame_limit = frame_limit
        self._metrics = metrics
        self._log = log
        self._place = place
        self._transport = transport
        self._on_unreachable = on_unreachable
        self._pool = Pool(max_connections)
        self._servers: dict[int, ClientServer] = {}
        self._sessions: set[Session] = set()
        self._connections: set[ClientConnection] = set()
        self._numbers = place.numbers()

    @property
    def connections(self) -> int:
        """Client connections at this moment."""
        return len(self._pool)

    def clients(self, virtual_cluster: str) -> int:
        """Connections whose clients have authenticated for this virtual cluster."""
        identities = (session.peer.identity for session in self._sessions)
        return sum(who is not None and who.virtual_cluster == virtual_cluster for who in identities)

    @property
    def brokers(self) -> frozenset[int]:
        """Node ids of the brokers it listens for."""
        return frozenset(self._servers)

    def open(self, broker: Broker, port: int) -> None:
        """Listen for clients of `broker`.

        Raises:
            OSError: the port cannot be listened on.
        """
        listener = _listen(self._bind_host, port, self._place)

        def tell(error: OSError) -> None:
            self._log.warning("accept_paused", broker_id=broker.node_id, error=error.strerror)

        handle = self._handler(broker.node_id)
        server = ClientServer(listener, handle, spawn=self._pool, tell=tell)
        server.start()
        self._servers[broker.node_id] = server
        self._log.info(
            "listening",
            broker_id=broker.node_id,
            port=port,
            upstream=f"{broker.host}:{broker.port}",
        )

    def drain(self, seconds: float) -> None:
        """Stop listening, and let what is in flight be answered; returns when nobody is left.

        Clients are disconnected between two requests, as by a broker that shuts down. Who is in
        the middle of one, or does not take his answers, has `seconds`.
        """
        for server in self._servers.values():
            server.stop_accepting()
            server.close()
        close = Close("draining", "the sidecar ends")
        deadline = time.monotonic() + seconds
        while self._connections and time.monotonic() < deadline:
            for connection in tuple(self._connections):
                connection.end(close)
            gevent.sleep(_DRAIN_STEP)

    def stop(self) -> None:
        """Stop listening and end every connection."""
        for server in self._servers.values():
            server.close()
        self._pool.kill(timeout=5)

    def _handler(self, broker_id: int) -> Callable[[socket.socket, Any], None]:
        def address() -> tuple[str, int]:
            broker = self._locate(broker_id)
            return broker.host, broker.port

        def handle(sock: socket.socket, peer_address: Any) -> None:
            number = 1 + next(self._numbers)
            log = self._log.bind(connection_id=number, broker_id=broker_id, client=peer_address[0])
            log.debug("client_connected")
            self._metrics.connections.inc()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            keep_alive(sock)
            session = Session(self._shared, number, broker_id)
            connection = ClientConnection(
                sock,
                session,
                address,
                self._frame_limit,
                self._metrics,
                log,
                self._transport,
                self._on_unreachable,
            )
            self._sessions.add(session)
            self._connections.add(connection)
            try:
                connection.run()
            finally:
                self._sessions.remove(session)
                self._connections.remove(connection)
            if connection.close_reason is not None:
                self._metrics.closes.labels(connection.close_reason).inc()
            log.debug("client_disconnected")

        return handle


def _listen(host: str, port: int, place: Place) -> socket.socket:
    """A listening socket.

    The first of several processes takes the port for itself before it lets its own in: were all of
    them to share it from the start, a second sidecar could share it too and get half the clients.

    Raises:
        OSError: with the port in its message.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if place.index > 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
        if place.count > 1 and place.index == 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from None
    return sock
