"""The counters behind /metrics, named as Prometheus recommends.

Labels are bounded by configuration and protocol, never by what clients send.
"""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from sidecar.injection_series import InjectionSeries, Labels
from sidecar.model.injection import Injection

_PREFIX = "kafka_chaos"


class Metrics:
    """All metrics of one sidecar, in a registry of its own.

    Args:
        clock: seconds on a monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry()
        injections = self._counter(
            "injections",
            "Errors injected, one per topic-partition",
            "interceptor",
            "virtual_cluster",
            "fault",
            "error",
        )
        self.injections = InjectionSeries(injections, clock)
        self.injections_skipped = self._counter(
            "injections_skipped", "Requests let through because the log could not take the event"
        )
        self.connections = self._counter("client_connections", "Client connections accepted")
        self.closes = self._counter(
            "client_closes", "Client connections closed by the sidecar, by reason", "reason"
        )
        self.reports = self._counter(
            "session_events", "Events of client sessions, such as authentication_failed", "event"
        )
        self.upstream_failures = self._counter(
            "upstream_connect_failures", "Connections to brokers that could not be made"
        )

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", documentation, labels, registry=self.registry)

    def gauge(self, name: str, documentation: str, read: Callable[[], float]) -> None:
        """Add a gauge that is read when it is asked for."""
        gauge = Gauge(f"{_PREFIX}_{name}", documentation, registry=self.registry)
        gauge.set_function(read)

    def counter(self, injection: Injection) -> Counter:
        """What counts injections like this one."""
        return self.counter_of(
            (injection.interceptor, injection.virtual_cluster, injection.fault, injection.error)
        )

    def counter_of(self, labels: Labels) -> Counter:
        """What counts injections of these labels."""
        return self.injections.counter(labels)

    def exposition(self) -> tuple[str, str]:
        """Content type and text of /metrics."""
        self.injections.expire()
        return CONTENT_TYPE_LATEST, generate_latest(self.registry).decode()
