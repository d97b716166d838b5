"""The counters behind /metrics, named as Prometheus recommends.

Labels are bounded by configuration and protocol, never by what clients send.
"""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from sidecar.injection_series import InjectionSeries, Labels
from sidecar.model.injection import Injection
from sidecar.model.observation import Ended, Observed
from sidecar.model.snapshot import Snapshot

_PREFIX = "kafka_chaos"
_RECOVERY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""From one round trip to what producers wait at most (delivery.timeout.ms, 120 s), and beyond."""


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
        recoveries = Histogram(
            f"{_PREFIX}_recovery_seconds",
            "From the first error injected into a client's topic-partition to its next success",
            ("interceptor", "virtual_cluster", "fault", "api"),
            buckets=_RECOVERY_SECONDS,
            registry=self.registry,
        )
        self.recoveries = InjectionSeries(recoveries, clock)
        unrecovered = self._counter(
            "recoveries_given_up",
            "Topic-partitions on which a client had no success for long after an injected error",
            "interceptor",
            "virtual_cluster",
            "fault",
            "api",
        )
        self.unrecovered = InjectionSeries(unrecovered, clock)
        self._series = (self.injections, self.recoveries, self.unrecovered)
        self.anomalies = self._counter(
            "sequence_anomalies",
            "Acknowledged batches of idempotent producers that are duplicates, or out of order",
            "kind",
        )
        self.injections_skipped = self._counter(
            "injections_skipped", "Requests let through because the log could not take the event"
        )
        self.fault_failures = self._counter(
            "fault_failures", "Requests and answers let through because a fault failed", "fault"
        )
        self.records_passed_over = self._counter(
            "records_passed_over",
            "Records let through because a fault had no time for them",
            "fault",
        )
        self.connections = self._counter("client_connections", "Client connections accepted")
        self.closes = self._counter(
            "client_closes", "Client connections closed by the sidecar, by reason", "reason"
        )
        self.control_refusals = self._counter(
            "control_refusals",
            "Control calls and HTTP requests turned away at the door",
            "door",
            "reason",
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
        return self.injections.series(labels)

    def refused(self, door: str, reason: str) -> None:
        """Count a control call that was turned away."""
        self.control_refusals.labels(door, reason).inc()

    def observe(self, observation: Observed) -> None:
        """Count an observation."""
        if not isinstance(observation, Ended):
            self.anomalies.labels(observation.kind).inc()
            return
        first = observation.first
        labels = first.interceptor, first.virtual_cluster, first.fault, first.api
        if observation.recovered:
            self.recoveries.series(labels).observe(observation.seconds)
        else:
            self.unrecovered.series(labels).inc()

    def follow(self, snapshot: Snapshot) -> None:
        """From now on these are the interceptors; to be called before the data side sees them."""
        for each in self._series:
            each.follow(snapshot)

    def exposition(self) -> tuple[str, str]:
        """Content type and text of /metrics."""
        for each in self._series:
            each.expire()
        return CONTENT_TYPE_LATEST, generate_latest(self.registry).decode()
