"""The listeners, one per broker, and the greenlet that keeps up with the cluster."""

import itertools
import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent import socket
from gevent.pool import Pool
from gevent.server import StreamServer

from sidecar.dataplane.addresses import AddressBook, Broker, PortsExhausted
from sidecar.dataplane.session import Session, Shared
from sidecar.dataplane.versions import Versions
from sidecar.metrics import Metrics
from sidecar.net.connection import ClientConnection
from sidecar.net.discovery import Cluster

REFRESH_SECONDS: Final = 30.0
"""How often the cluster is asked for its brokers and their versions."""


class Gateway:
    """Accepts clients for every broker of the cluster.

    Args:
        cluster: finds the brokers.
        book: which client port stands for which broker.
        shared: what the sessions share; `versions` is replaced here as brokers change.
        bind_host: address to listen on.
        max_connections: client connections at once, over all listeners.
        frame_limit: largest frame after authentication, bytes.
        metrics, log: where it shows what it does.
    """

    def __init__(
        self,
        *,
        cluster: Cluster,
        book: AddressBook,
        shared: Shared,
        bind_host: str,
        max_connections: int,
        frame_limit: int,
        metrics: Metrics,
        log: Any,
    ) -> None:
        self._cluster = cluster
        self._book = book
        self._shared = shared
        self._bind_host = bind_host
        self._frame_limit = frame_limit
        self._metrics = metrics
        self._log = log
        self._pool = Pool(max_connections)
        self._servers: dict[int, StreamServer] = {}
        self._ids = itertools.count(1)
        self._refresher: gevent.Greenlet[[], None] | None = None

    @property
    def connections(self) -> int:
        """Client connections at this moment."""
        return len(self._pool)

    def start(self) -> None:
        """Find the cluster, then listen for every broker in it.

        Raises:
            OSError: a port cannot be listened on.
            PortsExhausted: there are more brokers than ports.
        """
        self._learn(self._cluster.find(time.monotonic))
        self._book.on_new = self._open_late
        self._refresher = gevent.spawn(self._keep_up)

    def stop(self) -> None:
        """Stop listening and end every connection."""
        if self._refresher is not None:
            self._refresher.kill()
        for server in self._servers.values():
            server.close()
        self._pool.kill(timeout=5)

    def _learn(self, brokers: list[Broker]) -> None:
        secured = self._shared.authenticate is not None
        self._shared.versions = Versions(self._cluster.versions(), secured=secured)
        try:
            self._book.learn(brokers)
        finally:
            # Also those whose port could not be listened on before.
            for broker, _ in self._book.ports():
                if broker.node_id not in self._servers:
                    self._open(broker)

    def _open(self, broker: Broker) -> None:
        port = self._book.client_port(broker.node_id)
        listener = _listen(self._bind_host, port)
        server = StreamServer(listener, self._handler(broker.node_id), spawn=self._pool)
        server.start()
        self._servers[broker.node_id] = server
        self._log.info(
            "listening",
            broker_id=broker.node_id,
            port=port,
            upstream=f"{broker.host}:{broker.port}",
        )

    def _open_late(self, broker: Broker) -> None:
        """A broker that joined later: what goes wrong is logged, and clients fail on its port."""
        try:
            self._open(broker)
        except OSError as error:
            self._log.error("listen_failed", broker_id=broker.node_id, cause=str(error))

    def _keep_up(self) -> None:
        while True:
            gevent.sleep(REFRESH_SECONDS)
            try:
                self._learn(self._cluster.refresh())
            except (OSError, PortsExhausted) as error:
                self._log.error("listen_failed", cause=str(error))

    def _handler(self, broker_id: int) -> Callable[[socket.socket, Any], None]:
        def address() -> tuple[str, int]:
            broker = self._book.broker(broker_id)
            return broker.host, broker.port

        def handle(sock: socket.socket, peer_address: Any) -> None:
            number = next(self._ids)
            log = self._log.bind(connection_id=number, broker_id=broker_id, client=peer_address[0])
            log.debug("client_connected")
            self._metrics.connections.inc()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            session = Session(self._shared, number, broker_id)
            connection = ClientConnection(
                sock, session, address, self._frame_limit, self._metrics, log
            )
            connection.run()
            if connection.close_reason is not None:
                self._metrics.closes.labels(connection.close_reason).inc()
            log.debug("client_disconnected")

        return handle


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSError: with the port in its message.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(1024)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from None
    return sock
