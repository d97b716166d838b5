"""A session until it is open: ApiVersions, SASL, and nothing else before."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.metadata import MetadataRequest
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from sidecar.dataplane.actions import Close, Report, ToClient
from sidecar.model.identity import ANONYMOUS, Identity
from tests.support.messages import produce, read_response
from tests.support.sessions import (
    TENANT,
    Client,
    closes,
    interceptor,
    reports,
    tenant,
    to_broker,
    to_client,
)

KAFKA_4 = {key: (0, 20) for key in range(60)}


def plain(password: str) -> SaslAuthenticateRequest:
    return SaslAuthenticateRequest(auth_bytes=b"\0ignored\0" + password.encode())


def only_answer(actions: Any, api_key: ApiKey, version: int, correlation_id: int = 1) -> Any:
    """The one answer among the actions, to the request of this correlation id."""
    [data] = to_client(actions)
    answered, message = read_response(api_key, version, data)
    assert answered == correlation_id
    return message


# ApiVersions


@pytest.mark.parametrize("version", range(5))
@pytest.mark.parametrize("secured", [False, True])
def test_api_versions_is_answered_by_the_sidecar(version: int, secured: bool) -> None:
    client = Client(secured=secured, upstream=[KAFKA_4])
    request = ApiVersionsRequest(client_software_name="lib", client_software_version="1.0")

    actions = client.sends(request, version, correlation_id=77)

    answer = only_answer(actions, ApiKey.API_VERSIONS, version, 77)
    assert len(actions) == 1
    assert answer.error_code == 0
    ranges = {e.api_key: (e.min_version, e.max_version) for e in answer.api_keys}
    assert ranges[ApiKey.PRODUCE] == (0, 13)
    assert (ApiKey.SASL_HANDSHAKE in ranges) is secured


def test_a_version_from_the_future_is_answered_in_version_0() -> None:
    client = Client()
    # Version 17 of a flexible API: header v2, and a body nobody here can read.
    data = b"\x00\x12\x00\x11\x00\x00\x00\x09\xff\xff\x00\x99\x99\x99"

    actions = client.sends_frame(data)

    answer = only_answer(actions, ApiKey.API_VERSIONS, 0, 9)
    assert answer.error_code == 35
    assert [(e.api_key, e.max_version) for e in answer.api_keys] == [(ApiKey.API_VERSIONS, 4)]
    assert not closes(actions)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize(
    ("name", "number"), [("", "1.0"), ("lib", ""), ("-lib", "1"), ("lib", "1."), ("a b", "1")]
)
def test_malformed_client_software_is_answered_with_error_42_and_not_kept(
    name: str, number: str, version: int
) -> None:
    client = Client()
    request = ApiVersionsRequest(client_software_name=name, client_software_version=number)

    actions = client.sends(request, version)

    assert only_answer(actions, ApiKey.API_VERSIONS, version).error_code == 42
    assert client.session.peer.client_software_name is None
    assert not closes(actions)


def test_client_software_is_kept_for_the_events() -> None:
    client = Client()
    request = ApiVersionsRequest(
        client_software_name="apache-kafka-java", client_software_version="4.3.0"
    )

    client.sends(request, 3)

    peer = client.session.peer
    assert (peer.client_software_name, peer.client_software_version) == (
        "apache-kafka-java",
        "4.3.0",
    )


def test_a_truncated_api_versions_request_closes() -> None:
    client = Client()
    data = b"\x00\x12\x00\x03\x00\x00\x00\x01\xff\xff\x00\x55"

    assert closes(client.sends_frame(data)) == ["malformed_request"]


# SASL


def test_a_listener_without_authentication_is_open_from_the_start() -> None:
    session = Client().session

    assert session.authenticated
    assert session.peer.identity == ANONYMOUS


@pytest.mark.parametrize("version", [0, 1, 2])
def test_handshake_v1_and_a_good_token_open_the_session(version: int) -> None:
    client = Client(secured=True)
    assert not client.session.authenticated

    agreed = client.sends(SaslHandshakeRequest(mechanism="PLAIN"), 1, 5)
    actions = client.sends(plain("good token"), version, 6)

    handshake = only_answer(agreed, ApiKey.SASL_HANDSHAKE, 1, 5)
    assert (handshake.error_code, list(handshake.mechanisms)) == (0, ["PLAIN"])
    answer = only_answer(actions, ApiKey.SASL_AUTHENTICATE, version, 6)
    assert (answer.error_code, bytes(answer.auth_bytes)) == (0, b"")
    assert actions[1] == Report("authenticated", {"principal": "sa", "virtual_cluster": "teamA"})
    assert client.session.peer.identity == TENANT


def test_a_bad_token_is_answered_with_the_reason_then_reported_then_closed() -> None:
    client = Client(secured=True)

    actions = client.authenticates("an old token")

    assert [type(action) for action in actions] == [ToClient, Report, Close]
    answer = only_answer(actions, ApiKey.SASL_AUTHENTICATE, 1)
    assert answer.error_code == 58
    assert answer.error_message == "Authentication failed: the token has expired"
    assert reports(actions) == [("authentication_failed", {"cause": "the token has expired"})]
    assert closes(actions) == ["authentication_failed"]
    assert not client.session.authenticated
    assert "an old token" not in repr(actions)


@pytest.mark.parametrize("message", [b"", b"no nul at all", b"\0sa\0", b"\0sa\0\xff"])
def test_a_malformed_plain_message_is_a_failed_authentication(message: bytes) -> None:
    client = Client(secured=True)
    client.sends(SaslHandshakeRequest(mechanism="PLAIN"), 1)

    actions = client.sends(SaslAuthenticateRequest(auth_bytes=message), 1)

    assert only_answer(actions, ApiKey.SASL_AUTHENTICATE, 1).error_code == 58
    assert closes(actions) == ["authentication_failed"]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "plain", "", "x" * 1000])
def test_another_mechanism_is_answered_with_what_there_is_and_closed(mechanism: str) -> None:
    client = Client(secured=True)

    actions = client.sends(SaslHandshakeRequest(mechanism=mechanism), 1)

    answer = only_answer(actions, ApiKey.SASL_HANDSHAKE, 1)
    assert (answer.error_code, list(answer.mechanisms)) == (33, ["PLAIN"])
    assert closes(actions) == ["unsupported_sasl_mechanism"]
    assert len(actions[-1].detail) < 200


def test_after_handshake_v0_a_bare_token_opens_the_session() -> None:
    client = Client(secured=True)

    agreed = client.sends(SaslHandshakeRequest(mechanism="PLAIN"), 0, 5)
    actions = client.sends_frame(memoryview(b"\0sa\0good token"))

    assert only_answer(agreed, ApiKey.SASL_HANDSHAKE, 0, 5).error_code == 0
    assert to_client(actions) == [b""], "an empty frame says yes"
    assert [event for event, _ in reports(actions)] == ["authenticated"]
    assert client.session.authenticated
    assert to_broker(client.sends(MetadataRequest(topics=[]), 9)), "headers are back"


def test_a_bad_bare_token_closes_without_an_answer() -> None:
    client = Client(secured=True)
    client.sends(SaslHandshakeRequest(mechanism="PLAIN"), 0)

    actions = client.sends_frame(b"\0sa\0wrong")

    assert to_client(actions) == []
    assert closes(actions) == ["authentication_failed"]
    assert not client.session.authenticated


def test_authenticate_without_a_handshake_is_out_of_sequence() -> None:
    client = Client(secured=True)

    answer = only_answer(client.sends(plain("good token"), 1), ApiKey.SASL_AUTHENTICATE, 1)

    assert answer.error_code == 34
    assert not client.session.authenticated


def test_a_second_try_after_a_failure_needs_a_new_handshake() -> None:
    client = Client(secured=True)
    client.authenticates("wrong")

    answer = only_answer(client.sends(plain("good token"), 1), ApiKey.SASL_AUTHENTICATE, 1)

    assert answer.error_code == 34
    assert not client.session.authenticated


def test_an_open_session_cannot_change_who_it_is() -> None:
    client = tenant()

    again = client.sends(SaslHandshakeRequest(mechanism="PLAIN"), 1)
    token = client.sends(plain("passthrough token"), 1)

    assert only_answer(again, ApiKey.SASL_HANDSHAKE, 1).error_code == 34
    assert only_answer(token, ApiKey.SASL_AUTHENTICATE, 1).error_code == 34
    assert client.session.peer.identity == TENANT


def test_a_passthrough_token_sees_the_cluster_as_it_is() -> None:
    client = Client(secured=True)

    client.authenticates("passthrough token")

    assert client.session.peer.identity == Identity("root")
    [data] = to_broker(client.sends(produce(), 9))
    assert b"cars" in data
    assert b"teamA" not in data


@pytest.mark.parametrize(
    "message", [SaslHandshakeRequest(mechanism="PLAIN"), plain("good token")], ids=["17", "36"]
)
def test_sasl_on_an_open_listener_closes(message: Any) -> None:
    assert closes(Client().sends(message, 1)) == ["unsupported_version"]


@pytest.mark.parametrize("version", [2, 7])
def test_a_handshake_version_that_was_not_offered_closes(version: int) -> None:
    data = b"\x00\x11" + version.to_bytes(2, "big") + b"\x00\x00\x00\x01\xff\xff\x00\x05PLAIN"

    assert closes(Client(secured=True).sends_frame(data)) == ["unsupported_version"]


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"\x00\x03\x00\x09\x00\x00\x00\x01\xff\xff\x00rest", "METADATA v9"),
        (b"\x00\x00\x00\x09\x00\x00\x00\x01\xff\xff\x00rest", "PRODUCE v9"),
        (b"\x03\xe7\x00\x02\x00\x00\x00\x01\xff\xffrest", "api key 999 v2"),
    ],
)
def test_anything_else_before_authentication_closes(data: bytes, named: str) -> None:
    client = Client(interceptor(), secured=True)

    actions = client.sends_frame(data)

    assert actions == [Close("not_authenticated", f"{named} before authentication")]
    assert client.recorded.injections == []


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x03\x00\x09\x00\x00\x00\x01\x00\x10short"])
@pytest.mark.parametrize("secured", [False, True])
def test_a_frame_without_a_whole_header_closes(data: bytes, secured: bool) -> None:
    assert closes(Client(secured=secured).sends_frame(data)) == ["malformed_request"]
