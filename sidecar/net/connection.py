"""One client connection: who it is, its broker, and the relay between them.

A greenlet does what may wait (authentication, the connection to the broker); the traffic itself
runs on the relay's callbacks.
"""

import socket
from collections.abc import Callable
from typing import Any, Final

import gevent

from codec.errors import DecodeError
from codec.frames import FrameDecoder
from sidecar import clock
from sidecar.counts import Counts
from sidecar.dataplane.actions import Action, Close, RenewKeys, Report, ToBroker, ToClient
from sidecar.dataplane.session import Session
from sidecar.net.dialing import Link, relayed
from sidecar.net.relay import Relay
from sidecar.net.renewing import Renewal
from sidecar.net.requests import request_reader
from sidecar.net.responses import response_reader
from sidecar.net.transport import PLAIN, Transport
from sidecar.net.turns import MOST_DECIDED
from sidecar.net.upstream import ask_topics

UNAUTHENTICATED_FRAME_LIMIT: Final = 64 * 1024
"""Bytes of a frame before authentication: a token and its envelope need less."""
_RECEIVE: Final = 64 * 1024
_TURN: Final = 0.001
"""Seconds that others have after so many requests: reading what is there switches to nobody, and of
a sleep of 0 sockets are not looked at."""
_EXPECTED: Final = frozenset(
    {
        "fault_injected",
        "authentication_failed",
        "keys_unavailable",
        "session_expired",
        "upstream_session_ended",
        "draining",
    }
)
"""Reasons that have an event of their own, or are in the order of things."""


