"""Connections on which nothing is answered any more, over real sockets: others go on."""

import gc
import time
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from codec.api_keys import ApiKey
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.heartbeat import HeartbeatResponse
from sidecar.model.selector import Selector
from sidecar.net.pacing import PacedReader
from sidecar.net.relay import Relay
from tests.sidecar.net.conftest import Start
from tests.sidecar.net.wire_faults import (
    BEAT,
    SOON,
    bandwidth,
    beats,
    blackhole,
    change,
    ends,
    is_silent,
    left,
    slow_close,
)
from tests.support.fake_broker import FakeBroker, until
from tests.support.messages import produce, request, sized


@pytest.fixture(autouse=True)
def _nothing_stays(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing may be printed, as gevent does for what goes wrong in a callback, or be left over."""
    yield
    assert capfd.readouterr() == ("", "")


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

    answers = [client.receive() for _ in range(4)]
    assert [answer and answer[0] for answer in answers] == [1, 2, 3, 4]

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
