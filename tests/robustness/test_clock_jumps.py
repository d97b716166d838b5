"""The machine's clock is set by an hour, ahead and back, while clients are served."""

import contextlib
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.kafka.processes import wait_until
from tests.robustness.goodclient import at_work
from tests.robustness.running import Running, running
from tests.robustness.test_stuck_log import connected, leader
from tests.robustness.wire import Wire
from tests.support.clocks import SetClock
from tests.support.messages import produce

HOUR = 3600
SLOW_CLOSE = "kafka.chaos.SlowClosePlugin"


@pytest.fixture(scope="module")
def clocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, SetClock]]:
    home = tmp_path_factory.mktemp("clocked")
    clock = SetClock(home / "clock")
    with running(home, clock.environment) as sidecar:
        yield sidecar, clock


def offset(sidecar: Running) -> float:
    """How far the sidecar's clock is ahead of when it was started, by its log."""
    moments = [datetime.fromisoformat(line["timestamp"]) for line in sidecar.log()]
    return (moments[-1] - moments[0]).total_seconds()


def seen(sidecar: Running, clock: SetClock, by: float) -> None:
    """Set the clock, and wait until the log has it."""
    clock.set(by)

    def told() -> bool:
        sidecar.ask("GET", "/admin/interceptors/v1/global")  # it logs that
        return abs(offset(sidecar) - by) < HOUR / 2

    wait_until(told, "the clock is set", 20)


def closes(wire: Wire, timeout: float) -> bool:
    """Whether the peer closes the connection by then."""
    wire.sock.settimeout(timeout)
    try:
        with contextlib.suppress(ConnectionResetError):
            assert wire.sock.recv(1) == b""
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(("jump", "delay"), [(-HOUR, 1), (HOUR, HOUR)])
def test_what_lasts_for_a_while_lasts_as_long_when_the_clock_is_set(
    clocked: tuple[Running, SetClock], jump: int, delay: int
) -> None:
    sidecar, clock = clocked
    tenant = f"slow{delay}"
    port = leader(sidecar, tenant)
    config = {"rateInPercent": 100, "delayMs": delay * 1000, "moment": "BEFORE"}
    sidecar.add(tenant, SLOW_CLOSE, config)
    wire = connected(sidecar, tenant, port)
    wire.send(produce(), 9)
    wait_until(lambda: sidecar.metric("client_connections_open") > 0, "the connection", 10)
    try:
        seen(sidecar, clock, jump)

        assert closes(wire, 20 if delay == 1 else 2) is (delay == 1)
    finally:
        clock.set(0)
        wire.sock.close()


def test_clients_notice_nothing(clocked: tuple[Running, SetClock]) -> None:
    sidecar, clock = clocked
    with at_work(sidecar.client("good"), create=True) as client:
        for jump in (HOUR, -HOUR, 0):
            before = client.sent
            seen(sidecar, clock, jump)
            wait_until(lambda at=before: client.sent > at + 20, "records", 60)  # type: ignore[misc]

    assert client.failures == []
    assert client.received == list(range(client.sent))
