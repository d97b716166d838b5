"""An embedded cluster on sockets: one listener a broker, on the hub of the calling thread."""

from errno import EADDRINUSE
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET
from typing import Any, Self

import structlog
from gevent import Greenlet, sleep, socket, spawn
from gevent.pool import Pool
from gevent.server import StreamServer

from sidecar.embedded.cluster import Cluster, Endpoint
from sidecar.embedded.connection import Connection, Log
from sidecar.embedded.settings import Settings

_EXPIRY_SECONDS = 0.1
_STOP_SECONDS = 1.0
_BACKLOG = 256
_LAST_PORT = 65535
_WILDCARDS = ("", "0.0.0.0", "::")


class EmbeddedCluster:
    """A cluster that clients can connect to.

    Everything happens on the gevent hub of the thread that calls `start`; `cluster` and `stop`
    are to be used there too.

    Args:
        brokers: how many; node ids are 1..brokers.
        host: address to listen on.
        port: of the first broker, the others follow; 0 means any free ports.
        settings: everything else; wins over `brokers`.
        advertised_host: host in Metadata; by default `host`, or localhost for a wildcard.
        log: called with an event name and values when a connection is closed for what it sent.

    Raises:
        ValueError: a setting or the port is out of range.
    """

    def __init__(
        self,
        brokers: int = 3,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        settings: Settings | None = None,
        advertised_host: str | None = None,
        log: Log | None = None,
    ) -> None:
        self.cluster = Cluster(settings=settings or Settings(brokers=brokers))
        if not 0 <= port <= _LAST_PORT + 1 - len(self.cluster.node_ids):
            raise ValueError(f"port {port} leaves no room for {len(self.cluster.node_ids)} brokers")
        self._host = host
        self._port = port
        self._advertised = advertised_host or ("localhost" if host in _WILDCARDS else host)
        self._log = log or structlog.get_logger().warning
        self._servers: list[StreamServer] = []
        self._connections = Pool()
        self._expiry: Greenlet[[], None] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of every broker, with commas between. Port 0 before `start`."""
        endpoints = self.cluster.endpoints.values()
        return ",".join(f"{endpoint.host}:{endpoint.port}" for endpoint in endpoints)

    def start(self) -> None:
        """Listen and serve; returns at once.

        Raises:
            OSError: an address cannot be listened on; the message names it.
        """
        try:
            for index, node_id in enumerate(self.cluster.node_ids):
                self._listen(node_id, self._port + index if self._port else 0)
        except OSError:
            self.stop()
            raise
        for server in self._servers:
            server.start()
        self._expiry = spawn(self._expire)

    def stop(self) -> None:
        """Close every listener and connection. Records stay until the object goes."""
        if self._expiry is not None:
            self._expiry.kill()
            self._expiry = None
        for server in self._servers:
            server.stop(timeout=0)
        self._servers.clear()
        self._connections.kill(timeout=_STOP_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _listen(self, node_id: int, port: int) -> None:
        def serve(sock: socket.socket, address: Any) -> None:
            Connection(sock, str(address[0]), self.cluster, node_id, self._log).run()

        listener = self._listener(node_id, port)
        self._servers.append(StreamServer(listener, serve, spawn=self._connections))
        bound = listener.getsockname()[1]
        self.cluster.endpoints[node_id] = Endpoint(node_id, self._advertised, bound)

    def _listener(self, node_id: int, port: int) -> socket.socket:
        family = AF_INET6 if ":" in self._host else AF_INET
        listener = socket.socket(family, SOCK_STREAM)
        try:
            listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            listener.bind((self._host, port))
            listener.listen(_BACKLOG)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            reason = "already in use" if error.errno == EADDRINUSE else error.strerror
            message = f"broker {node_id} cannot listen on {self._host} port {port}: {reason}"
            raise OSError(error.errno, message) from None
        return listener

    def _expire(self) -> None:
        while True:
            sleep(_EXPIRY_SECONDS)
            self.cluster.groups.expire()
