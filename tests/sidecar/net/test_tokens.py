"""The token that brokers are shown: fetched off the hub, once for all, renewed in time."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from codec.error_codes import ErrorCode
from codec.messages.heartbeat import HeartbeatRequest
from codec.messages.sasl_authenticate import SaslAuthenticateResponse
from codec.messages.sasl_handshake import SaslHandshakeResponse
from sidecar.bearer.keeping import TokenKeeper
from sidecar.bearer.source import TokenSource
from sidecar.model.credentials import Credentials
from sidecar.net.dialing import Dialer
from sidecar.net.tokens import NoToken, Tokens
from sidecar.net.transport import Security, Transport
from tests.sidecar.net.conftest import Start
from tests.support.fake_broker import FakeBroker, until
from tests.support.log import EventLog
from tests.support.token_endpoint import CLIENT, SECRET, Answer, TokenEndpoint

HEARTBEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    with TokenEndpoint() as one:
        yield one


def source(endpoint: TokenEndpoint, **more: Any) -> TokenSource:
    return TokenSource(endpoint.url, CLIENT, SECRET, **{"backoff": 0.05, "backoff_max": 0.2} | more)


def tokens(endpoint: TokenEndpoint, **more: Any) -> tuple[Tokens, EventLog]:
    log = EventLog()
    return Tokens(TokenKeeper(source(endpoint, **more)), log), log


def test_many_connections_wait_for_one_answer_and_the_hub_for_none(
    endpoint: TokenEndpoint,
) -> None:
    inner = endpoint.answer

    def slowly(form: dict[str, str]) -> Answer:
        threading.Event().wait(0.5)
        return inner(form)

    endpoint.answer = slowly
    token, log = tokens(endpoint)
    latest = 0.0

    def ticking() -> None:
        nonlocal latest
        while True:
            before = time.monotonic()
            gevent.sleep(0.005)
            latest = max(latest, time.monotonic() - before)

    ticker = gevent.spawn(ticking)
    waiting = [gevent.spawn(token) for _ in range(200)]
    gevent.joinall(waiting, timeout=5)
    ticker.kill()

    assert len({each.value for each in waiting}) == 1
    assert waiting[0].value.count(".") == 2
    assert len(endpoint.asked) == 1
    assert latest < 0.25
    [event] = log.of("token_fetched")
    assert event["valid_seconds"] == pytest.approx(3600, abs=5)


def test_it_is_renewed_before_it_expires_though_nobody_asks(endpoint: TokenEndpoint) -> None:
    endpoint.issuer.lifetime = 3
    token, log = tokens(endpoint)
    first = token()
    until(lambda: len(endpoint.asked) == 2, "the second")
    until(lambda: token() != first, "another token")
    assert len(log.of("token_fetched")) == 1, "told once, as long as all goes well"


def test_while_the_endpoint_is_down_the_old_one_is_shown_then_it_is_told_at_once(
    endpoint: TokenEndpoint,
) -> None:
    endpoint.issuer.lifetime = 3
    log = EventLog()
    keeper = TokenKeeper(source(endpoint))
    token = Tokens(keeper, log)
    first = token()
    endpoint.stop()
    until(lambda: log.of("token_not_fetched"), "the warning")
    assert token() == first
    [event] = log.of("token_not_fetched")
    assert 0 <= event["valid_seconds"] <= 2
    assert "cannot be reached" in event["cause"]
    until(lambda: keeper.token is None, "the end of its time")
    before = time.monotonic()
    with pytest.raises(NoToken, match="there is no token to show the broker: the token endpoint"):
        token()
    assert time.monotonic() - before < 0.2
    assert len(log.of("token_not_fetched")) == 1, "not with each attempt"

    endpoint.start()
    gevent.sleep(0.5)
    assert token() != first
    assert len(log.of("token_fetched")) == 2


def test_brokers_are_shown_it_and_a_client_hears_nothing_of_trouble(
    start: Start, endpoint: TokenEndpoint
) -> None:
    shown: list[bytes] = []

    def authenticate(asked: Any) -> SaslAuthenticateResponse:
        shown.append(bytes(asked.auth_bytes))
        return SaslAuthenticateResponse()

    broker = FakeBroker(
        sasl_handshake=lambda _: SaslHandshakeResponse(mechanisms=["OAUTHBEARER"]),
        sasl_authenticate=authenticate,
    )
    credentials = Credentials("OAUTHBEARER", "", extensions=(("a", "b"),))
    security = Security(credentials=credentials, tokens=source(endpoint))
    running = start(broker, transport=security.transport(EventLog()))
    for _ in range(3):
        assert running.client().ask(HEARTBEAT, 4).error_code == ErrorCode.NONE

    [said] = set(shown)
    assert said.startswith(b"n,,\x01auth=Bearer ey")
    assert said.endswith(b"\x01a=b\x01\x01")
    assert len(endpoint.asked) == 1


def test_a_client_whose_broker_cannot_be_shown_any_is_closed_and_it_is_told(
    start: Start, tmp_path: Path
) -> None:
    missing = Tokens(TokenKeeper(TokenSource(f"file://{tmp_path}/token")), EventLog())
    found = True
    dial = Dialer(None, Credentials("OAUTHBEARER", ""), lambda: "a.b.c" if found else missing())
    broker = FakeBroker(
        sasl_handshake=lambda _: SaslHandshakeResponse(mechanisms=["OAUTHBEARER"]),
        sasl_authenticate=lambda _: SaslAuthenticateResponse(),
    )
    running = start(broker, transport=Transport(dial=dial))
    found = False
    assert running.client().is_closed()
    [event] = running.log.of("upstream_connect_failed")
    assert event["cause"] == (
        f"there is no token to show the broker: {tmp_path}/token: No such file or directory"
    )
