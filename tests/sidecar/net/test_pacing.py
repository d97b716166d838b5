"""Slow connections over real sockets: they keep to their rate, and others are not held up."""

import gc
import time
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import socket

from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.blackhole import Blackhole
from sidecar.model.selector import Selector
from sidecar.net.relay import Relay
from tests.sidecar.net.conftest import Start
from tests.sidecar.net.wire_faults import (
    BEAT,
    KIB,
    SOON,
    bandwidth,
    big,
    change,
    ends,
    is_silent,
)
from tests.support.fake_broker import FakeBroker
from tests.support.sessions import interceptor, snapshot, striking


@pytest.fixture(autouse=True)
def _nothing_stays(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing may be printed, as gevent does for what goes wrong in a callback, or be left over."""
    yield
    assert capfd.readouterr() == ("", "")


def fetching(size: int) -> FakeBroker:
    topic = FetchResponse.FetchableTopicResponse
    part = topic.PartitionData(partition_index=0, records=bytes(size))
    answer = FetchResponse(responses=[topic(topic="t", partitions=[part])])
    return FakeBroker(fetch=lambda _: answer)


ONLY_BEATS = Selector(apis=("HEARTBEAT",))
"""What begins a limit; other requests take the fast lane afterwards."""


@pytest.mark.parametrize("direction", ["REQUESTS", "BOTH"])
@pytest.mark.parametrize("selector", [Selector(), ONLY_BEATS], ids=["drawn", "fast lane"])
def test_a_producer_keeps_to_the_rate(start: Start, direction: str, selector: Selector) -> None:
    """Also in one large request, and without credit for the time in which it sent nothing."""
    rate, size, count = 400 * KIB, 100 * KIB, 2
    running = start(FakeBroker(), interceptors=(bandwidth(rate, direction, selector=selector),))
    client = running.client()
    client.ask(BEAT, 4)
    gevent.sleep(0.5)
    started = time.monotonic()

    for _ in range(count):
        client.ask(big(size), 9)
    client.ask(big(4 * size), 9)

    took, due = time.monotonic() - started, (count + 4) * size / rate
    # A burst may be for free, of two slices of a tenth of a second each.
    assert due - 0.25 < took < 2 * due + 1
    assert [i.outcome for i in running.recorded.injections] == ["THROTTLE"]


@pytest.mark.parametrize("direction", ["ANSWERS", "BOTH"])
@pytest.mark.parametrize("version", [11, 16])
@pytest.mark.parametrize("selector", [Selector(), ONLY_BEATS], ids=["drawn", "fast lane"])
def test_a_consumer_keeps_to_the_rate(
    start: Start, direction: str, version: int, selector: Selector
) -> None:
    """Also inside one large answer, which is read on at once where nobody slows it down."""
    rate, size = 768 * KIB, 768 * KIB
    running = start(fetching(size), interceptors=(bandwidth(rate, direction, selector=selector),))
    client = running.client()
    client.ask(BEAT, 4)
    started = time.monotonic()

    answer = client.ask(FetchRequest(), version)

    took = time.monotonic() - started
    assert len(answer.responses[0].partitions[0].records) == size
    assert size / rate - 0.25 < took < 2 * size / rate + 1


def test_what_is_refused_comes_no_faster(start: Start) -> None:
    """The rest of a large request that is refused is dropped as it comes."""
    rate, size = 512 * KIB, 512 * KIB
    faults = (bandwidth(rate, selector=ONLY_BEATS), interceptor(100))
    client = start(FakeBroker(), interceptors=faults).client()
    client.ask(BEAT, 4)
    started = time.monotonic()

    answer = client.ask(big(size), 9)

    assert answer.responses[0].partition_responses[0].error_code == 6
    assert time.monotonic() - started > size / rate - 0.25


@pytest.mark.parametrize(
    ("direction", "message"), [("ANSWERS", big(1 << 20)), ("REQUESTS", FetchRequest())]
)
def test_the_other_direction_is_not_slow(start: Start, direction: str, message: Any) -> None:
    running = start(fetching(1 << 20), interceptors=(bandwidth(64 * KIB, direction),))
    client = running.client()
    client.ask(BEAT, 4)
    started = time.monotonic()

    client.ask(message, 9)

    assert time.monotonic() - started < 3  # and not 16


def test_other_connections_are_not_held_up(start: Start) -> None:
    running = start(FakeBroker(), interceptors=(bandwidth(KIB),))
    slow = running.client()
    slow.ask(BEAT, 4)
    sender = gevent.spawn(slow.send, big(512 * KIB), 9)
    gevent.sleep(0.1)
    change(running, bandwidth(KIB, selector=Selector(client_ids=("nobody",))))
    other = running.client()

    started = time.monotonic()
    for _ in range(20):
        other.ask(big(256 * KIB), 9)

    assert time.monotonic() - started < 5
    assert not slow._frames
    sender.kill()


def test_little_is_read_of_a_slow_client_and_none_of_it_is_kept(start: Start) -> None:
    """The kernel's buffers fill, and the client cannot send on."""
    broker = FakeBroker()
    running = start(broker, interceptors=(bandwidth(KIB),), frame_limit=1 << 30)
    client = running.client()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * KIB)
    client.ask(BEAT, 4)
    sender = gevent.spawn(client.send, big(32 << 20), 9)

    gevent.sleep(0.5)

    assert not sender.ready()
    relay = next(each for each in gc.get_objects() if isinstance(each, Relay))
    assert relay.broker.size + len(relay.client.tail) + len(relay.client.collected or b"") < KIB
    sender.kill()


