"""What the sidecar answers itself: which versions there are, and who the client is.

ApiVersions, SaslHandshake, SaslAuthenticate, and a token without any header after handshake v0.
"""

from collections.abc import Callable
from typing import Any

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.frames import frame
from codec.headers import RequestHeader
from sidecar.dataplane import sasl
from sidecar.dataplane.actions import Action, Close, Report, ToClient
from sidecar.dataplane.injecting import Peer
from sidecar.dataplane.versions import SOFTWARE_TEXT, Versions, invalid_client_software
from sidecar.model.identity import AuthenticationFailed, Identity

AnswerWith = Callable[[RequestHeader, bytes], list[Action]]
"""Gives a request this response body, in its turn."""


class Greeting:
    """The part of a session that is served before anything else.

    Args:
        peer: the client; what it says of itself is noted here.
        versions: what ApiVersions answers now.
        identify: token and now to identity; None on listeners without authentication.
        answer: see `AnswerWith`.
        opened: told once who the client is.
    """

    def __init__(
        self,
        peer: Peer,
        versions: Callable[[], Versions],
        identify: sasl.Authenticate | None,
        answer: AnswerWith,
        opened: Callable[[Identity], None],
    ) -> None:
        self._peer = peer
        self._versions = versions
        self._identify = identify
        self._answer = answer
        self._opened = opened
        self._mechanism_agreed = False
        self.bare_token = False
        """Whether what comes next is a token without a Kafka header."""

    def on_request(self, header: RequestHeader, data: Any, now: float) -> list[Action]:
        """A request of one of the APIs in `versions.LOCAL`; raises codec.CodecError."""
        return _HANDLERS[header.api_key](self, header, data, now)

    def _on_api_versions(self, header: RequestHeader, data: Any, now: float) -> list[Action]:
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
        if not self._versions().accepts(ApiKey.SASL_HANDSHAKE, version):
            return [Close("unsupported_version", f"{name_of(header)} is not offered here")]
        if self._peer.identity is not None:
            body = sasl.handshake_response(ErrorCode.ILLEGAL_SASL_STATE, version)
            return self._answer(header, body)
        mechanism = decoded(header, data).mechanism
        if mechanism != sasl.MECHANISM:
            body = sasl.handshake_response(ErrorCode.UNSUPPORTED_SASL_MECHANISM, version)
            detail = f"mechanism {mechanism[:64]!r}, offered is {sasl.MECHANISM}"
            return [*self._answer(header, body), Close("unsupported_sasl_mechanism", detail)]
        self._mechanism_agreed = True
        self.bare_token = version == 0
        return self._answer(header, sasl.handshake_response(ErrorCode.NONE, version))

    def _on_authenticate(self, header: RequestHeader, data: Any, now: float) -> list[Action]:
        version = header.api_version
        if not self._versions().accepts(ApiKey.SASL_AUTHENTICATE, version):
            return [Close("unsupported_version", f"{name_of(header)} is not offered here")]
        if self._peer.identity is not None or not self._mechanism_agreed:
            return self._answer(header, sasl.illegal_state_response(version))
        failure, report = self._authenticate(decoded(header, data).auth_bytes, now)
        answer = self._answer(header, sasl.authenticate_response(version, failure))
        if failure is None:
            return [*answer, report]
        return [*answer, report, Close("authentication_failed")]

    def on_bare_token(self, data: Any, now: float) -> list[Action]:
        """A token after handshake v0: no Kafka header in either direction."""
        self.bare_token = False
        failure, report = self._authenticate(data, now)
        if failure is None:
            return [ToClient(frame()), report]
        return [report, Close("authentication_failed")]

    def _authenticate(self, token: Any, now: float) -> tuple[AuthenticationFailed | None, Report]:
        authenticate = self._identify
        if authenticate is None:
            raise AssertionError("SASL is served on listeners with authentication only")
        try:
            identity = authenticate(sasl.plain_password(token), now)
        except AuthenticationFailed as failure:
            self._mechanism_agreed = False
            return failure, Report("authentication_failed", {"cause": str(failure)}, warning=True)
        self._opened(identity)
        return None, authenticated(identity)


_HANDLERS: dict[int, Callable[[Greeting, RequestHeader, Any, float], list[Action]]] = {
    ApiKey.API_VERSIONS: Greeting._on_api_versions,
    ApiKey.SASL_HANDSHAKE: Greeting._on_handshake,
    ApiKey.SASL_AUTHENTICATE: Greeting._on_authenticate,
}


def authenticated(identity: Identity) -> Report:
    """The event of somebody who is known now."""
    fields = {"principal": identity.username, "virtual_cluster": identity.virtual_cluster}
    return Report("authenticated", fields)


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
