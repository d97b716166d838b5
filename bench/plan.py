"""What is measured: the cells, how often, and how long that takes."""

import itertools
from dataclasses import dataclass

from kload import Load

FRAMES = {"100B": 100, "1KiB": 1024, "16KiB": 16384, "128KiB": 131072, "1MiB": 1048576}
IN_FLIGHT = (1, 5)
CONNECTIONS = (1, 10, 100)
APIS = ("produce", "fetch")
_OVERHEAD = 0.13
"""Seconds between two samples: the client's start, the wait for calm."""
_START = 2.0
"""Seconds to start and check a target, about."""


@dataclass(frozen=True, order=True)
class Cell:
    """One kind of load."""

    api: str
    frame: int
    in_flight: int
    connections: int

    @property
    def name(self) -> str:
        """As `--cells` spells it, like produce-16KiB-5-100."""
        size = next((name for name, size in FRAMES.items() if size == self.frame), str(self.frame))
        return f"{self.api}-{size}-{self.in_flight}-{self.connections}"

    def load(self, seconds: float) -> Load:
        """The client's orders."""
        return Load(
            api=self.api,
            frame=self.frame,
            in_flight=self.in_flight,
            connections=self.connections,
            seconds=seconds,
            warmup=min(0.1, seconds / 3) if self.connections < 100 else min(0.2, seconds / 2),
        )


@dataclass(frozen=True)
class Plan:
    """A whole run."""

    targets: tuple[str, ...]
    cells: tuple[Cell, ...]
    rounds: int
    seconds: float

    @property
    def samples(self) -> int:
        """How many windows are measured."""
        return len(self.targets) * len(self.cells) * self.rounds

    @property
    def estimate(self) -> float:
        """Seconds it takes on a calm machine."""
        sample = self.seconds + min(0.15, self.seconds / 2) + _OVERHEAD
        return self.samples * sample + len(self.targets) * _START


def all_cells() -> tuple[Cell, ...]:
    """The full matrix."""
    return tuple(
        Cell(*each) for each in itertools.product(APIS, FRAMES.values(), IN_FLIGHT, CONNECTIONS)
    )


def quick_cells() -> tuple[Cell, ...]:
    """What two minutes allow: the corners that tell most."""
    corners = ((1, 1), (5, 10))
    sizes = (1024, 16384, 1048576)
    produce = tuple(Cell("produce", frame, *corner) for frame in sizes for corner in corners)
    return (*produce, Cell("fetch", 16384, 5, 10))


QUICK_TARGETS = (
    "direct",
    "sidecar-pass",
    "sidecar-mapped",
    "sidecar-inject50",
    "haproxy",
    "envoy",
    "toxiproxy",
    "kroxylicious",
)


def choose_cells(patterns: list[str], cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The cells whose names begin with one of the patterns.

    Raises:
        ValueError: a pattern fits none.
    """
    for pattern in patterns:
        if not any(cell.name.startswith(pattern) for cell in cells):
            raise ValueError(f"no cell begins with {pattern!r}; one is {cells[0].name}")
    return tuple(cell for cell in cells if any(cell.name.startswith(p) for p in patterns))
