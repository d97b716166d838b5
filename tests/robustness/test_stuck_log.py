"""A sidecar whose log nobody reads: what cannot be put on record is not injected."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from codec.messages.create_topics import CreateTopicsRequest
from codec.messages.metadata import MetadataRequest
from tests.kafka.processes import wait_until
from tests.robustness.running import Running, running
from tests.robustness.wire import Wire
from tests.support.messages import produce

CONDUKTOR: Final = "io.conduktor.gateway.interceptor.chaos."
ELECTIONS: Final = (
    f"{CONDUKTOR}SimulateLeaderElectionsErrorsPlugin",
    {"rateInPercent": 100},
)
LATE: Final = (f"{CONDUKTOR}SimulateLatencyPlugin", {"appliedPercentage": 100, "latencyMs": 60_000})
LOST: Final = ("kafka.chaos.ConnectionLossPlugin", {"rateInPercent": 100})
LOST_AFTER: Final = (LOST[0], {"rateInPercent": 100, "moment": "AFTER"})
HOLE: Final = ("kafka.chaos.BlackholePlugin", {"rateInPercent": 100})
CLOSE: Final = (
    "kafka.chaos.SlowClosePlugin",
    {"rateInPercent": 100, "delayMs": 60_000, "moment": "AFTER"},
)
NARROW: Final = ("kafka.chaos.BandwidthPlugin", {"rateInPercent": 100, "bytesPerSecond": 1})
FAULTS: Final = {
    "leader_election": ELECTIONS,
    "latency": LATE,
    "connection_loss": LOST,
    "late_connection_loss": LOST_AFTER,
    "blackhole": HOLE,
    "slow_close": CLOSE,
    "bandwidth": NARROW,
}
NOT_LEADER = 6
REQUESTS = 20


class Pipe:
    """Where the sidecar writes its log: a named pipe that is read when the test says so."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.writing = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        self.text = b""

    def close(self) -> None:
        os.close(self.reading)
        os.close(self.writing)

    def drain(self) -> None:
        """Read what there is."""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.reading, 1 << 16):
                self.text += piece

    def fill(self) -> None:
        """Leave no room for a single line; what is written is a blank line to readers."""
        self.drain()
        for size in (4096, 1):
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(self.writing, b"\n" * size)

    def injections(self) -> list[dict[str, Any]]:
        """Every one on record so far."""
        self.drain()
        lines = [json.loads(line) for line in self.text.splitlines() if line]
        return [line for line in lines if line["event"] == "fault_injected"]


@pytest.fixture(scope="module")
def stuck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Pipe]]:
    """A sidecar and its log; `running` makes the file by that name if there is none."""
    home = tmp_path_factory.mktemp("stuck")
    pipe = Pipe(home / "sidecar.log")
    try:
        with running(home) as process:
            yield process, pipe
    finally:
        pipe.close()


def leader(sidecar: Running, virtual_cluster: str) -> int:
    """The port of the leader of a new topic's only partition."""
    wire = Wire(sidecar.port)
    wire.authenticate(sidecar.token(virtual_cluster))
    topic = CreateTopicsRequest.CreatableTopic(name="cars", num_partitions=1, replication_factor=1)
    made = wire.ask(CreateTopicsRequest(topics=[topic], timeout_ms=5000), 4)
    assert made.topics[0].error_code == 0
    wanted = MetadataRequest.MetadataRequestTopic(name="cars")
    told = wire.ask(MetadataRequest(topics=[wanted]), 4)
    wire.sock.close()
    [partition] = told.topics[0].partitions
    return next(b.port for b in told.brokers if b.node_id == partition.leader_id)


def connected(sidecar: Running, virtual_cluster: str, port: int) -> Wire:
    wire = Wire(port)
    wire.authenticate(sidecar.token(virtual_cluster))
    return wire


def error_of(wire: Wire) -> int:
    """What a Produce is answered with."""
    answer = wire.ask(produce(), 9)
    [partition] = answer.responses[0].partition_responses
    return int(partition.error_code)


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_injected_while_nobody_reads_the_log(
    stuck: tuple[Running, Pipe], fault: str
) -> None:
    sidecar, pipe = stuck
    tenant = fault.replace("_", "-")
    port = leader(sidecar, tenant)
    sidecar.add(tenant, *FAULTS[fault])
    wire = connected(sidecar, tenant, port)
    pipe.fill()
    skipped = sidecar.metric("injections_skipped_total")
    started = time.monotonic()

    assert [error_of(wire) for _ in range(REQUESTS)] == [0] * REQUESTS

    assert time.monotonic() - started < 10
    assert sidecar.metric("injection_paused") == 1
    assert sidecar.metric("injections_skipped_total") == skipped + REQUESTS
    wire.sock.close()
    assert [e for e in pipe.injections() if e["virtual_cluster"] == tenant] == []


def test_injection_goes_on_when_somebody_reads_again(stuck: tuple[Running, Pipe]) -> None:
    sidecar, pipe = stuck
    port = leader(sidecar, "again")
    sidecar.add("again", *ELECTIONS)
    wire = connected(sidecar, "again", port)
    found = [error_of(wire)]
    for _ in range(3):
        pipe.fill()
        found.append(error_of(wire))
        pipe.drain()
        found.append(error_of(wire))

    wire.sock.close()
    assert found == [NOT_LEADER, *[0, NOT_LEADER] * 3]
    events = [e for e in pipe.injections() if e["virtual_cluster"] == "again"]
    assert len(events) == found.count(NOT_LEADER)


def test_a_sidecar_ends_while_its_log_is_stuck_and_connections_are_silent_and_slow(
    tmp_path: Path,
) -> None:
    pipe = Pipe(tmp_path / "sidecar.log")
    try:
        with running(tmp_path) as sidecar:
            wires = []
            for tenant, fault in (("hole", HOLE), ("narrow", NARROW)):
                port = leader(sidecar, tenant)
                sidecar.add(tenant, *fault)
                wires.append(connected(sidecar, tenant, port))
                for _ in range(3):
                    wires[-1].send(produce(), 9)
            wait_until(lambda: len(pipe.injections()) == 2, "both faults", 10)
            pipe.fill()
            started = time.monotonic()

            assert sidecar.child.stop() == 0

            assert time.monotonic() - started < 8
            for wire in wires:
                with contextlib.suppress(ConnectionResetError):
                    assert wire.sock.recv(1 << 16) == b""
                wire.sock.close()
    finally:
        pipe.close()
