"""The sidecar as it is shipped: its command line, its settings, its log at INFO in a file."""

import base64
import json
import sys
import threading
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from children import Child, free_ports

import sidecar
from targets.base import Running, Target

_ADMIN = "Basic " + base64.b64encode(b"admin:conduktor").decode()
_SECRET = base64.b64encode(b"a key that only this bench knows").decode()
PLUGIN = "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin"
VCLUSTER = "teamA"


def ask(http_port: int, method: str, path: str, body: Any = None) -> bytes:
    """One call of the REST API."""
    data = None if body is None else json.dumps(body).encode()
    url = f"http://127.0.0.1:{http_port}{path}"
    headers = {"Authorization": _ADMIN, "Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return bytes(reply.read())


def add_interceptor(http_port: int, scope: str, name: str, rate: int) -> None:
    """Refuse a share of the Produce requests in a scope, the same ones every time."""
    config = {"rateInPercent": rate, "seed": 7}
    body = {"pluginClass": PLUGIN, "priority": 100, "config": config}
    ask(http_port, "POST", f"/admin/interceptors/v1{scope}/interceptor/{name}", body)


class SidecarTarget(Target):
    """One sidecar; what follows differs in settings and interceptors."""

    kafka_aware = True
    settings: Mapping[str, str] = MappingProxyType({})
    """Besides ports and addresses."""

    def prepare(self) -> None:
        """It is installed: the bench runs from its environment."""

    def version(self) -> str:
        return f"kafka-chaos-sidecar {sidecar.__version__}, Python {sys.version.split()[0]}"

    def start(self, upstream: int, home: Path) -> Running:
        running, http_port = self.launch(upstream, home)
        try:
            self.set_up(running, http_port)
        except BaseException:
            running.stop()
            raise
        return running

    def launch(self, upstream: int, home: Path) -> tuple[Running, int]:
        """Start it and wait until it is healthy; also gives its HTTP port."""
        port, http_port, grpc_port = free_ports(3)
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{upstream}",
            "GATEWAY_ADVERTISED_HOST": "127.0.0.1",
            "GATEWAY_BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT_START": str(port),
            "GATEWAY_HTTP_PORT": str(http_port),
            "GATEWAY_GRPC_PORT": str(grpc_port),
            "GATEWAY_USER_POOL_SECRET_KEY": _SECRET,
            **self.settings,
        }
        command = [sys.executable, "-m", "sidecar", "run"]
        child = Child(self.name, command, home / f"{self.name}.log", environment)

        def healthy() -> bool:
            try:
                ask(http_port, "GET", "/health")
            except OSError:
                return False
            return True

        self.wait(child, healthy)
        return Running(port, child), http_port

    def set_up(self, running: Running, http_port: int) -> None:
        """What is done over its REST API before the load."""


class Pass(SidecarTarget):
    """Everything passes: PLAINTEXT, no interceptor."""

    name = "sidecar-pass"


class NoMatch(SidecarTarget):
    """Two interceptors that never do anything: another virtual cluster's, and one of rate 0."""

    name = "sidecar-nomatch"

    def set_up(self, running: Running, http_port: int) -> None:
        add_interceptor(http_port, "/vcluster/elsewhere", "other", 50)
        add_interceptor(http_port, "/global", "never", 0)


class Mapped(SidecarTarget):
    """A virtual cluster: clients authenticate, and every name is mapped."""

    name = "sidecar-mapped"
    settings = MappingProxyType({"GATEWAY_SECURITY_PROTOCOL": "SASL_PLAINTEXT"})

    def set_up(self, running: Running, http_port: int) -> None:
        path = f"/admin/vclusters/v1/vcluster/{VCLUSTER}/username/sa"
        reply = ask(http_port, "POST", path, {"lifeTimeSeconds": 86400})
        running.token = json.loads(reply)["token"]


class Inject50(SidecarTarget):
    """Half of the Produce requests are refused with NOT_LEADER_OR_FOLLOWER; each is logged."""

    name = "sidecar-inject50"

    def set_up(self, running: Running, http_port: int) -> None:
        add_interceptor(http_port, "/global", "half", 50)


class Observed(SidecarTarget):
    """Everything passes, with logs at DEBUG and /metrics read twice a second."""

    name = "sidecar-observed"
    settings = MappingProxyType({"GATEWAY_LOG_LEVEL": "DEBUG"})

    def set_up(self, running: Running, http_port: int) -> None:
        stop = threading.Event()

        def scrape() -> None:
            while not stop.wait(0.5):
                try:
                    ask(http_port, "GET", "/metrics")
                except OSError:
                    return  # the sidecar is gone; whoever uses it will say so

        threading.Thread(target=scrape, daemon=True).start()
        running.on_stop.append(stop.set)
