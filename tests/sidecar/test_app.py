"""A whole sidecar as a process: what its log takes is what its clients get, and nothing more."""

import fcntl
import json
import os
import select
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import gevent
import pytest

from tests.support.commands import SECONDS, Command, rest
from tests.support.fake_broker import FakeBroker
from tests.support.gateways import Wire, free_ports
from tests.support.messages import batch, produce

PLUGIN = "io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin"


class Whole:
    """A sidecar in front of a broker, and the pipe its log goes into."""

    def __init__(self, stack: ExitStack) -> None:
        self.broker = stack.enter_context(FakeBroker())
        self._log, self._writing = os.pipe()
        for fd in (self._log, self._writing):
            stack.callback(os.close, fd)
        fcntl.fcntl(self._writing, fcntl.F_SETPIPE_SZ, 4096)
        self.text = b""
        self.port = free_ports(4)
        self._http_port = self.port + 2
        host, port = self.broker.address
        extra = {
            "KAFKA_BOOTSTRAP_SERVERS": f"{host}:{port}",
            "GATEWAY_ADVERTISED_HOST": "127.0.0.1",
            "GATEWAY_BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT_START": str(self.port),
            "GATEWAY_PORT_COUNT": "2",
            "GATEWAY_HTTP_PORT": str(self._http_port),
            "GATEWAY_GRPC_PORT": "0",
        }
        command = Command("run", extra=extra, stdout=self._writing)
        stack.callback(command.close)
        self.client: Wire
        with gevent.Timeout(SECONDS, TimeoutError("it is not ready")):
            while b'"event":"ready"' not in self.read_log():
                gevent.sleep(0.01)
        self.client = Wire(("127.0.0.1", self.port))
        stack.callback(self.client.sock.close)

    def read_log(self) -> bytes:
        """All of the log so far; makes room in the pipe."""
        while select.select([self._log], [], [], 0)[0]:
            self.text += os.read(self._log, 65_536)
        return self.text

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of this name in what was read of the log."""
        whole = self.text[: self.text.rfind(b"\n") + 1]
        found = [json.loads(line) for line in whole.splitlines()]
        return [event for event in found if event["event"] == name]

    def inject(self, rate: int, **config: Any) -> None:
        """Add the interceptor of the demo."""
        rest(
            self._http_port,
            "POST",
            "/admin/interceptors/v1/vcluster/passthrough/interceptor/simulate",
            {
                "pluginClass": PLUGIN,
                "priority": 100,
                "config": {"rateInPercent": rate, **config},
            },
        )

    def metric(self, name: str) -> float:
        """The sum of the samples of this name."""
        lines = str(rest(self._http_port, "GET", "/metrics")).splitlines()
        values = [line.split() for line in lines if line.startswith(f"kafka_chaos_{name}")]
        return sum(float(value[-1]) for value in values)

    def produce(self, partitions: int = 1) -> list[int]:
        """The error codes a produce with so many partitions gets."""
        message = produce({"cars": {index: batch() for index in range(partitions)}})
        answer = self.client.ask(message, 9)
        return [p.error_code for t in answer.responses for p in t.partition_responses]


@pytest.fixture
def whole() -> Iterator[Whole]:
    """A sidecar that ends with the test."""
    with ExitStack() as stack:
        yield Whole(stack)


def test_every_error_a_client_sees_is_one_event_in_the_log(whole: Whole) -> None:
    whole.inject(50, seed=7)
    errors = 0

    for n in range(60):
        errors += sum(code == 6 for code in whole.produce(1 + n % 3))
        whole.read_log()

    events = whole.events("fault_injected")
    assert 20 < errors < 100
    assert len(events) == errors == whole.metric("injections_total")
    forwarded = sum(len(r.topic_data[0].partition_data) for _, r in whole.broker.received)
    assert forwarded + errors == 120
    draws = {event["draw"]: event["correlation_id"] for event in events}
    assert all(draw + 1 == correlation_id for draw, correlation_id in draws.items())


def test_with_a_stuck_log_nothing_is_injected_and_everything_goes_through(whole: Whole) -> None:
    whole.inject(100)
    whole.read_log()
    errors = 0

    stuck = False
    for _ in range(100):  # fills the pipe, which nobody reads
        code = whole.produce()[0]
        errors += code == 6
        stuck = stuck or code == 0
    before = whole.produce()[0]
    paused = whole.metric("injection_paused")
    forwarded = len(whole.broker.received)

    assert stuck
    assert before == 0
    assert paused == 1
    assert forwarded == 101 - errors == whole.metric("injections_skipped_total")
    assert 0 < errors < 40

    with gevent.Timeout(SECONDS, TimeoutError("injection does not resume")):
        while whole.produce() != [6]:  # the pipe drains, and the log with it
            whole.read_log()
            gevent.sleep(0.05)
    errors += 1
    with gevent.Timeout(SECONDS, TimeoutError("the log lacks events")):
        while len(whole.events("fault_injected")) < errors:
            whole.read_log()
            gevent.sleep(0.05)

    assert len(whole.events("fault_injected")) == errors == whole.metric("injections_total")
    assert whole.metric("injection_paused") == 0


def test_status_and_metrics_show_the_data_side(whole: Whole) -> None:
    assert whole.produce() == [0]

    assert whole.metric("client_connections_open") == 1
    assert whole.metric("client_connections_total") == 1
    assert whole.metric("log_lines_dropped") == 0
