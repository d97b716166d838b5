"""SASL/PLAIN messages: what is a password, and what the answers say."""

from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from sidecar.dataplane import sasl
from sidecar.model.identity import AuthenticationFailed


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


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("error", [ErrorCode.NONE, ErrorCode.UNSUPPORTED_SASL_MECHANISM])
def test_a_handshake_is_answered_with_the_mechanisms_there_are(
    error: ErrorCode, version: int
) -> None:
    body = sasl.handshake_response(error, version)

    response: Any = codec.decode_response(ApiKey.SASL_HANDSHAKE, version, body)
    assert (response.error_code, list(response.mechanisms)) == (error, ["PLAIN"])


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
    assert failure.error_code == 58
    assert failure.error_message == "Authentication failed: the token has expired"
