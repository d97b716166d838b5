"""Who listens for which broker, and the greenlet that keeps up with the cluster."""

import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent.event import Event

from sidecar import clock
from sidecar.counts import Counts
from sidecar.dataplane.addresses import AddressBook, Broker, PortsExhausted
from sidecar.dataplane.shared import Shared
from sidecar.model.place import ALONE, Place
from sidecar.net.discovery import Cluster
from sidecar.net.listeners import Listeners
from sidecar.net.transport import PLAIN, Transport

REFRESH_SECONDS: Final = 30.0
"""How often the cluster is asked for its brokers and their versions."""
LEAST_REFRESH_SECONDS: Final = 1.0
"""How long it is left alone in between, however often a broker is not where it was."""


class Gateway:
    """Accepts clients for every broker of the cluster.

    Args:
        cluster: finds the brokers.
        book: which client port stands for which broker.
        shared: what the sessions share; `versions` is replaced here as brokers change.
        bind_host: address to listen on.
        max_connections: client connections at once in this process, over all listeners.
        frame_limit: largest frame after authentication, bytes.
        metrics, log: where it shows what it does.
        place: which of several processes this is; it must be the first.
        transport: how clients and brokers are reached.
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
        metrics: Counts,
        log: Any,
        place: Place = ALONE,
        transport: Transport = PLAIN,
    ) -> None:
        self._cluster = cluster
        self._book = book
        self._shared = shared
        self._log = log
        self._listeners = Listeners(
            locate=book.broker,
            shared=shared,
            bind_host=bind_host,
            max_connections=max_connections,
            frame_limit=frame_limit,
            metrics=metrics,
            log=log,
            place=place,
            transport=transport,
            on_unreachable=self.look_again,
        )
        self._stale = Event()
        """Set when a broker was not found where it is said to be."""
        self._refresher: gevent.Greenlet[[], None] | None = None
        self.on_change: Callable[[], None] | None = None
        """Told, once started, that brokers, versions or listeners may have changed."""

    @property
    def connections(self) -> int:
        """Client connections at this moment."""
        return self._listeners.connections

    def clients(self, virtual_cluster: str) -> int:
        """Connections whose clients have authenticated for this virtual cluster."""
        return self._listeners.clients(virtual_cluster)

    @property
    def listening(self) -> frozenset[int]:
        """Node ids of the brokers that clients can reach."""
        return self._listeners.brokers

    def start(self) -> None:
        """Find the cluster, then listen for every broker in it.

        Raises:
            OSError: a port cannot be listened on.
            PortsExhausted: there are more brokers than ports.
        """
        self._learn(self._cluster.find(time.monotonic))
        self._book.on_new = self._open_late
        self._refresher = gevent.spawn(self._keep_up)

    def look_again(self) -> None:
        """Ask the cluster for its brokers soon: one of them is not there. Never waits."""
        self._stale.set()

    def drain(self, seconds: float) -> None:
        """Let no more clients in, and those that are there finish, see `Listeners.drain`."""
        if self._refresher is not None:
            self._refresher.kill()
        self._listeners.drain(seconds)

    def stop(self) -> None:
        """Stop listening and end every connection."""
        if self._refresher is not None:
            self._refresher.kill()
        self._listeners.stop()

    def _learn(self, brokers: list[Broker]) -> None:
        self._shared.versions = self._shared.versions_of(
            self._cluster.versions(), self._cluster.features
        )
        try:
            self._book.learn(brokers)
        finally:
            # Also those whose port could not be listened on before.
            for broker, port in self._book.ports():
                if broker.node_id not in self._listeners.brokers:
                    self._listeners.open(broker, port)

    def _open_late(self, broker: Broker) -> None:
        """A broker that joined later: what goes wrong is logged, and clients fail on its port."""
        try:
            self._listeners.open(broker, self._book.client_port(broker.node_id))
        except OSError as error:
            self._log.error("listen_failed", broker_id=broker.node_id, cause=str(error))
        self._changed()

    def _keep_up(self) -> None:
        while True:
            gevent.sleep(LEAST_REFRESH_SECONDS)
            self._stale.wait(REFRESH_SECONDS - LEAST_REFRESH_SECONDS)
            self._stale.clear()
            self._shared.recoveries.expire(clock.now())
            try:
                self._learn(self._cluster.refresh())
            except (OSError, PortsExhausted) as error:
                self._log.error("listen_failed", cause=str(error))
            self._changed()

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()
