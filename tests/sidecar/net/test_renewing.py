"""Brokers that want credentials again, on connections that are relayed (KIP-368)."""

import itertools
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.produce import ProduceRequest
from codec.messages.sasl_authenticate import SaslAuthenticateResponse
from codec.messages.sasl_handshake import SaslHandshakeResponse
from sidecar.model.credentials import Credentials
from sidecar.net import renewing
from sidecar.net.dialing import Dialer
from sidecar.net.transport import Transport
from sidecar.tls.contexts import ClientTls, ServerTls
from tests.sidecar.net.conftest import Start
from tests.support import certificates
from tests.support.fake_broker import FakeBroker, until
from tests.support.messages import request, sized

HEARTBEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")
CREDENTIALS = Credentials("PLAIN", "al", "hunter2")
TRANSPORT = Transport(dial=Dialer(None, CREDENTIALS))
LIFETIME = 0.4


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "LEAST_LIFETIME", 0.0)


class Asking(FakeBroker):
    """A broker whose sessions last `lifetimes` seconds, one after the other."""

    def __init__(self, lifetimes: Iterator[float], **scripts: Any) -> None:
        self.lifetimes = lifetimes
        self.shown = 0
        self.refuses = False
        super().__init__(
            sasl_handshake=lambda _: SaslHandshakeResponse(mechanisms=["PLAIN"]),
            sasl_authenticate=self._authenticate,
            **scripts,
        )

    def _authenticate(self, asked: Any) -> SaslAuthenticateResponse:
        assert bytes(asked.auth_bytes) == b"\0al\0hunter2"
        self.shown += 1
        if self.refuses:
            code = ErrorCode.SASL_AUTHENTICATION_FAILED
            return SaslAuthenticateResponse(error_code=code, error_message="not any more")
        lasts = int(next(self.lifetimes) * 1000)
        return SaslAuthenticateResponse(session_lifetime_ms=lasts)


def asking(**scripts: Any) -> Asking:
    """One whose sessions are over soon, once the sidecar has looked around."""
    return Asking(itertools.chain([60, 60], itertools.repeat(LIFETIME)), **scripts)


def test_the_client_notices_nothing(start: Start) -> None:
    broker = asking()
    client = start(broker, transport=TRANSPORT).client()
    visits = broker.visits + 1

    with gevent.Timeout(5):
        for _ in iter(lambda: broker.shown >= 6, True):
            assert client.ask(HEARTBEAT, 4).error_code == 0
            gevent.sleep(0.005)
    assert broker.visits == visits, "no connection but the first"
    assert set(broker.keys()) == {ApiKey.HEARTBEAT}


def test_an_idle_connection_is_renewed_too(start: Start) -> None:
    broker = asking()
    client = start(broker, transport=TRANSPORT).client()

    until(lambda: broker.shown >= 5, "two renewals")
    assert client.ask(HEARTBEAT, 4).error_code == 0


def test_what_is_in_flight_is_answered_first_and_what_comes_meanwhile_waits(start: Start) -> None:
    order: list[str] = []

    def slow(asked: Any) -> HeartbeatResponse:
        order.append(asked.member_id)
        gevent.sleep(0.5 if asked.member_id == "slow" else 0)
        return HeartbeatResponse(throttle_time_ms=len(order))

    broker = asking(heartbeat=slow)
    inner = broker.scripts[ApiKey.SASL_AUTHENTICATE]

    def noted(asked: Any) -> Any:
        order.append("credentials")
        return inner(asked)

    broker.scripts[ApiKey.SASL_AUTHENTICATE] = noted
    client = start(broker, transport=TRANSPORT).client()
    until(lambda: broker.connections and broker.shown >= 3, "the connection")
    del order[:]

    client.send(HeartbeatRequest(group_id="g", generation_id=1, member_id="slow"), 4)
    gevent.sleep(LIFETIME)
    for n in range(50):
        client.send(HeartbeatRequest(group_id="g", generation_id=1, member_id=str(n)), 4)
    answers = [client.receive() for _ in range(51)]

    assert order[:2] == ["slow", "credentials"]
    assert [each for each in order if each != "credentials"] == ["slow", *map(str, range(50))]
    assert [a[0] for a in answers if a] == list(range(1, 52))


@pytest.mark.parametrize("tls", [False, True])
def test_a_client_that_never_stops_sending_is_stopped_between_two_requests(
    start: Start, tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames of which a read hardly ever ends with one."""
    # More than 8 ms: here all ends of all connections share one processor.
    monkeypatch.setattr(renewing, "RENEW_FROM", 0.4)
    monkeypatch.setattr(renewing, "RENEW_UNTIL", 0.5)
    broker = asking(tls=certificates.server() if tls else None)
    listener = ServerTls(certificates.keys()).context()
    cluster = ClientTls(certificates.authority()).context()
    secured = Transport(lambda: listener, (), Dialer(lambda: cluster, CREDENTIALS))
    client = start(broker, transport=secured if tls else TRANSPORT).client()
    if tls:
        client.sock = certificates.client().wrap_socket(client.sock, server_hostname="127.0.0.1")
    topic = ProduceRequest.TopicProduceData
    part = topic.PartitionProduceData(index=0, records=bytes(700_001))
    message = ProduceRequest(
        acks=1, timeout_ms=1000, topic_data=[topic(name="t", partition_data=[part])]
    )
    client.ask(HEARTBEAT, 4)
    sent = 1
    stopping = False

    def sending() -> None:
        nonlocal sent
        while not stopping:
            sent += 1
            client.sock.sendall(sized(request(message, 7, sent)))
            gevent.sleep(0)

    def reading() -> None:
        while client.frame() is not None:
            pass

    sender, reader = gevent.spawn(sending), gevent.spawn(reading)
    visits = broker.visits
    with gevent.Timeout(10, TimeoutError(f"shown {broker.shown}")):
        while broker.shown < 6:
            gevent.sleep(0.01)
    stopping = True
    until(lambda: len(broker.received) == sent, "all of them")
    assert broker.visits == visits
    assert not sender.exception
    gevent.killall([sender, reader])


def test_a_broker_that_does_not_take_them_again_is_told_of(start: Start) -> None:
    broker = asking()
    running = start(broker, transport=TRANSPORT)
    client = running.client()
    assert client.ask(HEARTBEAT, 4).error_code == 0
    broker.refuses = True

    assert client.is_closed()
    [event] = running.log.of("connection_closed")
    assert event["reason"] == "upstream_reauthentication_failed"
    assert event["detail"] == "authentication failed: not any more"
    assert running.log.level_of("connection_closed") == "warning"


def test_sessions_too_short_to_renew_are_ended_in_time(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewing, "LEAST_LIFETIME", 1.2)
    running = start(asking(), transport=TRANSPORT)
    client = running.client()
    assert client.ask(HEARTBEAT, 4).error_code == 0

    assert client.is_closed()
    [event] = running.log.of("connection_closed")
    assert event["reason"] == "upstream_session_ended"


def test_a_broker_that_asks_no_more_is_let_alone(start: Start) -> None:
    broker = Asking(itertools.chain([60, 60, LIFETIME], itertools.repeat(0)))
    client = start(broker, transport=TRANSPORT).client()
    until(lambda: broker.shown == 4, "the renewal")
    gevent.sleep(LIFETIME * 1.2)

    assert client.ask(HEARTBEAT, 4).error_code == 0
    assert broker.shown == 4
