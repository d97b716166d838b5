"""What workers report, entered where the first process has its own: the journal and the metrics."""

from collections.abc import Mapping
from typing import Final, Protocol

from sidecar.counts import Counter, Counts
from sidecar.model.injection import Brief, Noted
from sidecar.model.observation import Observed
from sidecar.workers.messages import Report


class Entries(Protocol):
    """The journal, as far as it is written."""

    def publish(self, injection: Noted) -> None:
        """Remember and count an injection."""

    def skip(self, uid: str, count: int) -> None:
        """Count injections that are not known any closer."""

    @property
    def observations(self) -> "Observations":
        """Those beside the injections."""


class Observations(Protocol):
    """The observations of the journal, as far as they are written."""

    def publish(self, item: Observed) -> None:
        """Remember one."""

    def pass_over(self, count: int) -> None:
        """Some are not known any closer."""


class Totals(Counts, Protocol):
    """The metrics, as far as they are counted."""

    def counter_of(self, labels: tuple[str, str, str, str]) -> Counter:
        """What counts injections by interceptor, virtual cluster, fault and error."""


class Ledger:
    """Enters reports; on the hub, as the first process's own injections are."""

    def __init__(self, journal: Entries, totals: Totals) -> None:
        self._journal = journal
        self._totals = totals
        self._counters: Final[Mapping[str, Counter]] = {
            "connections": totals.connections,
            "closes": totals.closes,
            "reports": totals.reports,
            "upstream_failures": totals.upstream_failures,
            "fault_failures": totals.fault_failures,
            "injections_skipped": totals.injections_skipped,
        }

    def enter(self, report: Report) -> None:
        """Add a report to everything."""
        for injection in report.injections:
            self._journal.publish(injection)
            common = injection.form.common if isinstance(injection, Brief) else injection
            self._totals.counter(common).inc()
        for (uid, *labels), amount in report.lost.items():
            self._journal.skip(uid, amount)
            interceptor, virtual_cluster, fault, error = labels
            self._totals.counter_of((interceptor, virtual_cluster, fault, error)).inc(amount)
        for observation in report.observations:
            self._journal.observations.publish(observation)
            self._totals.observe(observation)
        if report.unseen:
            self._journal.observations.pass_over(report.unseen)
        for (name, label), amount in report.counts.items():
            counter = self._counters[name]
            (counter.labels(label) if label else counter).inc(amount)
