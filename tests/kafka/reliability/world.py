"""The world of one run: a cluster of its own, a sidecar, and the load through it."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.kafka.cluster import RealKafka
from tests.kafka.processes import wait_until
from tests.kafka.reliability.load import Load
from tests.kafka.sidecars import PLUGIN, Sidecar

FIRST_PORT = 25969
_TICKS = os.sysconf("SC_CLK_TCK")


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


@dataclass
class World:
    """A running cluster, with what is in front of it."""

    kafka: RealKafka
    gone_seconds: float = 60.0
    direct: bool = False
    """Whether the load goes past the sidecar, to see what is Kafka's own."""
    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="reliability-")))
    count: int = 0

    def __post_init__(self) -> None:
        self._settings = {
            "GATEWAY_SECURITY_PROTOCOL": "PLAINTEXT",
            "GATEWAY_STORAGE_TYPE": "KAFKA",
            "GATEWAY_CLUSTER_ID": "faults",
            "GATEWAY_TOPIC_STORE_KCACHE_REPLICATION_FACTOR": "3",
        }
        self.store_topic = "_kafka_chaos_faults_state"
        self.sidecar = Sidecar("sidecar-0", self.kafka, FIRST_PORT, self.home, **self._settings)
        self.load: Load

    def start_again(self) -> None:
        """Another sidecar in the place of the one that has ended."""
        self.count += 1
        ports = {"GATEWAY_START_PORT": str(self.sidecar.port)}
        old = self.sidecar
        self.sidecar = Sidecar(
            f"sidecar-{self.count}", self.kafka, FIRST_PORT, self.home, **self._settings, **ports
        )
        self.sidecar.port = old.port

    def writes(self) -> bool:
        """Whether an interceptor can be made and deleted."""
        path = "/admin/interceptors/v1/global/interceptor/probe"
        body = {"pluginClass": PLUGIN, "priority": 1, "config": {"rateInPercent": 0}}
        made = self.sidecar.request("POST", path, body)[0]
        return made in (201, 409) and self.sidecar.request("DELETE", path)[0] == 204

    def measure(self) -> tuple[float, int]:
        """Resident memory of the sidecar in MiB, and its descriptors."""
        status = Path(f"/proc/{self.sidecar.pid}/status").read_text()
        kilobytes = int(status.partition("VmRSS:")[2].split()[0])
        return kilobytes / 1024, len(os.listdir(f"/proc/{self.sidecar.pid}/fd"))

    def processor_seconds(self) -> float:
        """Time the sidecar has used."""
        fields = Path(f"/proc/{self.sidecar.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def stop(self) -> None:
        """End the sidecar."""
        self.sidecar.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def tried(world: World, fault: object, number: int) -> Row:
    """Run the load, do something to the world, and see what came of it."""
    from tests.kafka.reliability.faults import Fault

    assert isinstance(fault, Fault)
    through = world.kafka.bootstrap if world.direct else world.sidecar.bootstrap
    world.load = load = Load(through, world.kafka.bootstrap, f"faults-{number}-{fault.name}")
    wait_until(lambda: load.all_since(0) and load.acknowledged > 400, "the load to run", 60)
    before = world.measure()
    began = time.monotonic()
    note = fault.act(world) or ""
    undone = time.monotonic()
    wait_until(lambda: load.all_since(undone), f"every producer goes on after {fault.name}", 120)
    wait_until(lambda: load.all_since(time.monotonic() - 0.5), "the load to run", 60)
    silence = load.longest_silence(began)
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
