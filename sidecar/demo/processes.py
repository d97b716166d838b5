"""The processes of the demonstration, and their end whatever happens."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

_READY_SECONDS: Final = 30.0
_BROKERS: Final = 3

HTTP: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks the sidecars of this machine; a proxy for the web could not."""


class DemoError(Exception):
    """A step did not give what it should; ``str()`` says which and what it gave."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The reference demo's ports, or the same pattern higher up where those are taken."""

    cluster: int
    gateways: tuple[int, int]
    http: tuple[int, int]
    grpc: tuple[int, int]

    def all(self) -> Iterator[int]:
        """Every port that has to be free."""
        for first in (self.cluster, *self.gateways):
            yield from range(first, first + _BROKERS)
        yield from self.http
        yield from self.grpc


def free_ports() -> Ports:
    """The reference's ports if they are free, else the first free set above them.

    Raises:
        DemoError: none of twenty sets is free.
    """
    for shift in range(0, 20_000, 1_000):
        ports = Ports(
            19092 + shift,
            (6969 + shift // 10, 7969 + shift // 10),
            (8888 + shift // 10, 8889 + shift // 10),
            (50051 + shift // 10, 50052 + shift // 10),
        )
        if all(map(_is_free, ports.all())):
            return ports
    raise DemoError("no free ports; is another demo running?")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running sidecar of the demonstration."""

    name: str
    bootstrap: str
    admin_url: str
    log: Path

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of this name in its log so far."""
        lines = self.log.read_text(errors="replace").splitlines()
        found = (json.loads(line) for line in lines if line.startswith("{") and line.endswith("}"))
        return [event for event in found if event.get("event") == name]


class Environment:
    """The embedded cluster and two sidecars in front of it, as a context manager.

    Args:
        directory: where the logs go.
        seed: GATEWAY_SEED of both sidecars, or None.
    """

    def __init__(self, directory: Path, seed: int | None) -> None:
        self._directory = directory
        self._seed = seed
        self._stack = ExitStack()
        self.ports = free_ports()
        self.bootstrap = ",".join(f"127.0.0.1:{self.ports.cluster + n}" for n in range(_BROKERS))
        self.gateways: list[Gateway] = []

    def __enter__(self) -> Self:
        with self._stack:
            self._start_cluster()
            key = b64encode(secrets.token_bytes(32)).decode()
            for index, name in enumerate(("gateway1", "gateway2")):
                self.gateways.append(self._start_gateway(index, name, key))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start_cluster(self) -> None:
        command = ["cluster", "--brokers", str(_BROKERS), "--port", str(self.ports.cluster)]
        process = self._spawn("cluster", command, {})
        log = self._directory / "cluster.log"
        _wait(lambda: "bootstrap.servers=" in log.read_text(), process, log)

    def _start_gateway(self, index: int, name: str, key: str) -> Gateway:
        ports = self.ports
        settings = {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "GATEWAY_ADVERTISED_HOST": "localhost",
            "GATEWAY_MODE": "VCLUSTER",
            "GATEWAY_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "GATEWAY_FEATURE_FLAGS_ANALYTICS": "false",
            "GATEWAY_START_PORT": str(ports.gateways[index]),
            "GATEWAY_HTTP_PORT": str(ports.http[index]),
            "GATEWAY_GRPC_PORT": str(ports.grpc[index]),
            "GATEWAY_USER_POOL_SECRET_KEY": key,
        }
        if self._seed is not None:
            settings["GATEWAY_SEED"] = str(self._seed)
        gateway = Gateway(
            name,
            f"localhost:{ports.gateways[index]}",
            f"http://localhost:{ports.http[index]}",
            self._directory / f"{name}.log",
        )
        process = self._spawn(name, ["run"], settings)
        _wait(lambda: _healthy(gateway.admin_url), process, gateway.log)
        return gateway

    def _spawn(
        self, name: str, command: list[str], settings: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("GATEWAY_", "KAFKA_"))
        }
        with (self._directory / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "sidecar", *command],
                env=inherited | settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._stack.callback(_end, process)
        return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _healthy(admin_url: str) -> bool:
    try:
        with HTTP.open(f"{admin_url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _wait(ready: Any, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise DemoError(f"{log.stem} did not start; its output:\n{log.read_text()[-2000:]}")
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