class ClientConnection:
    """Serves one client until it or its broker is done.

    Args:
        sock: the accepted client socket, gevent's; closed at the end of `run`.
        session: what decides.
        broker_address: called once the client may send requests; host and port.
        frame_limit: largest frame of an authenticated client, and of a broker; bytes.
        metrics, log: where it shows what it does; the logger is bound to this connection.
        transport: how the client and brokers are reached.
        on_unreachable: told that the broker cannot be connected to; must not wait.
    """

    def __init__(
        self,
        sock: Any,
        session: Session,
        broker_address: Callable[[], tuple[str, int]],
        frame_limit: int,
        metrics: Counts,
        log: Any,
        transport: Transport = PLAIN,
        on_unreachable: Callable[[], None] = lambda: None,
    ) -> None:
        self._transport = transport
        self._on_unreachable = on_unreachable
        self._sock = sock
        self._session = session
        self._broker_address = broker_address
        self._frame_limit = frame_limit
        self._metrics = metrics
        self._log = log
        self.close_reason: str | None = None
        """Why the sidecar ended the connection; None if a peer did."""
        self._carried: Relay | None = None

    def end(self, close: Close) -> bool:
        """End it as soon as it is between two requests, when what is in flight has been answered.

        Returns whether that has been begun; where not, ask again.
        """
        relay = self._carried
        if relay is None or self._session.halted:
            return relay is not None
        if not relay.between_requests:
            return False
        relay.finish(close)
        return True

    def run(self) -> None:
        """Serve the connection; returns when it is closed. Never raises for what a peer did."""
        try:
            if self._greeted():
                self._serve()
        except DecodeError as error:
            self._note(Close("malformed_request", str(error)))
        except OSError as error:
            self._log.debug("connection_broken", cause=str(error))
        finally:
            _close_socket(self._sock)

    def _greeted(self) -> bool:
        """Whether the client may speak: it has done its part of TLS, where that is asked for.

        Where clients log in, that says who they are, and not their certificates.
        """
        try:
            self._sock, principal = self._transport.greet(self._sock)
        except OSError as error:
            self._note(Close("tls_handshake_failed", _in_words(error)))
            return False
        shared = self._session.shared
        if principal and shared.logins is None and not shared.delegated:
            self._session.known_as(principal)
        return True

    def _serve(self) -> None:
        session = self._session
        if session.shared.delegated:
            link = self._connect()
            if link is not None:
                try:
                    received = self._authenticate(link.sock)
                    if received is not None:
                        self._relay(link, received)
                finally:
                    _close_socket(link.sock)
            return
        received = b"" if session.authenticated else self._authenticate()
        if received is not None:
            link = self._connect()
            if link is not None:
                self._relay(link, received)

    def _authenticate(self, broker: Any = None) -> bytes | None:
        """Answer until the client is known; what it sent beyond that, or None if it never was.

        Args:
            broker: whom clients authenticate to; None: the session knows.
        """
        session = self._session
        answers = FrameDecoder(self._frame_limit)
        decoder = FrameDecoder(UNAUTHENTICATED_FRAME_LIMIT)
        seconds = self._transport.login_seconds
        deadline = gevent.Timeout.start_new(seconds)
        try:
            while received := self._sock.recv(_RECEIVE):
                for number, data in enumerate(decoder.feed(received), 1):
                    if number % MOST_DECIDED == 0:
                        gevent.sleep(_TURN)
                    if self._perform(self._decide(data), broker):
                        answer = _next_frame(broker, answers)
                        self._perform(session.on_response(answer, clock.now()), broker)
                    if session.authenticated:
                        return decoder.rest()
                    if self.close_reason is not None:
                        return None
        except gevent.Timeout as timeout:
            if timeout is not deadline:
                raise
            self._note(Close("authentication_timeout", f"{seconds:g} s are over"))
        finally:
            deadline.close()
        return None

    def _decide(self, data: Any) -> list[Action]:
        """What is done about a request of a client that is not known yet; may wait."""
        session = self._session
        actions = session.on_request(data, clock.now())
        logins = session.shared.logins
        if logins is not None and any(isinstance(action, RenewKeys) for action in actions):
            logins.renew_keys()
            actions = session.on_request(data, clock.now(), looked_up=True)
        return actions

    def _perform(self, actions: list[Action], broker: Any) -> bool:
        """Carry out what a session asks before the relay does; whether the broker was asked."""
        asked = False
        for action in actions:
            match action:
                case ToBroker(chunks):
                    broker.sendall(b"".join(chunks))
                    asked = True
                case ToClient(chunks):
                    self._sock.sendall(b"".join(chunks))
                case Report():
                    self._report(action)
                case Close():
                    self._note(action)
        return asked

    def _relay(self, link: Link, received: bytes) -> None:
        client, upstream = relayed(self._sock), relayed(link.sock)
        renewal: gevent.Greenlet[..., None] | None = None
        try:
            relay = Relay(
                client,
                upstream,
                self._session,
                self._frame_limit,
                self._look_up,
                self._report,
                self._note,
            )
            self._carried = relay
            try:
                relay.start(request_reader(relay), response_reader(relay), received)
                if link.lifetime is not None:
                    dial = self._transport.dial
                    renewal = gevent.spawn(Renewal(relay, dial, self.end).run, link.lifetime)
                relay.done.wait()
            finally:
                relay.stop()
                if renewal is not None:
                    renewal.kill()
        finally:
            _close_socket(client)
            _close_socket(upstream)

    def _look_up(self, topic_ids: frozenset[bytes]) -> None:
        """Have the directory learn of these ids; raises as `ask_topics` does."""
        host, port = self._broker_address()
        for topic_id, name in ask_topics(self._transport.dial, host, port, topic_ids).items():
            self._session.shared.directory.learn(topic_id, name)

    def _connect(self) -> Link | None:
        host, port = self._broker_address()
        dial = self._transport.dial
        try:
            if self._session.shared.delegated:
                return Link(dial.connect(host, port))
            return dial(host, port)
        except OSError as error:
            broker = f"{host}:{port}"
            self._log.warning("upstream_connect_failed", broker=broker, cause=_in_words(error))
            self._metrics.upstream_failures.inc()
            self._on_unreachable()
            return None

    def _report(self, report: Report) -> None:
        log = self._log.warning if report.warning else self._log.info
        log(report.event, **report.fields)
        self._metrics.reports.labels(report.event).inc()

    def _note(self, close: Close) -> None:
        self.close_reason = close.reason
        log = self._log.info if close.reason in _EXPECTED else self._log.warning
        log("connection_closed", reason=close.reason, detail=close.detail)


def _next_frame(sock: Any, decoder: FrameDecoder) -> Any:
    """The next frame of a broker that has been asked one thing."""
    while received := sock.recv(_RECEIVE):
        for answer in decoder.feed(received):
            return answer
    raise DecodeError("the broker closed without an answer")


def _in_words(error: OSError) -> str:
    """What went wrong, of TLS without the place in OpenSSL's source."""
    reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or ""
    return str(reason).replace("_", " ").lower() if reason else str(error)


def _close_socket(sock: Any) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the peer was faster
    finally:
        sock.close()
