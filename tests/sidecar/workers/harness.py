"""A sidecar of several processes as a child of the test, and clients that know whose they are."""

import json
import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.support.commands import Command, rest
from tests.support.fake_broker import FakeBroker, until
from tests.support.gateways import Wire, free_ports
from tests.support.messages import batch, produce

PLUGIN = "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin"
INTERCEPTOR = "/admin/interceptors/v1/vcluster/passthrough/interceptor/simulate"
MOST_CONNECTIONS = 200
REFUSED = 6


class Crew:
    """A started sidecar with workers.

    Args:
        stack: ends it.
        broker: what it stands in front of.
        workers: how many processes.
        extra: settings besides.
    """

    def __init__(self, stack: ExitStack, broker: FakeBroker, workers: int, **extra: str) -> None:
        self.workers = workers
        self._stack = stack
        self.port = free_ports(6)
        self.http_port, self.grpc_port = self.port + 4, self.port + 5
        host, port = broker.address
        settings = {
            "KAFKA_BOOTSTRAP_SERVERS": f"{host}:{port}",
            "GATEWAY_ADVERTISED_HOST": "127.0.0.1",
            "GATEWAY_BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT_START": str(self.port),
            "GATEWAY_HTTP_PORT": str(self.http_port),
            "GATEWAY_GRPC_PORT": str(self.grpc_port),
            "GATEWAY_WORKERS": str(workers),
            "GATEWAY_LOG_LEVEL": "DEBUG",
        }
        self.command = Command("run", extra=settings | extra)
        stack.callback(self.command.close)

    @property
    def pid(self) -> int:
        """The process that was started."""
        return self.command.process.pid

    def ready(self) -> None:
        """Wait until clients may come."""
        self.command.until(b'"event":"ready"')

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of this name in the log so far; every line must be JSON."""
        stream = self.command.process.stdout
        assert stream is not None
        self.command.out += stream.read() or b""
        whole = self.command.out[: self.command.out.rfind(b"\n") + 1]
        found = [json.loads(line) for line in whole.splitlines()]
        return [event for event in found if event["event"] == name]

    def wire(self, index: int = 0) -> Wire:
        """A new client of the broker at this position."""
        wire = Wire(("127.0.0.1", self.port + index))
        self._stack.callback(wire.sock.close)
        return wire

    def connect(self, index: int = 0) -> tuple[int, Wire]:
        """A new client of the broker at this position, and the worker that has it."""
        before = len(self.events("client_connected"))
        wire = self.wire(index)
        until(lambda: len(self.events("client_connected")) > before, "the client is not accepted")
        event = self.events("client_connected")[before]
        worker = (event["connection_id"] - 1) % self.workers
        assert event.get("worker", 0) == worker
        return worker, wire

    def one_each(self, index: int = 0) -> dict[int, Wire]:
        """A client of each worker."""
        found: dict[int, Wire] = {}
        for _ in range(MOST_CONNECTIONS):
            worker, wire = self.connect(index)
            found.setdefault(worker, wire)
            if len(found) == self.workers:
                return found
        raise AssertionError(f"{MOST_CONNECTIONS} connections went to {set(found)} only")

    def inject(self, rate: int = 100, **config: Any) -> None:
        """Add the interceptor of the demo."""
        config = {"rateInPercent": rate, **config}
        body = {"pluginClass": PLUGIN, "priority": 100, "config": config}
        rest(self.http_port, "POST", INTERCEPTOR, body)

    def relent(self) -> None:
        """Delete it."""
        rest(self.http_port, "DELETE", INTERCEPTOR)

    def metric(self, name: str) -> float:
        """The sum of the samples of this name."""
        lines = str(rest(self.http_port, "GET", "/metrics")).splitlines()
        values = [line.split() for line in lines if line.startswith(f"kafka_chaos_{name}")]
        return sum(float(value[-1]) for value in values)

    def pids(self) -> dict[int, int]:
        """The processes of the workers but the first, by index."""
        return {event["worker"]: event["pid"] for event in self.events("worker_listening")}

    def kill(self, worker: int, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the process of a worker."""
        os.kill(self.pids()[worker], number)


def code(wire: Wire) -> int:
    """The error code that a produce to one partition gets."""
    answer = wire.ask(produce({"cars": {0: batch()}}), 9)
    [found] = [p.error_code for t in answer.responses for p in t.partition_responses]
    return int(found)


def is_running(pid: int) -> bool:
    """Whether a process does anything any more; one that nobody has reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """The processes that a process has started, and that run."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    found = [int(child) for task in tasks for child in task.read_text().split()]
    return [child for child in found if is_running(child)]
