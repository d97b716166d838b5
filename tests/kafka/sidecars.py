"""The two sidecars of the demo as processes in front of a real cluster, and their admin API."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.kafka.cluster import RealKafka
from tests.kafka.processes import Child, Place, free_port_range, free_ports, wait_until

ADMIN = "admin:conduktor"
SECRET = base64.b64encode(b"a key that only these tests know").decode()
PLUGIN = "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin"
START_TIMEOUT = 30.0
BROKERS = 3
FIRST_PORT, SECOND_PORT = 16969, 17969
Json = dict[str, Any]


@dataclass(frozen=True)
class Access:
    """How a client reaches Kafka: through a sidecar with a token, or straight without."""

    bootstrap: str
    username: str = ""
    token: str = ""


class Sidecar:
    """One running ``chaos-sidecar run``."""

    def __init__(
        self,
        name: str,
        kafka: RealKafka,
        first_port: int,
        home: Path,
        *,
        place: Place | None = None,
        **extra: str,
    ) -> None:
        """Start it with the demo's variables and wait until its health check says yes."""
        self.port = free_port_range(BROKERS, first_port)
        self.http_port, self.grpc_port = free_ports(2)
        self._host = place.host if place else "localhost"
        self._admin_host = extra.get("GATEWAY_BIND_HOST", self._host)
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "GATEWAY_ADVERTISED_HOST": self._host,
            "GATEWAY_MODE": "VCLUSTER",
            "GATEWAY_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "GATEWAY_FEATURE_FLAGS_ANALYTICS": "false",
            "GATEWAY_START_PORT": str(self.port),
            "GATEWAY_HTTP_PORT": str(self.http_port),
            "GATEWAY_GRPC_PORT": str(self.grpc_port),
            "GATEWAY_USER_POOL_SECRET_KEY": SECRET,
            **extra,
        }
        prefix = place.prefix if place else ()
        command = [*prefix, sys.executable, "-m", "sidecar", "run"]
        self._child = Child(name, command, home / f"{name}.log", environment)
        try:
            wait_until(self._healthy, f"{name} healthy", START_TIMEOUT)
        except BaseException as exc:
            self.stop()
            raise RuntimeError(f"{name} did not start: {exc}\n{self._child.tail()}") from exc

    @property
    def pid(self) -> int:
        """Of its first process."""
        return self._child.pid

    @property
    def bootstrap(self) -> str:
        """The first of its client ports."""
        return f"{self._host}:{self.port}"

    @property
    def admin_url(self) -> str:
        """The root of its admin API."""
        return f"http://{self._admin_host}:{self.http_port}"

    def stop(self) -> int:
        """End it; its exit status."""
        return self._child.stop()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._child.signal(number)

    def kill(self) -> None:
        """End it without a word."""
        self._child.stop(grace=0)

    def events(self, named: str = "fault_injected", **wanted: object) -> list[Json]:
        """The events of this name in its log whose fields equal those wanted, in order."""
        lines = self._child.log.read_text(errors="replace").splitlines()
        entries = [json.loads(line) for line in lines if f'"event":"{named}"' in line]
        return [each for each in entries if wanted.items() <= each.items()]

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the series of this name that have these labels."""
        text = self._ask("GET", "/metrics", None)[1].decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def request(self, method: str, path: str, body: Json | None = None) -> tuple[int, Any]:
        """Ask the admin API; the status and the decoded body."""
        status, text = self._ask(method, path, body)
        return status, json.loads(text) if text else None

    def _ask(self, method: str, path: str, body: Json | None) -> tuple[int, bytes]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.admin_url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("Authorization", f"Basic {base64.b64encode(ADMIN.encode()).decode()}")
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, exc.read()

    def access(self, vcluster: str, username: str = "sa") -> Access:
        """A client's way into a virtual cluster, with a new token."""
        path = f"/admin/vclusters/v1/vcluster/{vcluster}/username/{username}"
        status, body = self.request("POST", path, {"lifeTimeSeconds": 3600})
        assert status == 201, (status, body)
        return Access(self.bootstrap, username, body["token"])

    def inject(self, vcluster: str, rate: int, seed: int) -> None:
        """Add the leader-election interceptor to a virtual cluster."""
        path = f"/admin/interceptors/v1/vcluster/{vcluster}/interceptor/simulate"
        config = {"rateInPercent": rate, "seed": seed}
        body = {"pluginClass": PLUGIN, "priority": 100, "config": config}
        status, reply = self.request("POST", path, body)
        assert (status, reply) == (201, {"message": "simulate is created"})

    def _healthy(self) -> bool:
        if not self._child.alive:
            raise RuntimeError("it has exited")
        try:
            with urllib.request.urlopen(f"{self.admin_url}/health", timeout=2) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False


@dataclass(frozen=True)
class Gateways:
    """gateway1 and gateway2 of the demo, and the cluster behind them."""

    first: Sidecar
    second: Sidecar
    kafka: RealKafka


@contextlib.contextmanager
def pair(kafka: RealKafka) -> Iterator[Gateways]:
    """Both sidecars for the length of a with block."""
    home = Path(tempfile.mkdtemp(prefix="sidecars-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        first = Sidecar("gateway1", kafka, FIRST_PORT, home)
        stack.callback(first.stop)
        second = Sidecar("gateway2", kafka, SECOND_PORT, home)
        stack.callback(second.stop)
        yield Gateways(first, second, kafka)
