"""One row of the table: a fault that was tried, and what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.kafka.processes import wait_until
from tests.kafka.reliability.fault import Fault
from tests.kafka.reliability.load import Load
from tests.kafka.reliability.world import World


@dataclass(frozen=True)
class Row:
    """What came of a fault."""

    name: str
    what: str
    saw: str
    acknowledged: int
    lost: int
    duplicated: int
    disordered: int
    failed: int
    recovery: float
    memory: tuple[float, float]
    descriptors: tuple[int, int]
    note: str
    may_grow: float

    @property
    def kept(self) -> bool:
        """Whether the promise was."""
        grown = self.memory[1] - self.memory[0]
        broken = self.lost or self.duplicated or self.disordered or self.failed
        return not broken and grown < self.may_grow


@dataclass(frozen=True)
class NotRun:
    """A fault that cannot be tried on this machine."""

    name: str
    what: str
    why: str

    kept = False
    """Nobody knows, so nobody may say so."""


def tried(world: World, fault: Fault, number: int) -> Row:
    """Run the load, do something to the world, and see what came of it."""
    with fault.prepare(world):
        return _tried(world, fault, number)


def _tried(world: World, fault: Fault, number: int) -> Row:
    through = world.kafka.bootstrap if world.direct else world.sidecar.bootstrap
    world.load = load = Load(through, world.kafka.bootstrap, f"faults-{number}-{fault.name}")
    try:
        wait_until(lambda: load.all_since(0) and load.acknowledged > 400, "the load to run", 60)
        before = world.measure()
        began = time.monotonic()
        note = fault.act(world) or ""
        undone = time.monotonic()
        wait_until(
            lambda: load.all_since(undone), f"every producer goes on after {fault.name}", 120
        )
        wait_until(lambda: load.all_since(time.monotonic() - 0.5), "the load to run", 60)
        silence = load.longest_silence(began)
    finally:
        load.stop()
    after = world.measure()
    stored = load.stored()
    errors: dict[str, int] = {}
    for seen in load.seen:
        for name, count in (seen.errors + seen.failed).items():
            errors[name] = errors.get(name, 0) + count
    return Row(
        fault.name,
        fault.what,
        ", ".join(f"{name} {count}" for name, count in sorted(errors.items())) or "nothing",
        load.acknowledged,
        sum(
            len(set(seen.acked).difference(values)) + len(set(seen.acked).difference(read))
            for seen, values, read in zip(load.seen, stored, load.consumed, strict=True)
        ),
        sum(len(values) - len(set(values)) for values in stored),
        sum(values != sorted(values) for values in stored)
        + sum(seen.acked != sorted(seen.acked) for seen in load.seen),
        sum(seen.failed.total() for seen in load.seen),
        silence,
        (before[0], after[0]),
        (before[1], after[1]),
        note,
        fault.may_grow,
    )
