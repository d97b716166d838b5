"""What the sidecar answers itself: which versions there are, and who the client is.

ApiVersions, SaslHandshake, SaslAuthenticate, and tokens without any header after handshake v0.

A client shows who it is once, or again and again on the same connection (KIP-368), and stays who it
is. Meanwhile its other requests are served: brokers end connections that send any between the two
messages, and clients do not.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.frames import frame
from codec.headers import RequestHeader
from sidecar.dataplane import sasl
from sidecar.dataplane.actions import Action, Close, RenewKeys, Report, ToClient, Until
from sidecar.dataplane.injecting import Peer
from sidecar.dataplane.versions import SOFTWARE_TEXT, Versions, invalid_client_software
from sidecar.model.identity import (
    AuthenticationFailed,
    Identity,
    KeysUnavailable,
    KeyUnknown,
    Proof,
)

LEAST_SESSION: Final = 1.0
"""Seconds between two times that a client may begin to show again who it is; Kafka has the same."""

AnswerWith = Callable[[RequestHeader, bytes], list[Action]]
"""Gives a request this response body, in its turn."""


_Say = Callable[..., list[Action]]
"""Answers a message of a mechanism, see `Greeting._say`."""


class Greeting:
    """The part of a session that is served before anything else, and renews it.

    Args:
        peer: the client; what it says of itself is noted here.
        versions: what ApiVersions answers now.
        logins: how clients show who they are; None on listeners without authentication.
        answer: see `AnswerWith`.
        opened: told once who the client is.
        ended: ends the connection when all is answered; returns what is done at once.
    """

    def __init__(
        self,
        peer: Peer,
        versions: Callable[[], Versions],
        logins: sasl.Logins | None,
        answer: AnswerWith,
        opened: Callable[[Identity], None],
        ended: Callable[[Close], list[Action]],
    ) -> None:
        self._peer = peer
        self._versions = versions
        self._logins = logins
        self._answer = answer
        self._opened = opened
        self._ended = ended
        self._agreed = ""
        """The mechanism of the last handshake, until it has been used."""
        self._mechanism = ""
        """By which the client is known."""
        self._refusal: AuthenticationFailed | None = None
        """Why its bearer token is none; it has been told, and says one thing more."""
        self._began: float | None = None
        """When it last began to show again who it is."""
        self.bare_token = False
        """Whether what comes next is a token without a Kafka header."""
        self.expires: float | None = None
        """When the client's session ends, seconds since the epoch; None: it does not."""

    def on_request(
        self, header: RequestHeader, data: Any, now: float, *, renewed: bool = False
    ) -> list[Action]:
        """A request of one of the APIs in `versions.LOCAL`; raises codec.CodecError.

        Args:
            renewed: it comes again, after the `RenewKeys` it led to.
        """
        if header.api_key == ApiKey.SASL_AUTHENTICATE:
            return self._on_authenticate(header, data, now, renewed)
        if header.api_key == ApiKey.SASL_HANDSHAKE:
            return self._on_handshake(header, data, now)
        return self._on_api_versions(header, data)

    def _on_api_versions(self, header: RequestHeader, data: Any) -> list[Action]:
        version = header.api_version
        versions = self._versions()
        if versions.accepts(ApiKey.API_VERSIONS, version) and version >= 3:
            request = decoded(header, data)
            name, number = request.client_software_name, request.client_software_version
            if not (SOFTWARE_TEXT.fullmatch(name) and SOFTWARE_TEXT.fullmatch(number)):
                return self._answer(header, invalid_client_software(version))
            self._peer.client_software_name = name
            self._peer.client_software_version = number
        return self._answer(header, versions.response(version))

    def _on_handshake(self, header: RequestHeader, data: Any, now: float) -> list[Action]:
        version = header.api_version
        logins = self._logins
        if logins is None or not self._versions().accepts(ApiKey.SASL_HANDSHAKE, version):
            return [Close("unsupported_version", f"{name_of(header)} is not offered here")]
        say = partial(sasl.handshake_response, version=version, mechanisms=logins.mechanisms)
        known = self._peer.identity is not None
        if self._refusal is not None or (known and not self._may_renew(version, now)):
            return self._answer(header, say(ErrorCode.ILLEGAL_SASL_STATE))
        mechanism = decoded(header, data).mechanism
        if mechanism not in logins.mechanisms:
            offered = ", ".join(logins.mechanisms)
            detail = f"mechanism {mechanism[:64]!r}, offered is {offered}"
            answer = self._answer(header, say(ErrorCode.UNSUPPORTED_SASL_MECHANISM))
            return [*answer, *self._ended(Close("unsupported_sasl_mechanism", detail))]
        if known:
            self._began = now
        self._agreed = mechanism
        self.bare_token = version == 0
        return self._answer(header, say(ErrorCode.NONE))

    def _may_renew(self, version: int, now: float) -> bool:
        """Whether a client that is known may show again who it is.

        As in Kafka: where its session ends, and once a second. Not by bare tokens, which would
        stand between its other requests.
        """
        soon = self._began is not None and now - self._began < LEAST_SESSION
        return self.expires is not None and version >= 1 and not soon

    def _on_authenticate(
        self, header: RequestHeader, data: Any, now: float, renewed: bool
    ) -> list[Action]:
        version = header.api_version
        if not self._versions().accepts(ApiKey.SASL_AUTHENTICATE, version):
            return [Close("unsupported_version", f"{name_of(header)} is not offered here")]
        if not self._agreed:
            return self._answer(header, sasl.illegal_state_response(version))

        message = decoded(header, data).auth_bytes
        return self._login(message, now, renewed, partial(self._say, header))

    def _say(
        self,
        header: RequestHeader,
        failure: AuthenticationFailed | None = None,
        challenge: bytes = b"",
        seconds: float | None = None,
    ) -> list[Action]:
        """Answer SaslAuthenticate: it has failed, or goes on, or succeeded for so long."""
        version = header.api_version
        body = sasl.authenticate_response(version, failure, challenge=challenge, seconds=seconds)
        return self._answer(header, body)

    def on_bare_token(self, data: Any, now: float, *, renewed: bool = False) -> list[Action]:
        """A token after handshake v0: no Kafka header in either direction."""
        return self._login(data, now, renewed, _say_bare)

    def _login(self, message: Any, now: float, renewed: bool, say: _Say) -> list[Action]:
        logins = self._logins
        if logins is None:
            raise AssertionError("SASL is served on listeners with authentication only")
        told = self._refusal
        try:
            if told is not None:
                raise told
            proof = self._prove(logins, message, now)
        except KeyUnknown as failure:
            if not renewed:
                return [RenewKeys()]
            if isinstance(failure, KeysUnavailable):
                # Without an answer: to clients that would be final, and they try again.
                return [_failed(failure), *self._ended(Close("keys_unavailable", str(failure)))]
            return self._challenge(failure, say)
        except sasl.TokenRefused as failure:
            return self._challenge(failure, say)
        except AuthenticationFailed as failure:
            self._agreed = ""
            self.bare_token = False
            reports = [] if told is not None else [_failed(failure)]
            return [*say(failure), *reports, *self._ended(Close("authentication_failed"))]
        return self._succeed(logins, proof, now, say)

    def _prove(self, logins: sasl.Logins, message: Any, now: float) -> Proof:
        """What a message shows, if that may be; raises as `Logins.prove`."""
        before = self._peer.identity
        if before is not None and self._agreed != self._mechanism:
            raise AuthenticationFailed(
                f"mechanism {self._agreed} does not renew a session of {self._mechanism}"
            )
        proof = logins.prove(self._agreed, message, now)
        if before is None:
            logins.admit(proof.identity)
        elif (proof.identity.username, proof.identity.virtual_cluster) != (
            before.username,
            before.virtual_cluster,
        ):
            raise AuthenticationFailed("another principal or virtual cluster than before")
        return proof

    def _challenge(self, failure: AuthenticationFailed, say: _Say) -> list[Action]:
        """Say that a bearer token is none; the client says one byte more, and is refused."""
        self._refusal = AuthenticationFailed(str(failure))
        return [*say(challenge=sasl.INVALID_TOKEN), _failed(failure)]

    def _succeed(self, logins: sasl.Logins, proof: Proof, now: float, say: _Say) -> list[Action]:
        seconds = logins.seconds(self._agreed, proof)
        self._mechanism, self._agreed = self._agreed, ""
        self.bare_token = False
        report = authenticated(proof.identity, again=self._peer.identity is not None)
        if self._peer.identity is None:
            self._opened(proof.identity)
        actions = [*say(seconds=seconds), report]
        if seconds is None:
            return actions
        self.expires = now + seconds
        return [*actions, Until(self.expires)]


def _say_bare(
    failure: AuthenticationFailed | None = None,
    challenge: bytes = b"",
    seconds: float | None = None,
) -> list[Action]:
    """The same without a header, where failing has no answer."""
    return [] if failure is not None else [ToClient(frame(challenge))]


def _failed(failure: AuthenticationFailed) -> Report:
    return Report("authentication_failed", {"cause": str(failure)}, warning=True)


def authenticated(identity: Identity, *, again: bool = False) -> Report:
    """The event of somebody who is known now, or has shown again that it is them."""
    fields = {"principal": identity.username, "virtual_cluster": identity.virtual_cluster}
    return Report("reauthenticated" if again else "authenticated", fields)


def decoded(header: RequestHeader, data: Any) -> Any:
    """The message of a request; raises codec.CodecError."""
    body = data[header.body_start :]
    return codec.decode_request(header.api_key, header.api_version, body)


def name_of(header: RequestHeader) -> str:
    """API and version of a request, as events name them."""
    try:
        name = ApiKey(header.api_key).name
    except ValueError:
        name = f"api key {header.api_key}"
    return f"{name} v{header.api_version}"
