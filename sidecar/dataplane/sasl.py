"""SASL/PLAIN as the server sees it (RFC 4616; Kafka protocol, "SASL authentication sequence").

Handshake v1 is followed by SaslAuthenticate requests, handshake v0 by bare tokens without any
Kafka header. The username of PLAIN is not used, as in the reference: the token says who it is.
"""

from collections.abc import Callable
from typing import Any, Final

import codec
from codec.error_codes import ErrorCode
from codec.messages.sasl_authenticate import SaslAuthenticateResponse
from codec.messages.sasl_handshake import SaslHandshakeResponse
from sidecar.model.identity import AuthenticationFailed, Identity

MECHANISM: Final = "PLAIN"

Authenticate = Callable[[str, float], Identity]
"""Password and now (seconds since the epoch) to identity; raises AuthenticationFailed."""


def plain_password(token: bytes) -> str:
    """The password of a PLAIN message ``[authzid] NUL authcid NUL passwd``.

    Raises:
        AuthenticationFailed: it is not one.
    """
    parts = bytes(token).split(b"\0")
    if len(parts) != 3:
        raise AuthenticationFailed("the SASL/PLAIN message is malformed")
    _, username, password = parts
    if not username:
        raise AuthenticationFailed("username not specified")
    if not password:
        raise AuthenticationFailed("password not specified")
    try:
        return password.decode()
    except UnicodeDecodeError:
        raise AuthenticationFailed("the password is not UTF-8 text") from None


def handshake_response(error: ErrorCode, version: int) -> bytes:
    """Body of a SaslHandshake response; names the mechanisms there are."""
    message = SaslHandshakeResponse(error_code=error, mechanisms=[MECHANISM])
    return codec.encode(message, version)


def authenticate_response(version: int, failure: AuthenticationFailed | None = None) -> bytes:
    """Body of a SaslAuthenticate response: success, or error 58 with the reason."""
    fields: dict[str, Any] = {"auth_bytes": b""}
    if failure is not None:
        fields["error_code"] = ErrorCode.SASL_AUTHENTICATION_FAILED
        fields["error_message"] = f"Authentication failed: {failure}"
    return codec.encode(SaslAuthenticateResponse(**fields), version)


def illegal_state_response(version: int) -> bytes:
    """Body of a SaslAuthenticate response to a request out of sequence."""
    message = SaslAuthenticateResponse(
        error_code=ErrorCode.ILLEGAL_SASL_STATE,
        error_message="SaslAuthenticate must follow a SaslHandshake for PLAIN",
        auth_bytes=b"",
    )
    return codec.encode(message, version)
