"""Clients that authenticate to the broker behind the sidecar, which only hears who they are.

SaslHandshake and SaslAuthenticate pass (handshake v0 with its bare tokens does not); the name is
what the client says, and counts once the broker has said that it is right.
"""

import base64
import json
from typing import Any, Final

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.headers import RequestHeader
from sidecar.dataplane.greeting import decoded
from sidecar.model.credentials import MECHANISMS, OAUTHBEARER, PLAIN
from sidecar.model.identity import AuthenticationFailed

SASL_APIS: Final = frozenset({ApiKey.SASL_HANDSHAKE, ApiKey.SASL_AUTHENTICATE})
MOST_NAME: Final = 512
"""Characters of a name."""


class Delegated:
    """What has been heard of one client's authentication, or of one after another."""

    def __init__(self) -> None:
        self._mechanism = ""
        self._name = ""

    def asked(self, header: RequestHeader, data: Any) -> None:
        """Hear a request that passes.

        Raises:
            AuthenticationFailed: it must not pass, since nobody could tell who that is.
            codec.CodecError: it is malformed.
        """
        if header.api_key == ApiKey.SASL_HANDSHAKE:
            if header.api_version == 0:
                raise AuthenticationFailed("SaslHandshake v0 is not passed on; v1 is")
            mechanism = decoded(header, data).mechanism
            if mechanism not in MECHANISMS:
                allowed = ", ".join(MECHANISMS)
                raise AuthenticationFailed(f"mechanism {mechanism[:64]!r}, passed on are {allowed}")
            self._mechanism, self._name = mechanism, ""
            return
        if not self._mechanism:
            raise AuthenticationFailed("SaslAuthenticate without a SaslHandshake before it")
        if not self._name:
            self._name = _name(self._mechanism, bytes(decoded(header, data).auth_bytes))

    def answered(self, api_key: int, version: int, body: Any) -> str | None:
        """Hear an answer; return who the client is when the broker has said so.

        Raises:
            codec.CodecError: it is malformed.
        """
        answer: Any = codec.decode_response(api_key, version, body)
        if api_key == ApiKey.SASL_HANDSHAKE or answer.error_code != ErrorCode.NONE:
            return None
        said = bytes(answer.auth_bytes)
        # SCRAM ends with the server's signature; the others end with nothing more to say.
        scram = self._mechanism not in (PLAIN, OAUTHBEARER)
        return self._name if (said.startswith(b"v=") if scram else not said) else None


def _name(mechanism: str, said: bytes) -> str:
    """Whom the first message of a mechanism names."""
    try:
        name = _READERS.get(mechanism, _scram_name)(said)
    except (ValueError, LookupError, TypeError, StopIteration, RecursionError):
        raise AuthenticationFailed(f"the first {mechanism} message names nobody") from None
    if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME:
        raise AuthenticationFailed(f"the first {mechanism} message names nobody")
    return name


def _plain_name(said: bytes) -> str:
    _, name, _ = said.split(b"\0")
    return name.decode()


def _scram_name(said: bytes) -> str:
    # gs2-header: a flag and an optional authzid; then n=, which may be behind an extension.
    fields = said.decode().split(",")[2:]
    name = next(field[2:] for field in fields if field.startswith("n="))
    return name.replace("=2C", ",").replace("=3D", "=")


def _bearer_name(said: bytes) -> str:
    pairs = dict(pair.split(b"=", 1) for pair in said.split(b"\x01")[1:] if b"=" in pair)
    _, _, token = pairs[b"auth"].decode().partition(" ")
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims["sub"]  # type: ignore[no-any-return]  # checked by the caller


_READERS: Final = {PLAIN: _plain_name, OAUTHBEARER: _bearer_name}
