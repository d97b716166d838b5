"""Two sidecars, each with an eavesdropper between it and its clients."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from tests.kafka.api_matrix.tenant import Tenant
from tests.kafka.api_matrix.world import OUTSIDE, PREFIX, topic_ids
from tests.kafka.cluster import RealKafka
from tests.kafka.eavesdropper import Eavesdropper
from tests.kafka.sidecars import BROKERS, Access, Gateways, Sidecar
from tests.kafka.workloads import Workload

CLIENTS, SIDECARS = "127.0.0.1", "127.0.0.2"
PORTS = (19969, 20969)


@dataclass
class Side:
    """One sidecar, what was heard before it, and the virtual clusters that are used through it."""

    sidecar: Sidecar
    ear: Eavesdropper
    vclusters: set[str] = field(default_factory=set)
    markers: set[str] = field(default_factory=set)

    def tenant(self, vcluster: str) -> tuple[Access, str]:
        """A way into a virtual cluster, and a marker for its records."""
        marker = f"marker-{uuid4().hex}"
        self.vclusters.add(vcluster)
        self.markers.add(marker)
        return self.sidecar.access(vcluster), marker


@dataclass(frozen=True)
class Overheard:
    """Both sides, and the cluster behind them."""

    first: Side
    second: Side
    kafka: RealKafka

    @property
    def gateways(self) -> Gateways:
        """The two sidecars."""
        return Gateways(self.first.sidecar, self.second.sidecar, self.kafka)

    def leaks(self) -> list[str]:
        """Everything that either side's clients were sent and must not see."""
        outside = Tenant("", Access(self.kafka.bootstrap))
        try:
            ids = topic_ids(outside)
        finally:
            outside.close()
        lines = []
        for own, other in ((self.first, self.second), (self.second, self.first)):
            foreign = [
                topic_id
                for name, topic_id in ids.items()
                if not name.startswith(tuple(own.vclusters))
            ]
            markers = [marker.encode() for marker in other.markers]
            lines += own.ear.heard([PREFIX, OUTSIDE.encode(), *markers, *foreign])
        return lines

    def side_by_side(
        self, run: Workload, vclusters: Collection[str]
    ) -> list[tuple[str, list[str]]]:
        """Run a workload in two virtual clusters at once; the marker and result of each."""
        pairs = zip((self.first, self.second), vclusters, strict=True)
        tenants = [side.tenant(vcluster) for side, vcluster in pairs]
        with ThreadPoolExecutor(len(tenants)) as pool:
            results = list(pool.map(lambda tenant: run(*tenant), tenants))
        return [(marker, seen) for (_, marker), seen in zip(tenants, results, strict=True)]


@contextlib.contextmanager
def overhearing(kafka: RealKafka) -> Iterator[Overheard]:
    """Sidecars and eavesdroppers for the length of a with block."""
    home = Path(tempfile.mkdtemp(prefix="overheard-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        sides = []
        for name, port in zip(("overheard1", "overheard2"), PORTS, strict=True):
            sidecar = Sidecar(name, kafka, port, home, GATEWAY_BIND_HOST=SIDECARS)
            stack.callback(sidecar.stop)
            ports = range(sidecar.port, sidecar.port + BROKERS)
            sides.append(Side(sidecar, stack.enter_context(Eavesdropper(ports, CLIENTS, SIDECARS))))
        yield Overheard(*sides, kafka)
