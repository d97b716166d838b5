"""SASL/PLAIN messages: what is a password, and what the answers say."""

from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from sidecar.dataplane import sasl
from sidecar.model.identity import AuthenticationFailed, Identity, Proof


@pytest.mark.parametrize(
    ("token", "password"),
    [
        (b"\0user\0secret", "secret"),
        (b"authzid\0user\0secret", "secret"),
        ("\0üser\0gehëim".encode(), "gehëim"),
        (memoryview(b"\0user\0secret"), "secret"),
    ],
)
def test_the_password_is_the_third_part(token: Any, password: str) -> None:
    assert sasl.plain_password(token) == password


@pytest.mark.parametrize(
    ("token", "cause"),
    [
        (b"", "the SASL/PLAIN message is malformed"),
        (b"user\0secret", "the SASL/PLAIN message is malformed"),
        (b"\0user\0secret\0more", "the SASL/PLAIN message is malformed"),
        (b"\0\0secret", "username not specified"),
        (b"\0user\0", "password not specified"),
        (b"\0user\0\xff\xfe", "the password is not UTF-8 text"),
    ],
)
def test_anything_else_is_refused_without_repeating_it(token: bytes, cause: str) -> None:
    with pytest.raises(AuthenticationFailed) as failure:
        sasl.plain_password(token)

    assert str(failure.value) == cause


@pytest.mark.parametrize(
    ("message", "token", "authzid"),
    [
        (b"n,,\x01auth=Bearer a.b.c\x01\x01", "a.b.c", ""),
        (b"n,,\x01auth=bEARER   a-_~+/.c==\x01\x01", "a-_~+/.c==", ""),
        (b"n,a=al,\x01auth=Bearer x\x01\x01", "x", "al"),
        (b"n,a=a=2Cl=3D,\x01auth=Bearer x\x01\x01", "x", "a,l="),
        ("n,a=ül,\x01auth=Bearer x\x01\x01".encode(), "x", "ül"),
        (b"n,,\x01host=h\x01auth=Bearer x\x01port=9092\x01\x01", "x", ""),
        (b"n,,\x01auth=Bearer x\x01logicalCluster=lkc 1\x01\x01", "x", ""),
        (memoryview(b"n,,\x01auth=Bearer x\x01\x01"), "x", ""),
    ],
)
def test_a_bearer_token_is_behind_auth(message: Any, token: str, authzid: str) -> None:
    assert sasl.bearer_token(message) == (token, authzid)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x01",
        b"n,,",
        b"n,,\x01\x01",
        b"n,,\x01auth=Bearer x",
        b"n,,\x01auth=Bearer x\x01",
        b"n,,\x01auth=Bearer x\x01\x01\x01",
        b"n,,\x01auth=Bearer\x01\x01",
        b"n,,\x01auth=Bearer \x01\x01",
        b"n,,\x01auth=Basic x\x01\x01",
        b"n,,\x01auth=Bearer x y\x01\x01",
        b"n,,\x01auth=Bearer x\x01auth=Bearer y\x01\x01",
        b"n,,\x01auth=Bearer x\x01a1=x\x01\x01",
        b"n,,\x01auth=Bearer x\x01a\x01\x01",
        b"n,,\x01auth=Bearer x\x01a=\x00\x01\x01",
        b"n,,\x01Auth=Bearer x\x01\x01",
        b"n,a=,\x01auth=Bearer x\x01\x01",
        b"n,a=\xff,\x01auth=Bearer x\x01\x01",
        b"y,,\x01auth=Bearer x\x01\x01",
        b"p=tls-unique,,\x01auth=Bearer x\x01\x01",
        b"n,,\x01auth=Bearer \xc3\xbc\x01\x01",
    ],
)
def test_other_bearer_messages_are_refused_without_repeating_them(message: bytes) -> None:
    with pytest.raises(AuthenticationFailed) as failure:
        sasl.bearer_token(message)

    assert str(failure.value) == "the SASL/OAUTHBEARER message is malformed"


@pytest.mark.parametrize(
    ("mechanism", "longest", "good", "session"),
    [
        ("PLAIN", 0, None, None),
        ("PLAIN", 0, 60.0, None),
        ("PLAIN", 90, 60.0, 60.0),
        ("PLAIN", 90, None, 90),
        ("OAUTHBEARER", 0, 60.0, 60.0),
        ("OAUTHBEARER", 30, 60.0, 30),
        ("OAUTHBEARER", 90, 60.0, 60.0),
        ("OAUTHBEARER", 90, -1.0, 0),
    ],
)
def test_how_long_a_session_is(
    mechanism: str, longest: float, good: float | None, session: float | None
) -> None:
    proof = Proof(Identity("al"), good)
    logins = sasl.Logins(plain=lambda password, now: proof, longest=longest)

    assert logins.seconds(mechanism, proof) == session


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("error", [ErrorCode.NONE, ErrorCode.UNSUPPORTED_SASL_MECHANISM])
def test_a_handshake_is_answered_with_the_mechanisms_there_are(
    error: ErrorCode, version: int
) -> None:
    body = sasl.handshake_response(error, version, ("PLAIN", "OAUTHBEARER"))

    response: Any = codec.decode_response(ApiKey.SASL_HANDSHAKE, version, body)
    assert (response.error_code, list(response.mechanisms)) == (error, ["PLAIN", "OAUTHBEARER"])


@pytest.mark.parametrize("version", [0, 1, 2])
def test_authentication_answers_say_success_or_the_reason(version: int) -> None:
    success: Any = codec.decode_response(
        ApiKey.SASL_AUTHENTICATE, version, sasl.authenticate_response(version)
    )
    failure: Any = codec.decode_response(
        ApiKey.SASL_AUTHENTICATE,
        version,
        sasl.authenticate_response(version, AuthenticationFailed("the token has expired")),
    )

    assert success.error_code == 0
    assert not success.error_message
    assert success.session_lifetime_ms == 0, "clients must not be asked to authenticate again"
    in_time: Any = codec.decode_response(
        ApiKey.SASL_AUTHENTICATE, version, sasl.authenticate_response(version, seconds=1.9999)
    )
    assert in_time.session_lifetime_ms == (1999 if version else 0)
    assert failure.error_code == 58
    assert failure.error_message == "Authentication failed: the token has expired"
