"""The world of one run: a cluster of its own, a sidecar, and the load through it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.kafka.cluster import RealKafka
from tests.kafka.processes import Place
from tests.kafka.reliability.hosts import Hosts
from tests.kafka.reliability.load import Load
from tests.kafka.sidecars import ADMIN, PLUGIN, Sidecar

FIRST_PORT = 25969
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class World:
    """A running cluster, with what is in front of it."""

    kafka: RealKafka
    gone_seconds: float = 60.0
    direct: bool = False
    """Whether the load goes past the sidecar, to see what is Kafka's own."""
    across: Hosts | None = None
    """The hosts it is on, if not on this one."""
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
        self._place: Place | None = None
        if self.across is not None:
            self._place = self.across.sidecar
            # Others than admin:conduktor, who counts on the sidecar's own host only.
            user, _, password = ADMIN.partition(":")
            users = f"[{{username: {user}, password: {password}, admin: true}}]"
            self._settings["GATEWAY_ADMIN_API_USERS"] = users
        self.sidecar = self._started()
        self.load: Load

    def _started(self, **settings: str) -> Sidecar:
        all_settings = {**self._settings, **settings}
        return Sidecar(
            f"sidecar-{self.count}",
            self.kafka,
            FIRST_PORT,
            self.home,
            place=self._place,
            **all_settings,
        )

    @property
    def hosts(self) -> Hosts:
        """Those that clients, sidecar and brokers are on."""
        assert self.across is not None
        return self.across

    @property
    def next_name(self) -> str:
        """That of the next sidecar."""
        return f"sidecar-{self.count + 1}"

    @contextlib.contextmanager
    def other_sidecar(self, **settings: str) -> Iterator[None]:
        """Another one in the place of the one there is, which rests meanwhile."""
        self.count += 1
        old, self.sidecar = self.sidecar, self._started(**settings)
        try:
            yield
        finally:
            self.sidecar.stop()
            self.sidecar = old

    def start_again(self) -> None:
        """Another sidecar in the place of the one that has ended."""
        self.count += 1
        old = self.sidecar
        self.sidecar = self._started(GATEWAY_START_PORT=str(old.port))
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
