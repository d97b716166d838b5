"""Silent and slow connections over real sockets: others go on, and what is over is over at once."""

import gc
import time
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import socket

from codec.api_keys import ApiKey
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.bandwidth import Bandwidth
from sidecar.faults.blackhole import Blackhole
from sidecar.faults.slow_close import SlowClose
from sidecar.model.interceptor import Interceptor
from sidecar.model.selector import Selector
from sidecar.model.snapshot import Snapshot
from sidecar.net.pacing import PacedReader
from sidecar.net.relay import Relay
from sidecar.net.silence import Silenced
from tests.sidecar.net.conftest import Start
from tests.support.fake_broker import FakeBroker, until
from tests.support.gateways import Running, Wire
from tests.support.messages import batch, produce, request, sized
from tests.support.sessions import interceptor, snapshot, striking

KIB = 1024
BEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")
AT_ONCE = 2.0
"""Seconds that what nobody holds up takes at most, on a busy machine."""
SOON = 3.0
"""Seconds after which a fault that is over must be over, ditto."""


def blackhole(moment: str = "BEFORE", **fields: Any) -> Interceptor:
    return striking(Blackhole(rate_in_percent=100, moment=moment), name="wire", **fields)


def slow_close(milliseconds: int) -> Interceptor:
    return striking(SlowClose(rate_in_percent=100, delay_ms=milliseconds), name="wire")


def bandwidth(rate: int, direction: str = "BOTH", **fields: Any) -> Interceptor:
    fault = Bandwidth(rate_in_percent=100, bytes_per_second=rate, direction=direction)
    return striking(fault, name="wire", **fields)


def change(running: Running, *interceptors: Interceptor, halted: bool = False) -> None:
    """From now on these are there."""
    found = Snapshot(2, interceptors, halted=halted)
    running.shared.pipeline = Pipeline(found, running.shared.pipeline)


def beats(client: Wire, seconds: float = AT_ONCE) -> None:
    started = time.monotonic()
    client.ask(BEAT, 4)
    assert time.monotonic() - started < seconds


def is_silent(client: Wire, seconds: float = 0.2) -> bool:
    """Whether nothing comes, and the connection stays open."""
    try:
        with gevent.Timeout(seconds, TimeoutError):
            client.sock.recv(1)
    except TimeoutError:
        return True
    return False


def left(kind: type) -> int:
    gc.collect()
    return sum(isinstance(each, kind) for each in gc.get_objects())


