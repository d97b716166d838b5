"""One client connection: who it is, its broker, and the relay between them.

A greenlet does what may wait (authentication, the connection to the broker); the traffic itself
runs on the relay's callbacks.
"""

import socket
import time
from collections.abc import Callable
from typing import Any, Final

import gevent

from codec.errors import DecodeError
from codec.frames import FrameDecoder
from sidecar.counts import Counts
from sidecar.dataplane.actions import Action, Close, Report, ToClient
from sidecar.dataplane.session import Session
from sidecar.net.relay import Relay
from sidecar.net.requests import request_reader
from sidecar.net.responses import response_reader
from sidecar.net.upstream import ask_topics, connect

UNAUTHENTICATED_FRAME_LIMIT: Final = 64 * 1024
"""Bytes of a frame before authentication: a token and its envelope need less."""
AUTHENTICATION_TIMEOUT: Final = 30.0
"""Seconds a client has to authenticate."""
_RECEIVE: Final = 64 * 1024
_EXPECTED: Final = frozenset({"fault_injected", "authentication_failed"})
"""Reasons that have an event of their own; the closing is no news."""


class ClientConnection:
    """Serves one client until it or its broker is done.

    Args:
        sock: the accepted client socket, gevent's; closed at the end of `run`.
        session: what decides.
        broker_address: called once the client may send requests; host and port.
        frame_limit: largest frame of an authenticated client, and of a broker; bytes.
        metrics, log: where it shows what it does; the logger is bound to this connection.
    """

    def __init__(
        self,
        sock: Any,
        session: Session,
        broker_address: Callable[[], tuple[str, int]],
        frame_limit: int,
        metrics: Counts,
        log: Any,
    ) -> None:
        self._sock = sock
        self._session = session
        self._broker_address = broker_address
        self._frame_limit = frame_limit
        self._metrics = metrics
        self._log = log
        self.close_reason: str | None = None
        """Why the sidecar ended the connection; None if a peer did."""

    def run(self) -> None:
        """Serve the connection; returns when it is closed. Never raises for what a peer did."""
        try:
            received = b"" if self._session.authenticated else self._authenticate()
            if received is not None:
                self._relay(received)
        except DecodeError as error:
            self._note(Close("malformed_request", str(error)))
        except OSError as error:
            self._log.debug("connection_broken", cause=str(error))
        finally:
            _close_socket(self._sock)

    def _authenticate(self) -> bytes | None:
        """Answer until the client is known; what it sent beyond that, or None if it never was."""
        session = self._session
        decoder = FrameDecoder(UNAUTHENTICATED_FRAME_LIMIT)
        deadline = gevent.Timeout.start_new(AUTHENTICATION_TIMEOUT)
        try:
            while received := self._sock.recv(_RECEIVE):
                for data in decoder.feed(received):
                    self._perform(session.on_request(data, time.time()))
                    if session.authenticated:
                        return decoder.rest()
                    if self.close_reason is not None:
                        return None
        except gevent.Timeout as timeout:
            if timeout is not deadline:
                raise
            self._note(Close("authentication_timeout", f"{AUTHENTICATION_TIMEOUT:g} s are over"))
        finally:
            deadline.close()
        return None

    def _perform(self, actions: list[Action]) -> None:
        """Carry out what a session asks before there is a broker to send anything to."""
        for action in actions:
            match action:
                case ToClient(chunks):
                    self._sock.sendall(b"".join(chunks))
                case Report():
                    self._report(action)
                case Close():
                    self._note(action)

    def _relay(self, received: bytes) -> None:
        upstream = self._connect()
        if upstream is None:
            return
        client = _raw(self._sock)
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
            try:
                relay.start(request_reader(relay), response_reader(relay), received)
                relay.done.wait()
            finally:
                relay.stop()
        finally:
            _close_socket(client)
            _close_socket(upstream)

    def _look_up(self, topic_ids: frozenset[bytes]) -> None:
        """Have the directory learn of these ids; raises as `ask_topics` does."""
        host, port = self._broker_address()
        for topic_id, name in ask_topics(host, port, topic_ids).items():
            self._session.shared.directory.learn(topic_id, name)

    def _connect(self) -> socket.socket | None:
        host, port = self._broker_address()
        try:
            return _raw(connect(host, port))
        except OSError as error:
            broker = f"{host}:{port}"
            self._log.warning("upstream_connect_failed", broker=broker, cause=str(error))
            self._metrics.upstream_failures.inc()
            return None

    def _report(self, report: Report) -> None:
        log = self._log.warning if report.warning else self._log.info
        log(report.event, **report.fields)
        self._metrics.reports.labels(report.event).inc()

    def _note(self, close: Close) -> None:
        self.close_reason = close.reason
        log = self._log.info if close.reason in _EXPECTED else self._log.warning
        log("connection_closed", reason=close.reason, detail=close.detail)


def _raw(sock: Any) -> socket.socket:
    """The standard library's socket in place of gevent's, which would wait by itself."""
    raw = socket.socket(fileno=sock.detach())
    raw.setblocking(False)
    return raw


def _close_socket(sock: Any) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the peer was faster
    finally:
        sock.close()
