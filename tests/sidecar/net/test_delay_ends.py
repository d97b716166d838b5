"""Connections that end while an answer is held back."""

import gc
from itertools import pairwise
from typing import Any

import gevent

from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from sidecar import clock
from sidecar.faults.latency import Latency
from sidecar.net.relay import Relay
from tests.sidecar.net.conftest import Start
from tests.sidecar.net.test_delays import (
    DELAY,
    FOR_EVER,
    HEARTBEAT,
    answers,
    latency,
    timed,
)
from tests.support.fake_broker import Cut, FakeBroker, Hang, until
from tests.support.gateways import Running
from tests.support.messages import batch, produce, response, sized
from tests.support.sessions import interceptor, striking


def relays() -> int:
    """Relays that are still in memory."""
    gc.collect()
    return sum(isinstance(each, Relay) for each in gc.get_objects())


def holding(start: Start, *, then: Any = Hang, seconds: float = FOR_EVER) -> tuple[Running, Any]:
    """A gateway whose only client has an answer held back; `then` is what the next one gets."""
    beats = iter([HeartbeatResponse(), then() if then is Hang else then])
    broker = FakeBroker(heartbeat=lambda _: next(beats))
    running = start(broker, interceptors=(latency(seconds),))
    client = running.client()
    client.send(HEARTBEAT, 4)
    until(lambda: running.recorded.injections, "the delay")
    gevent.sleep(0.05)
    return running, client


def test_a_client_that_goes_leaves_nothing_behind(start: Start, quiet: None) -> None:
    before = relays()
    running, client = holding(start)

    client.sock.close()

    until(lambda: running.gateway.connections == 0, "the connection to end")
    until(lambda: relays() == before, "the relay to be forgotten")
    assert running.log.of("relay_failed") == []


def test_a_client_that_goes_while_its_answer_leaves_leaves_nothing_behind(
    start: Start, quiet: None
) -> None:
    before = relays()
    running, client = holding(start, seconds=0.1)

    # So that sending fails: what arrives at a closed socket is answered with a reset.
    client.sock.close()
    gevent.sleep(0.2)

    until(lambda: running.gateway.connections == 0, "the connection to end")
    until(lambda: relays() == before, "the relay to be forgotten")
    assert running.log.of("relay_failed") == []


def test_what_a_broker_said_before_it_went_arrives_late_then_the_connection_ends(
    start: Start, quiet: None
) -> None:
    whole = sized(response(HeartbeatResponse(throttle_time_ms=9), 4, 1))
    before = relays()
    running = start(FakeBroker(heartbeat=lambda _: Cut(whole)), interceptors=(latency(),))
    client = running.client()

    answer, took = timed(lambda: client.ask(HEARTBEAT, 4))

    assert answer.throttle_time_ms == 9
    assert took >= DELAY
    assert client.is_closed()
    until(lambda: running.gateway.connections == 0, "the connection to end")
    until(lambda: relays() == before, "the relay to be forgotten")
    assert running.log.of("relay_failed") == []


def test_a_broker_that_goes_inside_the_next_answer_is_said_to_have(
    start: Start, quiet: None
) -> None:
    cut = sized(response(HeartbeatResponse(), 4, 2))[:6]
    whole = sized(response(HeartbeatResponse(), 4, 1))
    running = start(FakeBroker(heartbeat=lambda _: Cut(whole + cut)), interceptors=(latency(),))
    client = running.client()
    client.send(HEARTBEAT, 4)
    client.send(HEARTBEAT, 4)

    [(first, _)] = answers(client, 1)

    assert first == 1
    assert client.is_closed()
    until(lambda: running.log.of("connection_closed"), "the log event")
    assert running.log.of("connection_closed")[0]["reason"] == "malformed_response"


def test_requests_after_the_broker_went_end_the_connection(start: Start, quiet: None) -> None:
    before = relays()
    running, client = holding(start, then=Cut(), seconds=FOR_EVER)
    for _ in range(3):
        client.send(HEARTBEAT, 4)
        gevent.sleep(0.05)

    assert client.is_closed()
    until(lambda: running.gateway.connections == 0, "the connection to end")
    until(lambda: relays() == before, "the relay to be forgotten")
    assert running.log.of("relay_failed") == []


def test_a_gateway_stops_without_waiting_for_what_is_held(start: Start, quiet: None) -> None:
    before = relays()
    running, client = holding(start)

    _, took = timed(running.gateway.stop)

    assert took < 1
    assert client.is_closed()
    until(lambda: relays() == before, "the relay to be forgotten")


def test_acks_0_refused_behind_a_held_answer_ends_the_connection_after_it(start: Start) -> None:
    running = start(FakeBroker(), interceptors=(latency(priority=2), interceptor(100, priority=1)))
    client = running.client()
    started = clock.now()
    first = client.send(HEARTBEAT, 4)
    client.send(produce(acks=0), 9)

    assert [each for each, _ in answers(client, 1)] == [first]
    assert client.is_closed()
    assert clock.now() - started >= DELAY


def test_answers_of_random_sizes_and_delays_arrive_whole_and_in_order(start: Start) -> None:
    """As many reads as it takes, some answers held in the middle of what came together."""

    def beat(wanted: Any) -> HeartbeatResponse:
        return HeartbeatResponse(throttle_time_ms=wanted.generation_id)

    def produced(wanted: Any) -> Any:
        answer = FakeBroker._produced(broker, wanted)
        answer.responses[0].partition_responses[0].error_message = "m" * (wanted.timeout_ms * 997)
        return answer

    broker = FakeBroker(heartbeat=beat, produce=produced)
    fault = Latency(applied_percentage=15, latency_ms=20)
    running = start(broker, interceptors=(striking(fault, seed=3),))
    client = running.client()
    total = 400

    def send() -> None:
        for number in range(1, total + 1):
            if number % 3:
                client.send(HeartbeatRequest(group_id="g", generation_id=number), 4)
            else:
                message = produce({"cars": {0: batch(payload=b"p" * (number * 31))}})
                message.timeout_ms = number % 32
                client.send(message, 9)

    sender = gevent.spawn(send)
    for number in range(1, total + 1):
        found = client.receive()
        assert found is not None
        assert found[0] == number
        if number % 3:
            assert found[1].throttle_time_ms == number
        else:
            told = found[1].responses[0].partition_responses[0].error_message
            assert len(told) == number % 32 * 997
    sender.get()

    drawn = [i.correlation_id for i in running.recorded.injections]
    assert 20 < len(drawn) < 150
    assert all(earlier < later for earlier, later in pairwise(drawn))
