"""What librdkafka is told of the way to the brokers."""

import time

import pytest

pytest.importorskip("confluent_kafka")

from sidecar.bearer.source import TokenSource
from sidecar.bearer.token import TokenError
from sidecar.model.credentials import Credentials
from sidecar.model.errors import Unavailable
from sidecar.state.kafka.settings import client_settings
from sidecar.state.kafka.writer import Writer
from tests.support.token_endpoint import CLIENT, SECRET, TokenEndpoint

SERVERS = [("a", 1), ("b", 2)]


def test_a_token_that_nobody_signed() -> None:
    found = client_settings(SERVERS, None, Credentials("OAUTHBEARER", "al", scope="a b"))

    assert found == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "OAUTHBEARER",
        "enable.sasl.oauthbearer.unsecure.jwt": True,
        "sasl.oauthbearer.config": "principal=al scope=a,b",
    }


def test_its_clients_share_a_token_from_the_endpoint() -> None:
    told: list[str] = []
    credentials = Credentials("OAUTHBEARER", "", extensions=(("a", "b"),))
    with TokenEndpoint() as endpoint:
        source = TokenSource(endpoint.url, CLIENT, SECRET)
        found = client_settings(SERVERS, None, credentials, source, told.append)
        shown = [found["oauth_cb"]("") for _ in range(3)]

    assert len(endpoint.asked) == 1
    assert shown[0] == shown[2]
    value, expires, principal, extensions = shown[0]
    assert (value.count("."), principal, extensions) == (2, CLIENT, {"a": "b"})
    assert isinstance(expires, float)
    assert SECRET not in repr(found)
    assert told == []


def test_why_there_is_none_is_told() -> None:
    told: list[str] = []
    with TokenEndpoint(lambda form: (401, {"error": "invalid_client"})) as endpoint:
        source = TokenSource(endpoint.url, CLIENT, SECRET)
        found = client_settings(SERVERS, None, Credentials("OAUTHBEARER", ""), source, told.append)
        with pytest.raises(TokenError):
            found["oauth_cb"]("")

    assert told == ["the token endpoint answers 401 (invalid_client)"]


def test_without_a_token_no_change_is_taken_and_nothing_waits() -> None:
    with TokenEndpoint(lambda form: (401, {"error": "invalid_client"})) as endpoint:
        source = TokenSource(endpoint.url, CLIENT, SECRET)
        settings = client_settings(SERVERS, None, Credentials("OAUTHBEARER", ""), source)
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"endpoint answers 401 \(invalid_client\)"):
            Writer(settings, "t").begin()
    assert time.monotonic() - began < 5
