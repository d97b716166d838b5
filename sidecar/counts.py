"""What the data side counts, without saying where: at /metrics, or on its way there."""

from typing import Protocol

from sidecar.model.injection import Injection
from sidecar.model.observation import Observed


class Counter(Protocol):
    """Only grows."""

    def inc(self, amount: float = 1) -> None:
        """Count."""

    def labels(self, *values: str) -> "Counter":
        """The counter of this kind with these values of its labels."""


class Counts(Protocol):
    """Everything the hub counts."""

    @property
    def connections(self) -> Counter:
        """Client connections accepted."""

    @property
    def closes(self) -> Counter:
        """Client connections closed by the sidecar; label: reason."""

    @property
    def reports(self) -> Counter:
        """Events of client sessions; label: event."""

    @property
    def upstream_failures(self) -> Counter:
        """Connections to brokers that could not be made."""

    @property
    def injections_skipped(self) -> Counter:
        """Requests let through because the log could not take the event."""

    @property
    def fault_failures(self) -> Counter:
        """Bugs of faults that clients did not notice; label: fault."""

    def counter(self, injection: Injection) -> Counter:
        """What counts injections like this one."""

    def observe(self, observation: Observed) -> None:
        """Count what was observed."""
