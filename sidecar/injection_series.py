"""The series of what interceptors caused: there while their interceptor is, and a little longer.

Prometheus takes a counter that ends, or starts anew, as it takes a process that does; but what was
counted after its last visit would be lost if a series ended with its interceptor.
"""

import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from prometheus_client import Counter, Histogram

from sidecar.model.snapshot import Snapshot

KEEP_SECONDS: Final = 300.0
"""How long a series outlives its interceptor: Prometheus' own patience with a silent series."""

Labels = tuple[str, str, str, str]
"""Interceptor, virtual cluster, fault, and error or API."""


Metric = TypeVar("Metric", Counter, Histogram)


class InjectionSeries(Generic[Metric]):
    """`series` belongs to one thread, the hub's, and takes no lock; the rest to any.

    Args:
        metric: with the labels of `Labels`.
        clock: seconds on a monotonic clock.
    """

    def __init__(self, metric: Metric, clock: Callable[[], float] = time.monotonic) -> None:
        self._metric: Metric = metric
        self._clock = clock
        # labels() takes a lock and checks its arguments: too much for every injection.
        self._series: dict[Labels, Metric] = {}
        self._present: frozenset[tuple[str, str]] | None = None
        self._gone: dict[Labels, float] = {}
        self._lock = threading.Lock()

    def series(self, labels: Labels) -> Metric:
        """What counts under these labels.

        It may be kept as long as an interceptor is there that `follow` was told of before.
        """
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = self._metric.labels(*labels)
        return series

    def follow(self, snapshot: Snapshot) -> None:
        """From now on these are the interceptors; the time of series without one begins.

        To be called before the data side sees them, so that no counter it keeps is dropped.
        """
        present = frozenset((i.name, i.scope.virtual_cluster) for i in snapshot.interceptors)
        with self._lock:
            self._present = present
            self._sweep()

    def expire(self) -> None:
        """Drop the series whose time is over."""
        with self._lock:
            self._sweep()

    def _sweep(self) -> None:
        now = self._clock()
        # All are looked at: what was in flight may have been counted after its interceptor went.
        for labels in tuple(self._series):
            if self._alive(labels):
                self._gone.pop(labels, None)
            elif now - self._gone.setdefault(labels, now) >= KEEP_SECONDS:
                # In this order the hub may count once on what is dropped, but not find it again.
                self._metric.remove(*labels)
                del self._series[labels]
                del self._gone[labels]

    def _alive(self, labels: Labels) -> bool:
        """Whether an interceptor of this name strikes in this virtual cluster, or everywhere."""
        if self._present is None:
            return True
        name, virtual_cluster, *_ = labels
        return (name, virtual_cluster) in self._present or (name, "") in self._present
