"""Broker ids to client ports: every address a client is told leads back to the sidecar."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker of the cluster behind the sidecar, at its own address."""

    node_id: int
    host: str
    port: int


class PortsExhausted(Exception):
    """There is no client port left for a broker."""


class AddressBook:
    """Which client port stands for which broker.

    Ports go up from `port_start` in order of node id, so that several sidecars before one cluster
    agree; a broker that appears later takes the next free one. With `min_broker_id` the port is
    `port_start + node id - min_broker_id`, whichever brokers are up at the start.

    Args:
        advertised_host: the name clients reach the sidecar by.
        port_start: first client port.
        port_count: how many ports may be used; None for as many as there are brokers.
        min_broker_id: see above; None for positions.
    """

    def __init__(
        self,
        advertised_host: str,
        port_start: int,
        port_count: int | None = None,
        min_broker_id: int | None = None,
    ) -> None:
        self._host = advertised_host.encode()
        self._port_start = port_start
        self._last_port = min(65535, port_start + (port_count or 65536) - 1)
        self._min_broker_id = min_broker_id
        self._ports: dict[int, int] = {}
        self._brokers: dict[int, Broker] = {}
        self.on_new: Callable[[Broker], None] | None = None
        """Told of brokers that turn up in answers to clients, so that a listener can be opened."""

    def learn(self, brokers: Iterable[Broker]) -> list[Broker]:
        """Take note of where brokers are; returns those that were not known before.

        Raises:
            PortsExhausted: a new broker gets no port; all others were taken note of.
        """
        fresh, exhausted = [], None
        for broker in sorted(brokers, key=lambda b: b.node_id):
            if broker.node_id not in self._ports:
                try:
                    self._ports[broker.node_id] = self._next_port(broker.node_id)
                except PortsExhausted as error:
                    exhausted = exhausted or error
                    continue
                fresh.append(broker)
            self._brokers[broker.node_id] = broker
        if exhausted is not None:
            raise exhausted
        return fresh

    def _next_port(self, node_id: int) -> int:
        if self._min_broker_id is None:
            port = self._port_start + len(self._ports)
        else:
            port = self._port_start + node_id - self._min_broker_id
        if not self._port_start <= port <= self._last_port:
            raise PortsExhausted(
                f"broker {node_id} would need client port {port}, "
                f"allowed are {self._port_start} to {self._last_port}"
            )
        return port

    def broker(self, node_id: int) -> Broker:
        """Where the broker is now."""
        return self._brokers[node_id]

    def client_port(self, node_id: int) -> int:
        """The sidecar's port for a known broker."""
        return self._ports[node_id]

    def ports(self) -> list[tuple[Broker, int]]:
        """Every known broker with its client port, by node id. Called on any thread."""
        # A broker has its port first: who stands in `_brokers` has all.
        return [(broker, self._ports[n]) for n, broker in sorted(self._brokers.items())]

    def see(self, broker: Broker) -> bool:
        """Take note of a broker that an answer to a client named; whether it has a port now."""
        if broker.node_id in self._ports:
            return True
        try:
            self.learn([broker])
        except PortsExhausted:
            return False
        if self.on_new:
            self.on_new(broker)
        return True

    def advertised(self, node_id: int, host: bytes, port: int) -> tuple[bytes, int]:
        """The address a client is told instead of a broker's own.

        An empty host means "none" in Kafka's answers and stays. A broker that is not known yet
        gets its port here. Where none is left the client is told the first broker's: it is sent on
        after a refresh, where the broker's own address would lead it past the sidecar.
        """
        if not host or node_id < 0:
            return host, port
        if node_id not in self._ports and not self.see(
            Broker(node_id, host.decode(errors="replace"), port)
        ):
            return self._host, next(iter(self._ports.values()), self._port_start)
        return self._host, self._ports[node_id]
