"""Connections that end: the broker goes, or the client does, or should."""

import gevent
import pytest

from codec.api_keys import ApiKey
from codec.messages.heartbeat import HeartbeatResponse
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.messages.sasl_handshake import SaslHandshakeRequest
from sidecar.net.transport import Transport
from tests.sidecar.net.conftest import Start
from tests.sidecar.net.test_connection import HEARTBEAT, authenticate, plain
from tests.support.fake_broker import Cut, FakeBroker, Hang, until
from tests.support.messages import batch, produce, request, response, sized


def test_a_broker_that_closes_takes_the_client_with_it(start: Start) -> None:
    running = start(FakeBroker(heartbeat=lambda _: Cut()))
    client = running.client()

    client.send(HEARTBEAT, 4)

    assert client.is_closed()
    until(lambda: running.gateway.connections == 0, "the connection to end")


@pytest.mark.parametrize(("kept", "seen"), [(2, 0), (4, 0), (9, 9)])
def test_a_broker_that_closes_inside_a_frame_closes_the_client(
    start: Start, kept: int, seen: int
) -> None:
    """What can be judged has been passed on already, as a broker of its own would look."""
    whole = sized(response(HeartbeatResponse(), 4, 1))
    running = start(FakeBroker(heartbeat=lambda _: Cut(whole[:kept])))
    client = running.client()

    client.send(HEARTBEAT, 4)

    assert client.sock.recv(100) == whole[:seen]
    assert client.is_closed()
    until(lambda: running.log.of("connection_closed"), "the log event")
    [event] = running.log.of("connection_closed")
    assert event["reason"] == "malformed_response"
    assert "inside a frame" in event["detail"]


def test_what_the_broker_said_before_it_closed_arrives(start: Start) -> None:
    whole = sized(response(HeartbeatResponse(throttle_time_ms=9), 4, 1))
    client = start(FakeBroker(heartbeat=lambda _: Cut(whole))).client()

    assert client.ask(HEARTBEAT, 4).throttle_time_ms == 9
    assert client.is_closed()


@pytest.mark.parametrize("correlation_id", [2, -1])
def test_a_broker_that_answers_something_else_is_not_trusted(
    start: Start, correlation_id: int
) -> None:
    wrong = sized(response(HeartbeatResponse(), 4, correlation_id))
    running = start(FakeBroker(heartbeat=lambda _: Cut(wrong)))
    client = running.client()

    client.send(HEARTBEAT, 4)

    assert client.is_closed()
    until(lambda: running.metric("client_closes_total", reason="unexpected_response"), "it")


def test_a_broker_that_is_down_closes_the_client_and_says_so(start: Start) -> None:
    broker = FakeBroker()
    running = start(broker)
    host, port = broker.address
    broker.stop()

    client = running.client()

    assert client.is_closed()
    [event] = running.log.of("upstream_connect_failed")
    assert event["broker"] == f"{host}:{port}"
    assert event["connection_id"] == 1
    assert running.log.level_of("upstream_connect_failed") == "warning"
    assert running.metric("upstream_connect_failures_total") == 1


def test_a_response_above_the_frame_limit_closes(start: Start) -> None:
    huge = (200_001).to_bytes(4, "big")
    running = start(FakeBroker(heartbeat=lambda _: Cut(huge + b"x" * 100)), frame_limit=200_000)
    client = running.client()

    client.send(HEARTBEAT, 4)

    assert client.is_closed()
    until(lambda: running.log.of("connection_closed"), "the log event")
    assert "allowed are 4 to 200000" in running.log.of("connection_closed")[0]["detail"]


# The client goes, or should


def test_a_client_that_goes_takes_its_broker_connection_with_it(start: Start) -> None:
    broker = FakeBroker(heartbeat=lambda _: Hang())
    running = start(broker)
    client = running.client()
    client.send(HEARTBEAT, 4)
    until(lambda: broker.received, "the request")

    client.sock.close()

    until(lambda: not broker.connections, "the broker connection to end")
    until(lambda: running.gateway.connections == 0, "the client connection to end")
    assert running.log.of("connection_closed") == []


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"\xff\xff\xff\xff", "frame size -1"),
        (b"\x7f\xff\xff\xff", "frame size 2147483647"),
        (sized(b"abc") + bytes(20), "frame size 3, allowed are 10 to"),
        (sized(b"abc"), "frame size 3, allowed are 10 to"),
        (b"GET / HTTP/1.1\r\n\r\n", "frame size 1195725856"),
    ],
)
def test_garbage_closes_with_what_is_wrong_in_the_log(
    start: Start, data: bytes, detail: str
) -> None:
    running = start(FakeBroker())
    client = running.client()

    client.sock.sendall(data)

    assert client.is_closed()
    until(lambda: running.log.of("connection_closed"), "the log event")
    [event] = running.log.of("connection_closed")
    assert (event["reason"], detail in event["detail"]) == ("malformed_request", True)
    assert running.log.level_of("connection_closed") == "warning"


