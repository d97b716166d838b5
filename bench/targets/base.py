"""What a target is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from children import Child, wait_until


@dataclass
class Running:
    """A started target.

    Args:
        port: where clients connect.
        child: its process; None for none at all.
        token: what clients authenticate with, if they have to.
        on_stop: called before the process is ended.
    """

    port: int
    child: Child | None = None
    token: str | None = None
    on_stop: list[Callable[[], None]] = field(default_factory=list)

    def pids(self) -> list[int]:
        """Its processes at this moment."""
        return self.child.pids() if self.child else []

    def stop(self) -> None:
        """End it."""
        for action in self.on_stop:
            action()
        if self.child:
            self.child.stop()


class Target(ABC):
    """Something a client can talk to that leads to the bench's broker."""

    name: str
    kafka_aware = False
    """Whether it reads Kafka's protocol."""
    warmup = 0.3
    """Seconds of load before the first sample; compilers at run time need more."""

    @abstractmethod
    def prepare(self) -> None:
        """Install it into the cache, once.

        Raises:
            cached.Unavailable: it cannot be had here.
        """

    @abstractmethod
    def version(self) -> str:
        """What is measured, for the results."""

    @abstractmethod
    def start(self, upstream: int, home: Path) -> Running:
        """Start it before the broker on port `upstream`; files go to `home`.

        Raises:
            cached.Unavailable: it does not run here.
        """

    def wait(self, child: Child, ready: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until `ready`; a child that ends or takes longer is an error with its last words."""

        def check() -> bool:
            if not child.alive:
                raise RuntimeError(f"{self.name} ended: {child.tail()}")
            return ready()

        try:
            wait_until(check, self.name, seconds)
        except BaseException:
            child.stop()
            raise
