"""Answers that are held back, over real sockets: in order, whole, together, and not for ever."""

import gc
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import gevent
import pytest

from codec.api_keys import ApiKey
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.schema import Message
from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.latency import Latency
from sidecar.faults.slow_broker import SlowBroker
from sidecar.faults.slow_clients import SlowClients
from sidecar.model.interceptor import Interceptor
from sidecar.model.snapshot import Snapshot
from sidecar.net.late import Late
from sidecar.net.relay import Relay
from tests.sidecar.net.conftest import Start
from tests.support.fake_broker import Cut, FakeBroker, Hang, until
from tests.support.gateways import Running, Wire
from tests.support.messages import batch, produce, request, response, sized, topic_id
from tests.support.sessions import interceptor, striking

HEARTBEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")
HELLO = ApiVersionsRequest(client_software_name="x", client_software_version="1")
DELAY = 0.3
AT_ONCE = 0.15
"""Seconds that what is not delayed takes at most, on a busy machine."""
FOR_EVER = 3600.0


def latency(seconds: float = DELAY, **fields: Any) -> Interceptor:
    fault = Latency(applied_percentage=100, latency_ms=round(seconds * 1000))
    return striking(fault, **({"name": "latency"} | fields))


def slow(least: float, most: float) -> Interceptor:
    fault = SlowBroker(
        rate_in_percent=100,
        min_latency_ms=round(least * 1000),
        max_latency_ms=round(most * 1000),
    )
    return striking(fault, name="slow")


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call returns, and the seconds it takes."""
    started = time.time()
    return call(), time.time() - started


def answers(client: Wire, count: int) -> list[tuple[int, float]]:
    """Correlation ids of the next answers, and when they came."""
    found = []
    for _ in range(count):
        answer = client.receive()
        assert answer is not None, f"closed after {found}"
        found.append((answer[0], time.time()))
    return found


def relays() -> int:
    """Relays that are still in memory."""
    gc.collect()
    return sum(isinstance(each, Relay) for each in gc.get_objects())


@pytest.fixture
def quiet(capfd: pytest.CaptureFixture[str]) -> Any:
    """Nothing may be printed: gevent prints what goes wrong in a callback."""
    yield
    assert capfd.readouterr() == ("", "")


# How late


def test_an_answer_is_late_and_the_request_is_not(start: Start, quiet: None) -> None:
    arrived = []

    def beat(_: Any) -> HeartbeatResponse:
        arrived.append(time.time())
        return HeartbeatResponse(throttle_time_ms=9)

    running = start(FakeBroker(heartbeat=beat), interceptors=(latency(),))
    client = running.client()
    started = time.time()

    answer, took = timed(lambda: client.ask(HEARTBEAT, 4))

    assert answer.throttle_time_ms == 9
    assert DELAY <= took < DELAY + AT_ONCE
    assert arrived[0] - started < AT_ONCE
    assert [i.outcome for i in running.recorded.injections] == ["DELAY"]


def test_the_brokers_own_time_counts_in(start: Start) -> None:
    def beat(_: Any) -> HeartbeatResponse:
        gevent.sleep(DELAY)
        return HeartbeatResponse()

    client = start(FakeBroker(heartbeat=beat), interceptors=(latency(),)).client()

    _, took = timed(lambda: client.ask(HEARTBEAT, 4))

    assert DELAY <= took < 1.6 * DELAY


def test_delays_of_pipelined_requests_do_not_add_up(start: Start) -> None:
    running = start(FakeBroker(), interceptors=(latency(),))
    client = running.client()
    started = time.time()
    ids = [client.send(produce(), 9) for _ in range(20)]

    found = answers(client, len(ids))

    assert [each for each, _ in found] == ids
    assert found[0][1] - started >= DELAY
    assert found[-1][1] - started < DELAY + AT_ONCE


def test_each_request_has_its_own_time(start: Start) -> None:
    client = start(FakeBroker(), interceptors=(latency(),)).client()
    sent = []
    for _ in range(4):
        sent.append(time.time())
        client.send(HEARTBEAT, 4)
        gevent.sleep(0.05)

    found = answers(client, len(sent))

    for left, (_, came) in zip(sent, found, strict=True):
        assert DELAY <= came - left < DELAY + AT_ONCE


@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "pieces"])
def test_delays_of_any_length_leave_the_order_alone(start: Start, pieces: bool) -> None:
    """Long and short ones in any order, among requests that the sidecar answers itself."""
    running = start(FakeBroker(), interceptors=(slow(0.0, 0.02), interceptor(30, priority=1)))
    client = running.client()
    messages: list[tuple[Message, int]] = [
        ((produce(), 9), (HEARTBEAT, 4), (HELLO, 3), (produce(), 9))[n % 4] for n in range(200)
    ]
    wire = b"".join(sized(request(m, v, n)) for n, (m, v) in enumerate(messages, 1))
    client._sent = [(message.API_KEY, version) for message, version in messages]

    def send() -> None:
        size = 97 if pieces else len(wire)
        for at in range(0, len(wire), size):
            client.sock.sendall(wire[at : at + size])
            gevent.idle()

    sender = gevent.spawn(send)
    found = answers(client, len(messages))
    sender.get()

    assert [each for each, _ in found] == list(range(1, len(messages) + 1))
    outcomes = {i.outcome for i in running.recorded.injections}
    assert outcomes == {"DELAY", "REJECT"}


def test_other_connections_go_on(start: Start) -> None:
    running = start(FakeBroker(), interceptors=(latency(FOR_EVER),))
    stuck = running.client()
    stuck.send(HEARTBEAT, 4)
    until(lambda: running.recorded.injections, "the delay")
    running.shared.pipeline = Pipeline(Snapshot(), running.shared.pipeline)

    quick = running.client()
    for _ in range(50):
        _, took = timed(lambda: quick.ask(HEARTBEAT, 4))
        assert took < AT_ONCE
    stuck.send(HEARTBEAT, 4)

    with pytest.raises(gevent.Timeout), gevent.Timeout(AT_ONCE):
        stuck.receive()


def test_what_the_loop_did_before_does_not_shorten_a_delay() -> None:
    came: list[float] = []
    loop = gevent.get_hub().loop
    late = Late(loop, lambda _: came.append(time.time()), lambda error: None)
    due = []

    def busy() -> None:
        """As a callback that many sockets have kept: the loop's clock stands still meanwhile."""
        stop = time.time() + 0.1
        while time.time() < stop:
            pass
        due.append(time.time() + 0.15)
        late.hold(due[0], [b"x"])

    watcher = loop.timer(0.001)
    watcher.start(busy)
    until(lambda: came, "the release")
    watcher.close()

    assert came[0] >= due[0] - 0.002


