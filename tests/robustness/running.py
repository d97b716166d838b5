"""A real sidecar before a real embedded cluster, as processes, and what the kernel says of them."""

import base64
import contextlib
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sidecar.control.tokens import TokenAuthority
from tests.kafka.processes import Child, free_port_range, free_ports, wait_until

BROKERS = 3
_KEY = b"a key that only these tests know"
_ADMIN = base64.b64encode(b"admin:conduktor").decode()
_PLUGIN = "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin"


@dataclass(frozen=True)
class Running:
    """The sidecar under test."""

    child: Child
    port: int
    http_port: int
    authority: TokenAuthority

    @property
    def ports(self) -> list[int]:
        """One for each broker."""
        return [self.port + n for n in range(BROKERS)]

    def token(self, virtual_cluster: str) -> str:
        """A good token, valid for a day."""
        return self.authority.mint("tester", virtual_cluster, 86_400, time.time())[0]

    def client(self, virtual_cluster: str) -> dict[str, Any]:
        """Settings of a kafka-python client."""
        return {
            "bootstrap_servers": f"localhost:{self.port}",
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": "tester",
            "sasl_plain_password": self.token(virtual_cluster),
        }

    def inject(self, virtual_cluster: str, rate: int) -> None:
        """Refuse some Produce requests of a virtual cluster, so that they are decoded."""
        self.add(virtual_cluster, _PLUGIN, {"rateInPercent": rate, "seed": 1})

    def add(self, virtual_cluster: str, plugin: str, config: dict[str, Any]) -> None:
        """Add an interceptor of this class."""
        path = f"/admin/interceptors/v1/vcluster/{virtual_cluster}/interceptor/simulate"
        body = {"pluginClass": plugin, "priority": 100, "config": config}
        status, answer = self.ask("POST", path, body)
        assert status == 201, answer

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Ask the admin API; the status and the decoded body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url(path), data, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("Authorization", f"Basic {_ADMIN}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def health(self) -> Any:
        """What /health answers; None when nobody does."""
        try:
            with urllib.request.urlopen(self._url("/health"), timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return None

    def metric(self, name: str) -> float:
        """A sample of /metrics that has no labels."""
        request = urllib.request.Request(self._url("/metrics"))
        request.add_header("Authorization", f"Basic {_ADMIN}")
        with urllib.request.urlopen(request, timeout=5) as answer:
            found = re.search(rf"^kafka_chaos_{name} (\S+)$", answer.read().decode(), re.MULTILINE)
        return float(found[1]) if found else 0.0

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http_port}{path}"

    def memory(self) -> tuple[float, float]:
        """Resident set now and at its highest, in MiB."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        now, peak = (
            int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) for name in ("VmRSS", "VmHWM")
        )
        return now / 1024, peak / 1024

    def reset_peak(self) -> None:
        """Let VmHWM begin anew at what is resident now."""
        Path(f"/proc/{self.child.pid}/clear_refs").write_text("5")

    def descriptors(self) -> int:
        """Open file descriptors."""
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    def log(self) -> list[dict[str, Any]]:
        """Every line of its output; each must be a JSON object."""
        text = self.child.log.read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.split("\n") if line]
        assert all(isinstance(line, dict) for line in lines)
        return lines


def _cluster(home: Path) -> Child:
    port = free_port_range(BROKERS, 24192)
    command = [sys.executable, "-m", "sidecar", "cluster", "--port", str(port)]
    return Child("cluster", command, home / "cluster.log")


def _bootstrap(cluster: Child) -> str | None:
    found = re.search(r"^bootstrap\.servers=(\S+)$", cluster.log.read_text(), re.MULTILINE)
    return found[1] if found else None


@contextlib.contextmanager
def running(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start both; end both, whatever happens."""
    with contextlib.ExitStack() as stack:
        cluster = _cluster(home)
        stack.callback(cluster.stop)
        wait_until(lambda: _bootstrap(cluster) is not None, "the cluster's addresses", 30)
        port = free_port_range(BROKERS, 28969)
        http_port, grpc_port = free_ports(2)
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": str(_bootstrap(cluster)),
            "GATEWAY_ADVERTISED_HOST": "localhost",
            "GATEWAY_BIND_HOST": "127.0.0.1",
            "GATEWAY_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "GATEWAY_START_PORT": str(port),
            "GATEWAY_HTTP_PORT": str(http_port),
            "GATEWAY_GRPC_PORT": str(grpc_port),
            "GATEWAY_USER_POOL_SECRET_KEY": base64.b64encode(_KEY).decode(),
            **(settings or {}),
        }
        command = [sys.executable, "-m", "sidecar", "run"]
        child = Child("sidecar", command, home / "sidecar.log", environment)
        stack.callback(child.stop)
        sidecar = Running(child, port, http_port, TokenAuthority(_KEY))
        wait_until(lambda: sidecar.health() is not None, "the sidecar's health", 30)
        yield sidecar
