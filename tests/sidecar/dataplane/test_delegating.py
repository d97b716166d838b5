"""Clients that authenticate to the broker: who they are, and when that counts."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.error_codes import ErrorCode
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.metadata import MetadataRequest
from codec.messages.sasl_authenticate import SaslAuthenticateRequest, SaslAuthenticateResponse
from codec.messages.sasl_handshake import SaslHandshakeRequest, SaslHandshakeResponse
from sidecar.dataplane.actions import Action, Close
from sidecar.dataplane.pipeline import Pipeline
from sidecar.dataplane.session import Session
from sidecar.model.identity import Identity
from sidecar.model.snapshot import Snapshot
from sidecar.model.user_mapping import UserMapping
from tests.support.messages import read_response, response
from tests.support.sessions import Client, closes, reports, to_broker, to_client


def delegated(*mappings: UserMapping) -> Client:
    client = Client()
    client.shared.delegated = True
    client.shared.tenants = True
    client.shared.versions = client.shared.versions_of([], client.shared.versions._features)
    client.shared.pipeline = Pipeline(Snapshot(user_mappings=mappings))
    client.session = Session(client.shared, 7, 2)
    return client


def shakes(client: Client, mechanism: str, error: ErrorCode = ErrorCode.NONE) -> list[Action]:
    asked = client.sends(SaslHandshakeRequest(mechanism=mechanism), 1)
    assert len(to_broker(asked)) == 1, asked
    answer = SaslHandshakeResponse(error_code=error, mechanisms=["PLAIN"])
    return client.broker_answers(response(answer, 1))


def says(
    client: Client, said: bytes, answer: bytes = b"", error: ErrorCode = ErrorCode.NONE
) -> Any:
    asked = client.sends(SaslAuthenticateRequest(auth_bytes=said), 2)
    if not to_broker(asked):
        return asked
    message = SaslAuthenticateResponse(error_code=error, auth_bytes=answer)
    return client.broker_answers(response(message, 2))


def token(**claims: object) -> bytes:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    return b"n,,\x01auth=Bearer e30." + payload + b".sig\x01\x01"


@pytest.mark.parametrize(
    ("mechanism", "exchange", "name"),
    [
        ("PLAIN", [(b"\0al\0secret", b"")], "al"),
        ("PLAIN", [(b"other\0al\0secret", b"")], "al"),
        ("SCRAM-SHA-256", [(b"n,,n=al=3D=2C,r=x", b"r=xy,s=,i=1"), (b"c=,p=", b"v=abc")], "al=,"),
        ("SCRAM-SHA-512", [(b"n,a=z,n=al,r=x,tokenauth=true", b"r"), (b"c", b"v=")], "al"),
        ("OAUTHBEARER", [(token(sub="al"), b"")], "al"),
    ],
)
def test_the_name_counts_when_the_broker_has_said_yes(
    mechanism: str, exchange: list[tuple[bytes, bytes]], name: str
) -> None:
    client = delegated()
    assert len(to_client(shakes(client, mechanism))) == 1

    for said, answer in exchange:
        assert client.session.peer.identity is None
        assert closes(client.sends(MetadataRequest(topics=[]), 9)) == ["not_authenticated"]
        actions = says(client, said, answer)

    assert client.session.peer.identity == Identity(name)
    [data] = to_client(actions)
    assert read_response(36, 2, data)[1].auth_bytes == exchange[-1][1]
    assert reports(actions) == [
        ("authenticated", {"principal": name, "virtual_cluster": "passthrough"})
    ]
    assert len(to_broker(client.sends(MetadataRequest(topics=[]), 9))) == 1


def test_a_user_mapping_says_which_virtual_cluster() -> None:
    client = delegated(UserMapping("teamA", "alice", "al", frozenset({"dev"})))
    shakes(client, "PLAIN")
    says(client, b"\0al\0secret")

    assert client.session.peer.identity == Identity("al", "teamA")


@pytest.mark.parametrize(
    ("mechanism", "said", "answer", "error"),
    [
        ("PLAIN", b"\0al\0wrong", b"", ErrorCode.SASL_AUTHENTICATION_FAILED),
        ("SCRAM-SHA-256", b"n,,n=al,r=x", b"e=unknown-user", ErrorCode.NONE),
        ("OAUTHBEARER", token(sub="al"), b'{"status":"invalid_token"}', ErrorCode.NONE),
    ],
)
def test_what_the_broker_does_not_take_counts_for_nothing(
    mechanism: str, said: bytes, answer: bytes, error: ErrorCode
) -> None:
    client = delegated()
    shakes(client, mechanism)

    actions = says(client, said, answer, error)

    assert len(to_client(actions)) == 1
    assert client.session.peer.identity is None


@pytest.mark.parametrize(
    ("mechanism", "said"),
    [
        ("PLAIN", b""),
        ("PLAIN", b"al"),
        ("PLAIN", b"\0\0secret"),
        ("PLAIN", b"\0\xff\0secret"),
        ("PLAIN", b"\0" + b"x" * 600 + b"\0secret"),
        ("SCRAM-SHA-256", b"n,,r=x"),
        ("SCRAM-SHA-256", b"n=al,r=x"),
        ("OAUTHBEARER", b"n,,\x01auth=Bearer abc\x01\x01"),
        ("OAUTHBEARER", token(name="al")),
        ("OAUTHBEARER", token(sub=7)),
        ("OAUTHBEARER", b"n,,\x01\x01"),
    ],
)
def test_who_names_nobody_is_not_passed_on(mechanism: str, said: bytes) -> None:
    client = delegated()
    shakes(client, mechanism)

    assert closes(says(client, said)) == ["authentication_failed"]


def test_other_mechanisms_and_bare_tokens_are_not_passed_on() -> None:
    for request, version in (
        (SaslHandshakeRequest(mechanism="GSSAPI"), 1),
        (SaslHandshakeRequest(mechanism="PLAIN"), 0),
        (SaslAuthenticateRequest(auth_bytes=b"\0al\0p"), 2),
    ):
        assert closes(delegated().sends(request, version)) == ["authentication_failed"]


def test_versions_are_told_by_the_sidecar_meanwhile() -> None:
    client = delegated()
    asked = ApiVersionsRequest(client_software_name="x", client_software_version="1")

    [data] = to_client(client.sends(asked, 3))

    keys = {entry.api_key for entry in read_response(18, 3, data)[1].api_keys}
    assert {17, 36} <= keys


def test_whoever_authenticates_again_stays_who_he_is() -> None:
    client = delegated()
    shakes(client, "PLAIN")
    says(client, b"\0al\0secret")

    shakes(client, "PLAIN")
    assert closes(says(client, b"\0al\0secret2")) == []
    shakes(client, "PLAIN")
    assert closes(says(client, b"\0eve\0secret")) == ["authentication_failed"]


@given(st.sampled_from(["PLAIN", "SCRAM-SHA-256", "OAUTHBEARER"]), st.binary(max_size=80))
def test_no_message_makes_a_session_raise(mechanism: str, said: bytes) -> None:
    client = delegated()
    shakes(client, mechanism)

    actions = says(client, said)

    assert all(isinstance(action, Action) for action in actions)
    assert not [a for a in actions if isinstance(a, Close)] or not client.session.authenticated
