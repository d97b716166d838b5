"""Finding the brokers behind the bootstrap addresses, at the start and ever after."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import gevent

import codec
from sidecar.dataplane.addresses import Broker
from sidecar.dataplane.versions import Features, Range
from sidecar.net.dialing import Dialer
from sidecar.net.upstream import ask_brokers, ask_topic, ask_versions

_RETRY_SECONDS: Final = 1.0
_SETTLE_SECONDS: Final = 10.0
"""How long to wait for as many brokers as bootstrap addresses: ports go by position."""


class Cluster:
    """What is known about the cluster behind the sidecar.

    Args:
        bootstrap_servers: host and port of brokers to ask first.
        log: bound logger.
        dial: connects to brokers.
    """

    def __init__(
        self, bootstrap_servers: Sequence[tuple[str, int]], log: Any, dial: Dialer | None = None
    ) -> None:
        self._dial = dial or Dialer()
        self._bootstrap = tuple(bootstrap_servers)
        self._log = log
        self._known: list[tuple[str, int]] = []
        self._versions: dict[int, dict[int, Range]] = {}
        self.features = Features()
        """Those of the cluster, as of the last refresh."""

    def find(self, clock: Callable[[], float]) -> list[Broker]:
        """The brokers, once some are up: asks until one answers, and says so in the log.

        A starting cluster shows its brokers one by one, and ports go by position, so it waits a
        little until there are as many as bootstrap addresses.
        """
        deadline = clock() + _SETTLE_SECONDS
        asked = 0
        while True:
            brokers = self.refresh()
            enough = len(brokers) >= len(self._bootstrap) or clock() >= deadline
            if self._versions and enough:
                return brokers
            if asked % 10 == 0:
                self._log.warning(
                    "waiting_for_kafka",
                    bootstrap_servers=[f"{host}:{port}" for host, port in self._bootstrap],
                    brokers_found=len(brokers),
                )
            asked += 1
            gevent.sleep(_RETRY_SECONDS)

    def refresh(self) -> list[Broker]:
        """The brokers as they are now; empty when nobody answers."""
        for host, port in [*self._known, *self._bootstrap]:
            try:
                brokers = ask_brokers(self._dial, host, port)
            except (OSError, codec.CodecError) as error:
                self._log.debug("bootstrap_failed", broker=f"{host}:{port}", cause=str(error))
                continue
            self._known = [(broker.host, broker.port) for broker in brokers]
            self._ask_versions(brokers)
            return brokers
        return []

    def versions(self) -> list[dict[int, Range]]:
        """What each broker that answered last speaks."""
        return list(self._versions.values())

    def has_topic(self, name: str) -> bool | None:
        """Whether there is a topic; None when no broker can say."""
        for host, port in [*self._known, *self._bootstrap]:
            try:
                found = ask_topic(self._dial, host, port, name)
            except (OSError, codec.CodecError) as error:
                self._log.debug("topic_unknown", broker=f"{host}:{port}", cause=str(error))
                continue
            if found is not None:
                return found
        return None

    def _ask_versions(self, brokers: list[Broker]) -> None:
        present = {broker.node_id for broker in brokers}
        self._versions = {n: v for n, v in self._versions.items() if n in present}
        for broker in brokers:
            try:
                ranges, features = ask_versions(self._dial, broker.host, broker.port)
                self._versions[broker.node_id] = ranges
                if features.epoch >= self.features.epoch:
                    self.features = features
            except (OSError, codec.CodecError) as error:
                where = f"{broker.host}:{broker.port}"
                self._log.warning("broker_unreachable", broker=where, cause=str(error))
