"""One client connection over real sockets, with a broker that misbehaves to order."""

from typing import Any

import gevent
import pytest
from gevent.event import Event

from codec.api_keys import ApiKey
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from sidecar.model.identity import AuthenticationFailed, Identity
from tests.sidecar.net.conftest import Start
from tests.support.fake_broker import FakeBroker, Hang, until
from tests.support.messages import batch, produce
from tests.support.sessions import interceptor

HEARTBEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")


def authenticate(token: str, now: float) -> Identity:
    if token != "good":
        raise AuthenticationFailed("the token is not good")
    return Identity("sa", "teamA")


def plain(token: str) -> SaslAuthenticateRequest:
    return SaslAuthenticateRequest(auth_bytes=b"\0sa\0" + token.encode())


# Good times


def test_requests_and_answers_pass_and_a_chosen_produce_does_not(start: Start) -> None:
    broker = FakeBroker()
    running = start(broker, interceptors=(interceptor(100),))
    client = running.client()

    beat = client.ask(HEARTBEAT, 4)
    refused = client.ask(produce(), 9)

    assert beat.error_code == 0
    assert refused.responses[0].partition_responses[0].error_code == 6
    assert broker.keys() == [ApiKey.HEARTBEAT]
    assert len(running.recorded.injections) == 1


def test_large_produce_requests_and_answers_arrive_whole(start: Start) -> None:
    broker = FakeBroker()
    client = start(broker).client()
    records = batch(payload=b"x" * 3_000_000)

    answer = client.ask(produce({"cars": {0: records}}), 9)

    assert answer.responses[0].partition_responses[0].base_offset == 100
    [(_, seen)] = broker.received
    assert seen.topic_data[0].partition_data[0].records == records


def test_a_refusal_waits_for_a_slow_broker_and_keeps_the_order(start: Start) -> None:
    go = Event()

    def slow(_: Any) -> HeartbeatResponse:
        go.wait()
        return HeartbeatResponse()

    running = start(FakeBroker(heartbeat=slow), interceptors=(interceptor(100),))
    client = running.client()
    ids = [client.send(HEARTBEAT, 4), client.send(produce(), 9), client.send(HEARTBEAT, 4)]
    until(lambda: running.recorded.injections, "the injection")

    go.set()

    answers = [client.receive() for _ in ids]
    assert [answer[0] for answer in answers if answer] == ids


def test_acks_0_chosen_closes_the_connection_and_nothing_reaches_the_broker(start: Start) -> None:
    broker = FakeBroker()
    running = start(broker, interceptors=(interceptor(100),))
    client = running.client()
    client.ask(HEARTBEAT, 4)

    client.send(produce(acks=0), 9)

    assert client.is_closed()
    assert broker.keys() == [ApiKey.HEARTBEAT]
    until(lambda: running.metric("client_closes_total", reason="fault_injected"), "the counter")
    assert running.log.level_of("connection_closed") == "info"


def test_the_broker_is_connected_to_once_the_client_is_known(start: Start) -> None:
    broker = FakeBroker()
    running = start(broker, authenticate=authenticate)
    until(lambda: not broker.connections, "the gateway's own questions to end")
    client = running.client()

    client.ask(ApiVersionsRequest(), 0)
    client.ask(SaslHandshakeRequest(mechanism="PLAIN"), 1)
    assert len(broker.connections) == 0

    client.ask(plain("good"), 1)
    until(lambda: len(broker.connections) == 1, "the connection to the broker")


def test_a_slow_client_does_not_delay_others(start: Start) -> None:
    """One client never reads: its answers fill the sockets, and everybody else is served."""
    many = [MetadataResponse.MetadataResponseTopic(name="t" * 200) for _ in range(10_000)]

    def metadata(wanted: MetadataRequest) -> MetadataResponse:
        broker_list = FakeBroker._metadata(broker, wanted)
        return broker_list if wanted.topics == [] else MetadataResponse(topics=many)

    broker = FakeBroker(metadata=metadata)
    running = start(broker)
    stuck, quick = running.client(), running.client()
    for _ in range(20):
        stuck.send(MetadataRequest(topics=None), 9)
    assert quick.ask(HEARTBEAT, 4).error_code == 0
    gevent.sleep(0.05)

    for _ in range(50):
        assert quick.ask(HEARTBEAT, 4).error_code == 0
    assert running.gateway.connections == 2

    stuck.sock.close()
    quick.sock.close()
    until(lambda: running.gateway.connections == 0, "both connections to end")


# In flight


def test_a_client_is_not_read_while_too_much_of_it_is_unanswered(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.net.relay.MAX_IN_FLIGHT", 3)
    go = Event()

    def slow(_: Any) -> HeartbeatResponse:
        go.wait()
        return HeartbeatResponse()

    broker = FakeBroker(heartbeat=slow)
    running = start(broker, interceptors=(interceptor(100),))
    client = running.client()

    ids = [client.send(HEARTBEAT, 4) for _ in range(3)]
    until(lambda: broker.received, "the first request")
    gevent.sleep(0.05)  # and the two behind it, which the broker does not take yet
    ids += [client.send(produce(), 9), client.send(HEARTBEAT, 4)]
    gevent.sleep(0.05)

    assert running.recorded.injections == [], "the fourth request was read"
    go.set()
    answers = [client.receive() for _ in ids]
    assert [answer[0] for answer in answers if answer] == ids
    assert len(running.recorded.injections) == 1


def test_a_connection_with_too_much_in_flight_still_ends_with_its_broker(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for room must not outlive the sockets: the place in the pool would be lost."""
    monkeypatch.setattr("sidecar.net.relay.MAX_IN_FLIGHT", 3)
    broker = FakeBroker(heartbeat=lambda _: Hang())
    running = start(broker)
    client = running.client()
    for _ in range(3):
        client.send(HEARTBEAT, 4)
    until(lambda: len(broker.received) == 3, "three requests at the broker")
    client.send(HEARTBEAT, 4)

    broker.stop()

    assert client.is_closed()
    until(lambda: running.gateway.connections == 0, "the connection to end")
