"""Connections that hold back answers: how late they are, and what waits behind them."""

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from codec.api_keys import ApiKey
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.schema import Message
from sidecar import clock
from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.latency import Latency
from sidecar.faults.slow_broker import SlowBroker
from sidecar.faults.slow_clients import SlowClients
from sidecar.model.interceptor import Interceptor
from sidecar.model.snapshot import Snapshot
from sidecar.net.late import Late
from tests.sidecar.net.conftest import Start
from tests.support.fake_broker import FakeBroker, until
from tests.support.gateways import Wire
from tests.support.messages import produce, request, sized, topic_id
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
    started = clock.now()
    return call(), clock.now() - started


def answers(client: Wire, count: int) -> list[tuple[int, float]]:
    """Correlation ids of the next answers, and when they came."""
    found = []
    for _ in range(count):
        answer = client.receive()
        assert answer is not None, f"closed after {found}"
        found.append((answer[0], clock.now()))
    return found


# How late


def test_an_answer_is_late_and_the_request_is_not(start: Start, quiet: None) -> None:
    arrived = []

    def beat(_: Any) -> HeartbeatResponse:
        arrived.append(clock.now())
        return HeartbeatResponse(throttle_time_ms=9)

    running = start(FakeBroker(heartbeat=beat), interceptors=(latency(),))
    client = running.client()
    started = clock.now()

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
    started = clock.now()
    ids = [client.send(produce(), 9) for _ in range(20)]

    found = answers(client, len(ids))

    assert [each for each, _ in found] == ids
    assert found[0][1] - started >= DELAY
    assert found[-1][1] - started < DELAY + AT_ONCE


def test_each_request_has_its_own_time(start: Start) -> None:
    client = start(FakeBroker(), interceptors=(latency(),)).client()
    sent = []
    for _ in range(4):
        sent.append(clock.now())
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
    late = Late(loop, lambda _: came.append(clock.now()), lambda error: None)
    due = []

    def busy() -> None:
        """As a callback that many sockets have kept: the loop's clock stands still meanwhile."""
        stop = clock.now() + 0.1
        while clock.now() < stop:
            pass
        due.append(clock.now() + 0.15)
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
    started = clock.now()
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
    started = clock.now()
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
    started = clock.now()
    first = client.send(FetchRequest(topics=[wanted]), version)
    second = client.send(HEARTBEAT, 4)

    found = client.receive()

    assert found is not None
    assert found[0] == first
    [got] = found[1].responses
    assert bytes(got.partitions[0].records) == records
    assert clock.now() - started >= DELAY
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
