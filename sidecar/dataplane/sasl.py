"""SASL as the server sees it: PLAIN (RFC 4616), OAUTHBEARER (RFC 7628), and Kafka's envelope for
both (Kafka protocol, "SASL authentication sequence"; KIP-43, KIP-255, KIP-368).

Handshake v1 is followed by SaslAuthenticate requests, handshake v0 by bare tokens without any
Kafka header. The username of PLAIN is not used, as in the reference: the token says who it is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import codec
from codec.error_codes import ErrorCode
from codec.messages.sasl_authenticate import SaslAuthenticateResponse
from codec.messages.sasl_handshake import SaslHandshakeResponse
from sidecar.model.credentials import OAUTHBEARER, PLAIN
from sidecar.model.identity import AuthenticationFailed, Identity, KeyUnknown, Proof

INVALID_TOKEN: Final = b'{"status":"invalid_token"}'
"""What a bearer token that is refused is answered with (RFC 7628 section 3.2.2), as Kafka does."""

Verify = Callable[[str, float], Proof]
"""Password or bearer token, and now (seconds since the epoch), to what it shows; never waits.

Raises AuthenticationFailed; KeyUnknown where newer keys may help.
"""

_MALFORMED: Final = "the SASL/OAUTHBEARER message is malformed"
_GS2: Final = re.compile(rb"n,(?:a=((?:[^\x00=,]|=2C|=3D)+))?,")
_KEY: Final = re.compile(rb"[A-Za-z]+")
_VALUE: Final = re.compile(rb"[\x20-\x7e\t\r\n]*")
_BEARER: Final = re.compile(rb"([A-Za-z]+) +([-._~+/A-Za-z0-9]+=*)")


class TokenRefused(AuthenticationFailed):
    """A bearer token was; the client is told so in the words of its mechanism, and then fails."""


def _everybody(identity: Identity) -> None:
    """Whoever has shown who he is may come in."""


def _no_others() -> None:
    """There are no other keys than those that are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logins:
    """How the clients of a listener show who they are.

    Args:
        plain: judges passwords.
        bearer: judges bearer tokens; None: OAUTHBEARER is not offered.
        admit: whether somebody may come in; may wait, and raises AuthenticationFailed.
        renew_keys: looks for newer keys of bearer tokens; waits, for a bounded time.
        longest: seconds until a client has to show again who it is; 0: as long as the mechanism
            says.
    """

    plain: Verify
    bearer: Verify | None = None
    admit: Callable[[Identity], None] = _everybody
    renew_keys: Callable[[], None] = _no_others
    longest: float = 0

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """Those that are offered."""
        return (PLAIN,) if self.bearer is None else (PLAIN, OAUTHBEARER)

    def prove(self, mechanism: str, message: Any, now: float) -> Proof:
        """What the first message of a mechanism shows.

        Raises:
            TokenRefused: its bearer token is not good.
            AuthenticationFailed: anything else is wrong with it; KeyUnknown as `Verify`.
        """
        if mechanism == PLAIN or self.bearer is None:
            return self.plain(plain_password(message), now)
        token, wanted = bearer_token(message)
        try:
            proof = self.bearer(token, now)
        except KeyUnknown:
            raise
        except AuthenticationFailed as failure:
            raise TokenRefused(str(failure)) from None
        if wanted and wanted != proof.identity.username:
            raise AuthenticationFailed("the authorization id is not the token's principal")
        return proof

    def seconds(self, mechanism: str, proof: Proof) -> float | None:
        """How long a client's session is; None: it does not end.

        As in Kafka a bearer token's session ends with it. That of a password, which clients do not
        renew by themselves, does so where sessions are limited at all: as in the reference.
        """
        longest = self.longest or None
        good = proof.seconds if mechanism == OAUTHBEARER or longest else None
        known = [seconds for seconds in (longest, good) if seconds is not None]
        return max(0.0, min(known)) if known else None


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


def bearer_token(message: bytes) -> tuple[str, str]:
    """Token and authorization id, which may be empty, of a client's first OAUTHBEARER message.

    It is ``n,[a=authzid],`` and pairs ``key=value``, each behind a 0x01, then two of these (RFC
    7628 section 3.1); `auth` is "Bearer" and the token. Other pairs are SASL extensions (KIP-342),
    which mean nothing here.

    Raises:
        AuthenticationFailed: it is not one.
    """
    head, _, rest = bytes(message).partition(b"\x01")
    gs2 = _GS2.fullmatch(head)
    if gs2 is None or not rest.endswith(b"\x01\x01"):
        raise AuthenticationFailed(_MALFORMED)
    pairs: dict[bytes, bytes] = {}
    for pair in rest[:-2].split(b"\x01"):
        key, equals, value = pair.partition(b"=")
        if not equals or not _KEY.fullmatch(key) or not _VALUE.fullmatch(value) or key in pairs:
            raise AuthenticationFailed(_MALFORMED)
        pairs[key] = value
    bearer = _BEARER.fullmatch(pairs.get(b"auth", b""))
    if bearer is None or bearer[1].lower() != b"bearer":
        raise AuthenticationFailed(_MALFORMED)
    try:
        wanted = (gs2[1] or b"").decode()
    except UnicodeDecodeError:
        raise AuthenticationFailed(_MALFORMED) from None
    return bearer[2].decode(), wanted.replace("=2C", ",").replace("=3D", "=")


def handshake_response(error: ErrorCode, version: int, mechanisms: tuple[str, ...]) -> bytes:
    """Body of a SaslHandshake response; names the mechanisms there are."""
    message = SaslHandshakeResponse(error_code=error, mechanisms=list(mechanisms))
    return codec.encode(message, version)


def authenticate_response(
    version: int,
    failure: AuthenticationFailed | None = None,
    *,
    challenge: bytes = b"",
    seconds: float | None = None,
) -> bytes:
    """Body of a SaslAuthenticate response: success, or error 58 with the reason.

    Args:
        challenge: what the mechanism says.
        seconds: until when the client has to authenticate again; None: never.
    """
    fields: dict[str, Any] = {"auth_bytes": challenge}
    if failure is not None:
        fields["error_code"] = ErrorCode.SASL_AUTHENTICATION_FAILED
        fields["error_message"] = f"Authentication failed: {failure}"
    elif seconds is not None and version >= 1:
        fields["session_lifetime_ms"] = int(seconds * 1000)
    return codec.encode(SaslAuthenticateResponse(**fields), version)


def illegal_state_response(version: int) -> bytes:
    """Body of a SaslAuthenticate response to a request out of sequence."""
    message = SaslAuthenticateResponse(
        error_code=ErrorCode.ILLEGAL_SASL_STATE,
        error_message="SaslAuthenticate must follow a SaslHandshake",
        auth_bytes=b"",
    )
    return codec.encode(message, version)