def test_what_came_before_a_malformed_frame_is_passed_on(start: Start) -> None:
    broker = FakeBroker()
    running = start(broker)
    client = running.client()

    client.sock.sendall(sized(request(HEARTBEAT, 4, 1)) + sized(b"abc"))

    assert client.is_closed()
    until(lambda: broker.keys() == [ApiKey.HEARTBEAT], "the request before the garbage")
    assert running.log.of("connection_closed")[0]["reason"] == "malformed_request"


@pytest.mark.parametrize("version", [2, 9, 11])
def test_a_produce_without_an_answer_takes_no_place_among_the_answers(
    start: Start, version: int
) -> None:
    client = start(FakeBroker()).client()

    client.send(produce(acks=0), version)

    assert client.ask(HEARTBEAT, 4).error_code == 0


def test_a_client_in_the_middle_of_a_frame_blocks_nobody(start: Start) -> None:
    running = start(FakeBroker())
    half, whole = running.client(), running.client()
    data = sized(request(HEARTBEAT, 4))
    half.sock.sendall(data[:10])

    assert whole.ask(HEARTBEAT, 4).error_code == 0

    half._sent.append((ApiKey.HEARTBEAT, 4))
    half.sock.sendall(data[10:])
    assert half.receive()


def test_answers_that_are_owed_arrive_before_a_close(start: Start) -> None:
    """A bad token is told so: the answer must not be lost to the closing."""
    running = start(FakeBroker(), authenticate=authenticate)
    client = running.client()
    client.ask(SaslHandshakeRequest(mechanism="PLAIN"), 1)

    answer = client.ask(plain("bad"), 1)

    assert (answer.error_code, answer.error_message) == (
        58,
        "Authentication failed: the token is not good",
    )
    assert client.is_closed()
    assert running.log.of("authentication_failed")[0]["cause"] == "the token is not good"
    assert running.log.level_of("authentication_failed") == "warning"
    assert running.metric("session_events_total", event="authentication_failed") == 1


def test_an_answer_on_its_way_to_a_slow_client_arrives_before_a_close(start: Start) -> None:
    topics = [MetadataResponse.MetadataResponseTopic(name="t" * 200) for _ in range(40_000)]

    def metadata(wanted: MetadataRequest) -> MetadataResponse:
        whole = MetadataResponse(topics=topics)
        return FakeBroker._metadata(broker, wanted) if wanted.topics == [] else whole

    broker = FakeBroker(metadata=metadata)
    running = start(broker)
    client = running.client()
    client.send(MetadataRequest(topics=None), 9)
    until(lambda: broker.received, "the request")
    gevent.sleep(0.1)  # the answer fills the sockets

    client.sock.sendall(sized(b"garbage"))

    answer = client.receive()
    assert answer is not None
    assert len(answer[1].topics) == len(topics)
    assert client.is_closed()
    assert running.log.of("connection_closed")[0]["reason"] == "malformed_request"


def test_large_frames_are_for_the_authenticated_only(start: Start) -> None:
    running = start(FakeBroker(), authenticate=authenticate)
    early, known = running.client(), running.client()
    large = produce({"cars": {0: batch(payload=b"x" * 100_000)}})

    early.sock.sendall((70_000).to_bytes(4, "big"))
    known.ask(SaslHandshakeRequest(mechanism="PLAIN"), 1)
    known.ask(plain("good"), 1)

    assert early.is_closed()
    assert known.ask(large, 9).responses[0].name == "cars"


def test_who_does_not_authenticate_in_time_is_closed(start: Start) -> None:
    hasty = Transport(login_seconds=0.05)
    running = start(FakeBroker(), authenticate=authenticate, transport=hasty)
    known, silent = running.client(), running.client()
    known.ask(SaslHandshakeRequest(mechanism="PLAIN"), 1)
    known.ask(plain("good"), 1)

    assert silent.is_closed()

    until(lambda: running.metric("client_closes_total", reason="authentication_timeout"), "it")
    [event] = running.log.of("connection_closed")
    assert event["reason"] == "authentication_timeout"
    assert known.ask(HEARTBEAT, 4).error_code == 0
