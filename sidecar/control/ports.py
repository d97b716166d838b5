"""What the control API needs from the rest of the sidecar: Protocols and their values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sidecar.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInfo:
    """Which build is running; ``time`` and ``commit`` are empty when the build did not say."""

    version: str
    time: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker behind the sidecar, and the port under which clients reach it."""

    node_id: int
    host: str
    port: int
    client_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """Where the state is kept.

    Args:
        type: ``IN_MEMORY``, ``FILE`` or ``KAFKA``.
        trouble: why it cannot be reached; empty when it can.
    """

    type: str = "IN_MEMORY"
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The data side at one moment.

    Args:
        brokers: in order of node id; empty until the cluster has been reached.
        connections: open client connections.
        injection_paused: injection rests because its records cannot be logged fast enough.
        store: where the state is kept.
    """

    brokers: tuple[Broker, ...] = ()
    connections: int = 0
    injection_paused: bool = False
    store: StoreStatus = StoreStatus()


class Outrun(Exception):
    """Another sidecar has changed the shared state since it was looked at."""


class Store(Protocol):
    """Where the state is between the starts of a process, and between the sidecars of a fleet."""

    @property
    def lacking(self) -> bool:
        """Whether the store has lost what it had, so that it is to be saved again."""
        ...

    def news(self, *, everything: bool = False) -> Mapping[str, Any] | None:
        """Return the fields of `Snapshot` that others have changed since the last call, or None.

        Called in a writer's turn; does not wait.

        Args:
            everything: return all the fields that are stored.
        """
        ...

    def save(self, wanted: Snapshot) -> None:
        """Have `wanted` in the store. Called in a writer's turn; may wait for seconds.

        Raises:
            Outrun: the store has news; nothing was saved.
            Unavailable: it cannot be reached, or does not take it.
        """
        ...


class Claim(Protocol):
    """Makes a virtual cluster exist, if it does not yet."""

    def __call__(self, name: str, *, validate_only: bool = False) -> None:
        """Claim `name`, or only check that it could be claimed.

        Never waits; any thread may call it.

        Raises:
            DomainError: it may not exist.
        """
        ...


class StatusSource(Protocol):
    """Knows how the data side is doing."""

    def status(self) -> Status:
        """Return the state now. Called on any thread; must not block."""
        ...


class ClientSource(Protocol):
    """Knows which clients are connected."""

    def clients(self, virtual_cluster: str) -> int | None:
        """Return the connections of a virtual cluster's clients; None when it cannot be told now.

        Whoever authenticates after that is asked about again, in every process. Called on any
        thread but the hub's; may wait for the data side, but not for long.
        """
        ...


class TopicSource(Protocol):
    """Knows which topics the cluster has."""

    def exists(self, physical_name: str) -> bool | None:
        """Return whether the cluster has this topic; None when it cannot be told now.

        Called on any thread but the hub's; may wait for the cluster, but not for long.
        """
        ...


class MetricsSource(Protocol):
    """Knows the metrics."""

    def exposition(self) -> tuple[str, str]:
        """Return ``(content type, text)`` in Prometheus' text format. Called on any thread."""
        ...