@pytest.fixture(autouse=True)
def _nothing_stays(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing may be printed, as gevent does for what goes wrong in a callback, or be left over."""
    yield
    assert capfd.readouterr() == ("", "")


def ends(running: Running) -> None:
    """Every connection ends, and nothing of it is left."""
    until(lambda: running.gateway.connections == 0, "the connections to end")
    for kind in (Relay, Silenced, PacedReader):
        until(lambda kind=kind: left(kind) == 0, f"no {kind.__name__} to be left")
    assert running.log.of("relay_failed") == []


# Silence


@pytest.mark.parametrize("moment", ["BEFORE", "AFTER"])
def test_nothing_is_answered_and_the_connection_stays_open(start: Start, moment: str) -> None:
    broker = FakeBroker()
    running = start(broker, interceptors=(blackhole(moment),))
    client = running.client()

    client.send(BEAT, 4)
    client.send(produce(), 9)
    assert is_silent(client)
    client.send(BEAT, 4)
    assert is_silent(client)

    assert broker.keys() == ([] if moment == "BEFORE" else [ApiKey.HEARTBEAT])
    outcomes = [i.outcome for i in running.recorded.injections]
    assert outcomes == ["SWALLOW" if moment == "BEFORE" else "APPEND_THEN_SWALLOW"]
    assert running.gateway.connections == 1

    client.sock.close()
    ends(running)


@pytest.mark.parametrize("moment", ["BEFORE", "AFTER"])
@pytest.mark.parametrize("pieces", [False, True], ids=["together", "in pieces"])
def test_what_is_in_flight_before_it_is_answered(start: Start, moment: str, pieces: bool) -> None:
    """The Fetch is chosen; before it are answers that come late, behind it more requests."""

    def late(_: Any) -> HeartbeatResponse:
        gevent.sleep(0.05)
        return HeartbeatResponse(throttle_time_ms=7)

    broker = FakeBroker(heartbeat=late, fetch=lambda _: FetchResponse())
    only = Selector(apis=("FETCH",))
    running = start(broker, interceptors=(blackhole(moment, selector=only),))
    client = running.client()
    messages: list[tuple[Any, int]] = [(BEAT, 4)] * 4 + [(FetchRequest(), 12)] + [(BEAT, 4)] * 4
    wire = b"".join(sized(request(m, v, n)) for n, (m, v) in enumerate(messages, 1))
    client._sent = [(message.API_KEY, version) for message, version in messages]
    for at in range(0, len(wire), 7 if pieces else len(wire)):
        client.sock.sendall(wire[at : at + (7 if pieces else len(wire))])
        gevent.idle()

    assert [client.receive()[0] for _ in range(4)] == [1, 2, 3, 4]  # type: ignore[index]

    assert is_silent(client)
    assert broker.keys() == [ApiKey.HEARTBEAT] * 4 + [ApiKey.FETCH] * (moment == "AFTER")
    client.sock.close()
    ends(running)


def test_an_answer_of_mebibytes_is_swallowed_without_being_kept(start: Start) -> None:
    topic = FetchResponse.FetchableTopicResponse
    part = topic.PartitionData(partition_index=0, records=bytes(8 << 20))
    answer = FetchResponse(responses=[topic(topic="t", partitions=[part])])
    broker = FakeBroker(fetch=lambda _: answer)
    running = start(broker, interceptors=(blackhole("AFTER"),))
    client = running.client()

    client.send(FetchRequest(), 12)

    assert is_silent(client)
    relay = next(each for each in gc.get_objects() if isinstance(each, Relay))
    assert len(relay.broker.collected or b"") + len(relay.broker.tail) < 1 << 20
    assert not relay.client.waiting
    client.sock.close()
    del relay
    ends(running)


def test_what_the_client_goes_on_sending_is_taken_and_kept_nowhere(start: Start) -> None:
    broker = FakeBroker()
    running = start(broker, interceptors=(blackhole(),))
    client = running.client()
    client.send(BEAT, 4)

    with gevent.Timeout(10, TimeoutError("the client could not send")):
        for _ in range(64):
            client.sock.sendall(bytes(1 << 20))

    assert broker.received == []
    relay = next(each for each in gc.get_objects() if isinstance(each, Relay))
    assert (relay.broker.waiting, relay.client.tail, relay.client.collected) == ([], b"", None)
    client.sock.close()
    del relay
    ends(running)


@pytest.mark.parametrize("moment", ["BEFORE", "AFTER"])
def test_the_end_of_the_broker_is_not_passed_on(start: Start, moment: str) -> None:
    broker = FakeBroker()
    running = start(broker, interceptors=(blackhole(moment),))
    client = running.client()
    client.send(BEAT, 4)
    assert is_silent(client)

    broker.connections.kill(timeout=5)

    assert is_silent(client)
    client.sock.close()
    ends(running)


@pytest.mark.parametrize("how", ["halted", "deleted", "paused"])
def test_it_closes_soon_after_the_fault_is_over_and_others_go_on(start: Start, how: str) -> None:
    only = {"selector": Selector(client_ids=("app",))}
    running = start(FakeBroker(), interceptors=(blackhole(**only),))
    client, other = running.client(), running.client()
    client.send(BEAT, 4)
    assert is_silent(client)
    other.sock.sendall(sized(request(BEAT, 4, 1, "other")))
    assert other.frame() is not None

    stays = blackhole(paused=how == "paused", **only)
    change(running, *(() if how == "deleted" else (stays,)), halted=how == "halted")

    started = time.monotonic()
    assert client.is_closed()
    assert time.monotonic() - started < SOON
    assert running.log.of("connection_closed")[0]["reason"] == "fault_injected"
    beats(running.client())
    other.sock.sendall(sized(request(BEAT, 4, 2, "other")))
    assert other.frame() is not None


def test_a_slow_close_comes_late_and_after_what_was_in_flight(start: Start) -> None:
    running = start(FakeBroker(), interceptors=(slow_close(700),))
    client = running.client()
    started = time.monotonic()

    client.send(BEAT, 4)
    client.send(BEAT, 4)

    assert client.is_closed()
    assert 0.7 <= time.monotonic() - started < 0.7 + SOON
    assert [i.delay_ms for i in running.recorded.injections] == [700]
    ends(running)


def test_a_gateway_stops_while_connections_are_silent_and_slow(start: Start) -> None:
    running = start(FakeBroker(), interceptors=(blackhole(selector=Selector(apis=("FETCH",))),))
    silent = running.client()
    silent.send(FetchRequest(), 12)
    assert is_silent(silent)
    change(running, bandwidth(1, uid="another"))
    slow = running.client()
    slow.send(BEAT, 4)
    slow.send(BEAT, 4)
    until(lambda: left(PacedReader) == 2, "the slow one")
    started = time.monotonic()

    running.gateway.stop()

    assert time.monotonic() - started < 1
    assert slow.is_closed()
    ends(running)


# Slow


def big(size: int) -> Any:
    return produce({"cars": {0: batch(payload=bytes(size))}})


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