@pytest.mark.parametrize("rate", [1, 300])
@pytest.mark.parametrize("how", ["halted", "deleted"])
def test_it_is_fast_again_soon_after_the_fault_is_over(start: Start, how: str, rate: int) -> None:
    running = start(FakeBroker(), interceptors=(bandwidth(rate),))
    client = running.client()
    client.send(BEAT, 4)
    sender = gevent.spawn(client.send, big(1 << 20), 9)
    gevent.sleep(0.3)

    change(running, *((bandwidth(rate),) if how == "halted" else ()), halted=how == "halted")

    started = time.monotonic()
    found = [client.receive(), client.receive()]
    assert time.monotonic() - started < SOON
    assert [each[0] for each in found if each] == [1, 2]
    sender.get()
    client.ask(big(8 << 20), 9)
    assert time.monotonic() - started < 2 * SOON
    client.sock.close()
    ends(running)


def test_requests_and_answers_of_all_sizes_arrive_whole_and_in_order(start: Start) -> None:
    """In slices that end anywhere, also inside a frame's head."""

    def beat(wanted: Any) -> HeartbeatResponse:
        return HeartbeatResponse(throttle_time_ms=wanted.generation_id)

    running = start(FakeBroker(heartbeat=beat), interceptors=(bandwidth(30_011),))
    client = running.client()
    total = 300

    def send() -> None:
        for number in range(1, total + 1):
            if number % 3:
                client.send(HeartbeatRequest(group_id="g", generation_id=number), 4)
            else:
                client.send(big(number), 9)

    sender = gevent.spawn(send)
    for number in range(1, total + 1):
        found = client.receive()
        assert found is not None
        assert found[0] == number
        if number % 3:
            assert found[1].throttle_time_ms == number
    sender.get()


def test_a_slow_connection_that_goes_silent_is_read_again(start: Start) -> None:
    running = start(FakeBroker(), interceptors=(bandwidth(100),))
    client = running.client()
    client.ask(BEAT, 4)
    both = (bandwidth(100), striking(Blackhole(rate_in_percent=100), name="hole"))
    running.shared.pipeline = Pipeline(snapshot(*both), running.shared.pipeline)

    client.send(BEAT, 4)
    client.send(big(1 << 20), 9)

    assert is_silent(client)
    client.sock.close()
    ends(running)


@pytest.mark.parametrize("who", ["client", "broker"])
def test_the_end_of_a_slow_connection_is_passed_on(start: Start, who: str) -> None:
    broker = FakeBroker()
    running = start(broker, interceptors=(bandwidth(10_000),))
    client = running.client()
    client.ask(BEAT, 4)

    if who == "client":
        client.sock.close()
    else:
        broker.connections.kill(timeout=5)
        assert client.is_closed()

    ends(running)
