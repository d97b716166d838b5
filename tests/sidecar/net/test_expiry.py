"""Sessions that end, over sockets: renewed while the connection goes on, or ended in between."""

from __future__ import annotations

import time

import gevent
import pytest

from codec.messages.heartbeat import HeartbeatResponse
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from sidecar.dataplane.sasl import INVALID_TOKEN, Logins
from sidecar.model.identity import AuthenticationFailed, Identity, KeyUnknown, Proof
from sidecar.net import expiry
from tests.sidecar.net.conftest import Start
from tests.sidecar.net.test_connection import HEARTBEAT
from tests.sidecar.net.wire_faults import BEAT, blackhole, is_silent
from tests.support import certificates
from tests.support.bearer import first_message
from tests.support.fake_broker import FakeBroker, Hang, until
from tests.support.gateways import Running, Wire
from tests.support.messages import request

AL = Identity("al", "teamA")
GOOD = first_message("x")


class Provider:
    """Judges bearer tokens; what it says can be changed."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.proof = Proof(AL, seconds)
        self.failure: AuthenticationFailed | None = None
        self.renewed = 0
        self.newer_keys_help = False
        self.logins = Logins(plain=self.judge, bearer=self.judge, renew_keys=self.renew)

    def judge(self, token: str, now: float) -> Proof:
        if self.failure is not None:
            raise self.failure
        return self.proof

    def renew(self) -> None:
        gevent.sleep(0.05)
        self.renewed += 1
        if self.newer_keys_help:
            self.failure = None


def logs_in(client: Wire, message: bytes = GOOD) -> int:
    """How long the session is, ms."""
    assert client.ask(SaslHandshakeRequest(mechanism="OAUTHBEARER"), 1).error_code == 0
    answer = client.ask(SaslAuthenticateRequest(auth_bytes=message), 2)
    assert (answer.error_code, bytes(answer.auth_bytes)) == (0, b"")
    return int(answer.session_lifetime_ms)


def slow(asked: object) -> HeartbeatResponse:
    gevent.sleep(0.5)
    return HeartbeatResponse()


def expired(running: Running) -> bool:
    [event] = running.log.of("connection_closed") or [{"reason": None}]
    return event["reason"] == "session_expired"


def test_a_session_that_is_not_renewed_ends_in_time(start: Start) -> None:
    provider = Provider(0.4)
    running = start(FakeBroker(), logins=provider.logins)
    client = running.client()
    began = time.monotonic()

    assert logs_in(client) == 400
    assert client.ask(HEARTBEAT, 4).error_code == 0
    assert client.is_closed()

    assert 0.3 < time.monotonic() - began < 2
    until(lambda: expired(running), "it is told")


def test_a_session_that_is_renewed_goes_on(start: Start) -> None:
    provider = Provider(1.4)
    running = start(FakeBroker(), logins=provider.logins)
    client = running.client()
    logs_in(client)
    for _ in range(2):
        gevent.sleep(1.05)
        logs_in(client)
        assert client.ask(HEARTBEAT, 4).error_code == 0

    assert len(running.log.of("authenticated")) == 1
    assert len(running.log.of("reauthenticated")) == 2
    assert running.log.of("connection_closed") == []
    assert client.is_closed()


def test_a_shorter_session_counts_at_once(start: Start) -> None:
    provider = Provider(3600)
    running = start(FakeBroker(), logins=provider.logins)
    client = running.client()
    logs_in(client)
    provider.proof = Proof(AL, 0.2)

    assert logs_in(client) == 200
    assert client.is_closed()
    until(lambda: expired(running), "it is told")


def test_what_was_asked_before_is_answered(start: Start) -> None:
    """An answer that comes when the session is over has been asked for before."""
    provider = Provider(0.2)
    broker = FakeBroker(heartbeat=slow)
    running = start(broker, logins=provider.logins)
    client = running.client()
    logs_in(client)

    assert client.ask(HEARTBEAT, 4).error_code == 0
    assert client.is_closed()
    until(lambda: expired(running), "it is told")


def test_half_a_request_does_not_keep_a_session(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "GRACE", 0.2)
    provider = Provider(0.2)
    running = start(FakeBroker(), logins=provider.logins)
    client = running.client()
    logs_in(client)
    client.sock.sendall(b"\x00\x00\x00\x64" + request(HEARTBEAT, 4)[:12])

    assert client.is_closed()
    until(lambda: running.log.of("connection_closed"), "it is told")
    assert running.log.of("connection_closed")[0]["reason"] == "session_expired"


def test_a_broker_that_does_not_answer_does_not_keep_it_either(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "GRACE", 0.2)
    provider = Provider(0.2)
    running = start(FakeBroker(heartbeat=lambda request: Hang()), logins=provider.logins)
    client = running.client()
    logs_in(client)
    client.send(HEARTBEAT, 4)

    assert client.is_closed()
    until(lambda: expired(running), "it is told")


def test_a_connection_that_a_fault_has_silenced_stays_open(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is served on it, and the end of a session would end the fault."""
    monkeypatch.setattr(expiry, "GRACE", 0.1)
    provider = Provider(0.2)
    running = start(FakeBroker(), interceptors=(blackhole("BEFORE"),), logins=provider.logins)
    client = running.client()
    logs_in(client)

    client.send(BEAT, 4)
    gevent.sleep(0.4)

    assert is_silent(client)
    assert running.log.of("connection_closed") == []


@pytest.mark.parametrize("again", [False, True])
def test_a_request_waits_for_newer_keys_and_those_behind_it_too(start: Start, again: bool) -> None:
    provider = Provider()
    running = start(FakeBroker(), logins=provider.logins)
    client = running.client()
    if again:
        logs_in(client)
    provider.failure, provider.newer_keys_help = KeyUnknown("not known"), True
    client.ask(SaslHandshakeRequest(mechanism="OAUTHBEARER"), 1)

    ids = [client.send(SaslAuthenticateRequest(auth_bytes=GOOD), 2), client.send(HEARTBEAT, 4)]

    answers = [client.receive(), client.receive()]
    assert [answer and answer[0] for answer in answers] == ids
    assert [answer and answer[1].error_code for answer in answers] == [0, 0]
    assert provider.renewed == 1


def test_a_token_that_is_refused_ends_a_session_in_its_own_way(start: Start) -> None:
    provider = Provider()
    running = start(FakeBroker(), logins=provider.logins)
    client = running.client()
    logs_in(client)
    provider.failure = AuthenticationFailed("the token expired at noon")

    client.ask(SaslHandshakeRequest(mechanism="OAUTHBEARER"), 1)
    challenge = client.ask(SaslAuthenticateRequest(auth_bytes=GOOD), 2)
    assert bytes(challenge.auth_bytes) == INVALID_TOKEN
    refused = client.ask(SaslAuthenticateRequest(auth_bytes=b"\x01"), 2)

    assert refused.error_code == 58
    assert client.is_closed()
    until(lambda: running.log.of("connection_closed"), "it is told")
    assert running.log.of("connection_closed")[0]["reason"] == "authentication_failed"


def test_where_clients_log_in_a_certificate_says_nothing(start: Start) -> None:
    """It is looked at by TLS; who somebody is, SASL says: as in Kafka."""
    provider = Provider()
    broker = FakeBroker(tls=certificates.server())
    transport = certificates.transport("REQUIRE")
    running = start(broker, logins=provider.logins, transport=transport)
    client = running.client()
    secured = certificates.client("client")
    client.sock = secured.wrap_socket(client.sock, server_hostname="127.0.0.1")

    assert logs_in(client) == 60_000
    assert client.ask(HEARTBEAT, 4).error_code == 0
