"""A worker's copy of the address book, which only the first process writes in."""

from collections.abc import Callable

from sidecar.dataplane.addresses import Broker
from sidecar.workers.messages import ClusterView


class Directory:
    """Where brokers are, and which addresses clients are told.

    Args:
        advertised_host: the name clients reach the sidecar by.
        on_unknown: told, once, of each broker that an answer names and the first process has not
            named yet: only that one gives ports, or the workers would disagree.
    """

    def __init__(self, advertised_host: str, on_unknown: Callable[[Broker], None]) -> None:
        self._host = advertised_host.encode()
        self._on_unknown = on_unknown
        self._asked: set[Broker] = set()
        self._brokers: dict[int, tuple[Broker, int]] = {}

    def follow(self, view: ClusterView) -> None:
        """Take over what the first process knows."""
        self._brokers = {broker.node_id: (broker, port) for broker, port in view.brokers}

    def locate(self, node_id: int) -> Broker:
        """Where the broker is now."""
        return self._brokers[node_id][0]

    def advertised(self, node_id: int, host: bytes, port: int) -> tuple[bytes, int]:
        """The address a client is told instead of a broker's own, as `AddressBook` has it.

        Until the first process has answered, an unknown broker is shown at the first one's port,
        as one without a port is: the client is sent on from there after its next refresh.
        """
        if not host or node_id < 0:
            return host, port
        known = self._brokers.get(node_id)
        if known is not None:
            return self._host, known[1]
        broker = Broker(node_id, host.decode(errors="replace"), port)
        if broker not in self._asked:
            self._asked.add(broker)
            self._on_unknown(broker)
        return self._host, min(port for _, port in self._brokers.values())
