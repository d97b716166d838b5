"""Connections to brokers: TCP, then TLS and SASL as the settings say."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import gevent
from gevent import socket

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.errors import DecodeError
from codec.frames import FrameDecoder, frame
from codec.headers import request_header, response_body_start
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from sidecar.dataplane.login import LoginFailed, login
from sidecar.model.credentials import Credentials
from sidecar.net.liveness import keep_alive

CONNECT_TIMEOUT: Final = 10.0
"""Seconds to wait for a broker to accept, and as many for TLS and for SASL."""
CLIENT_ID: Final = "kafka-chaos-sidecar"
_ANSWER_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of an answer to a question of our own."""
_RECEIVE: Final = 64 * 1024
_AUTHENTICATE_VERSION: Final = 1
"""Tells how long the session lasts (KIP-368); every broker from 2.2 on speaks it."""


Ask = Callable[[ApiKey, int, Any], Any]
"""API, version and request to the broker's response; may wait. Raises OSError, codec.CodecError."""
Proof = Callable[[Ask], float | None]
"""Shows credentials to whom it asks; see `Link.lifetime` for what it returns."""


class UpstreamRefused(OSError):
    """A broker does not take what the sidecar says of itself; ``str()`` tells no secret."""


@dataclass(frozen=True, slots=True)
class Link:
    """A connection to a broker.

    Args:
        sock: for a greenlet: gevent's socket, or a `secure.TlsStream`.
        lifetime: seconds after which the broker wants to be shown credentials again; None: never.
    """

    sock: Any
    lifetime: float | None = None

    def __enter__(self) -> Any:
        return self.sock

    def __exit__(self, *exception: object) -> None:
        self.sock.close()


class Dialer:
    """Connects to brokers.

    Args:
        context: TLS for a new connection; None: none.
        credentials: who the sidecar is; None: brokers do not ask.
        token: the token to show; may wait, and raise OSError. None: the credentials say all.
    """

    def __init__(
        self,
        context: Callable[[], Any] | None = None,
        credentials: Credentials | None = None,
        token: Callable[[], str] | None = None,
    ) -> None:
        self._context = context
        self._credentials = credentials
        self._token = token

    def __call__(self, host: str, port: int) -> Link:
        """Connect, and authenticate.

        Raises:
            OSError: not reachable, or not in time; `ssl.SSLError`: not who it should be;
                UpstreamRefused: it does not take the credentials.
        """
        if self._credentials is None:
            return Link(self.connect(host, port))
        proof = self.proof()
        sock = self.connect(host, port)
        try:
            with gevent.Timeout(CONNECT_TIMEOUT, TimeoutError("no answer to SASL in time")):
                return Link(sock, proof(partial(ask, sock)))
        except BaseException:
            sock.close()
            raise

    def proof(self) -> Proof:
        """What shows a broker who the sidecar is, once; may wait for it. Raises OSError."""
        if self._credentials is None:
            raise UpstreamRefused("there are no credentials to show")
        token = self._token() if self._token is not None else ""
        return partial(_authenticate, self._credentials, token)

    def connect(self, host: str, port: int) -> Any:
        """Connect, and leave authentication to whoever is in front; raises OSError as above."""
        sock = socket.create_connection((host, port), timeout=CONNECT_TIMEOUT)
        sock.settimeout(None)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive(sock)
        if self._context is None:
            return sock
        from sidecar.net.secure import TlsStream

        return TlsStream(raw(sock), self._context(), host, CONNECT_TIMEOUT)


def raw(sock: Any) -> Any:
    """The non-blocking socket of the standard library in place of gevent's, which would wait."""
    import socket as standard

    plain = standard.socket(fileno=sock.detach())
    plain.setblocking(False)
    return plain


def relayed(sock: Any) -> Any:
    """What the relay works with in place of a greenlet's socket."""
    return sock.relayed() if hasattr(sock, "relayed") else raw(sock)


def ask(sock: Any, api_key: ApiKey, version: int, request: Any) -> Any:
    """Ask one question and wait for the answer; raises OSError, codec.CodecError."""
    sock.sendall(b"".join(question(api_key, version, request)))
    decoder = FrameDecoder(_ANSWER_LIMIT)
    while received := sock.recv(_RECEIVE):
        for answer in decoder.feed(received):
            return answer_to(api_key, version, answer)
    raise DecodeError("connection closed without an answer")


def question(api_key: ApiKey, version: int, request: Any) -> list[Any]:
    """The frame of a question of our own; its correlation id is 0."""
    head = request_header(api_key, version, 0, CLIENT_ID)
    return frame(head, codec.encode(request, version))


def answer_to(api_key: ApiKey, version: int, answer: Any) -> Any:
    """The message in the frame of a response; raises codec.CodecError."""
    start = response_body_start(api_key, version, answer)
    return codec.decode_response(api_key, version, answer, start)


def _authenticate(credentials: Credentials, token: str, ask: Ask) -> float | None:
    """Show the credentials; the seconds until they are to be shown again."""
    mechanism = credentials.mechanism
    try:
        agreed = ask(ApiKey.SASL_HANDSHAKE, 1, SaslHandshakeRequest(mechanism=mechanism))
        if agreed.error_code != ErrorCode.NONE:
            offered = ", ".join(agreed.mechanisms[:10])
            raise UpstreamRefused(f"the broker offers {offered or 'nothing'}, not {mechanism}")
        saying = login(credentials, secrets.token_urlsafe(24), time.time(), token)
        said: bytes | None = saying.first
        while said is not None:
            message = SaslAuthenticateRequest(auth_bytes=said)
            answer = ask(ApiKey.SASL_AUTHENTICATE, _AUTHENTICATE_VERSION, message)
            if answer.error_code != ErrorCode.NONE:
                why = answer.error_message or "no reason given"
                raise UpstreamRefused(f"authentication failed: {why}")
            said = saying.answer(bytes(answer.auth_bytes))
    except LoginFailed as error:
        raise UpstreamRefused(f"authentication failed: {error}") from None
    except codec.CodecError as error:
        raise UpstreamRefused(f"no SASL is spoken there: {error}") from None
    return answer.session_lifetime_ms / 1000 or None