# What waits behind


def test_local_answers_wait_for_a_held_one(start: Start) -> None:
    running = start(FakeBroker(), interceptors=(latency(priority=2), interceptor(100, priority=1)))
    client = running.client()
    started = time.time()
    ids = [
        client.send(message, version)
        for message, version in ((HEARTBEAT, 4), (produce(), 9), (HELLO, 3), (HEARTBEAT, 4))
    ]

    found = answers(client, len(ids))

    assert [each for each, _ in found] == ids
    assert all(came - started >= DELAY for _, came in found)
    assert [i.fault for i in running.recorded.injections] == [
        "latency",
        "leader_election",
        "latency",
    ]


def test_what_is_not_delayed_waits_behind_what_is(start: Start) -> None:
    """Heartbeats pass without the session; here they stand in the same read as a late answer."""
    running = start(FakeBroker(), interceptors=(slow(DELAY, DELAY),))
    client = running.client()
    started = time.time()
    ids = [client.send(HEARTBEAT, 4), client.send(produce(), 9)]
    ids += [client.send(HEARTBEAT, 4) for _ in range(5)]

    found = answers(client, len(ids))

    assert [each for each, _ in found] == ids
    assert found[0][1] - started < AT_ONCE
    assert all(came - started >= DELAY for _, came in found[1:])


def test_acks_0_goes_on_and_leaves_no_trace(start: Start) -> None:
    broker = FakeBroker()
    running = start(broker, interceptors=(slow(DELAY, DELAY),))
    client = running.client()

    client.send(produce(acks=0), 9)
    _, took = timed(lambda: client.ask(HEARTBEAT, 4))

    assert took < AT_ONCE
    assert broker.keys() == [ApiKey.PRODUCE, ApiKey.HEARTBEAT]
    assert running.recorded.injections == []


@pytest.mark.parametrize("version", [4, 12, 16])
@pytest.mark.parametrize("by", ["broker", "topic"])
def test_a_late_fetch_of_some_mebibytes_arrives_whole(start: Start, version: int, by: str) -> None:
    records = bytes(range(256)) * 16 * 1024  # 4 MiB
    topic = FetchResponse.FetchableTopicResponse
    part = topic.PartitionData(partition_index=0, records=records)
    answer = FetchResponse(
        responses=[topic(topic="cars", topic_id=topic_id("cars"), partitions=[part])]
    )
    wanted = FetchRequest.FetchTopic(topic="cars", topic_id=topic_id("cars"))
    fault = SlowClients(topic="cars", rate_in_percent=100, min_latency_ms=300, max_latency_ms=300)
    struck = striking(fault) if by == "topic" else slow(DELAY, DELAY)
    broker = FakeBroker(fetch=lambda _: answer)
    running = start(broker, interceptors=(struck,))
    running.shared.directory.learn(topic_id("cars"), b"cars")
    client = running.client()
    started = time.time()
    first = client.send(FetchRequest(topics=[wanted]), version)
    second = client.send(HEARTBEAT, 4)

    found = client.receive()

    assert found is not None
    assert found[0] == first
    [got] = found[1].responses
    assert bytes(got.partitions[0].records) == records
    assert time.time() - started >= DELAY
    assert answers(client, 1)[0][0] == second


def test_a_session_older_than_the_interceptor_is_slow_from_its_second_answer_on(
    start: Start,
) -> None:
    cars = topic_id("cars")
    topic = FetchResponse.FetchableTopicResponse
    answer = FetchResponse(session_id=5, responses=[topic(topic_id=cars)])
    asked = []

    def metadata(wanted: MetadataRequest) -> MetadataResponse:
        ids = [each.topic_id for each in wanted.topics or () if each.name is None]
        asked.extend(ids)
        told = FakeBroker._metadata(broker, wanted)
        found = MetadataResponse.MetadataResponseTopic
        told.topics = [found(topic_id=each, name="cars") for each in ids]
        return told

    broker = FakeBroker(fetch=lambda _: answer, metadata=metadata)
    fault = SlowClients(topic="ca.*", rate_in_percent=100, min_latency_ms=300, max_latency_ms=300)
    running = start(broker, interceptors=(striking(fault),))
    client = running.client()
    going_on = FetchRequest(session_id=5, session_epoch=3)

    _, first = timed(lambda: client.ask(going_on, 13))
    until(lambda: running.shared.directory.knows(cars), "the look-up")
    _, second = timed(lambda: client.ask(going_on, 13))

    assert first < AT_ONCE
    assert second >= DELAY
    assert asked == [cars]


# Ends


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
    started = time.time()
    first = client.send(HEARTBEAT, 4)
    client.send(produce(acks=0), 9)

    assert [each for each, _ in answers(client, 1)] == [first]
    assert client.is_closed()
    assert time.time() - started >= DELAY


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
