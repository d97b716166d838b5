"""One client connection: its sockets, and a session that decides.

Two greenlets: this one reads the client, another the broker. What they have to send goes through
an outbox each way, in the order the session said it.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent import socket
from gevent.event import Event

from codec.errors import DecodeError
from sidecar.dataplane.actions import Action, Close, Report, ToBroker, ToClient
from sidecar.dataplane.session import Session
from sidecar.metrics import Metrics
from sidecar.net.upstream import connect
from sidecar.net.wire import FrameReader, Outbox

UNAUTHENTICATED_FRAME_LIMIT: Final = 64 * 1024
"""Bytes of a frame before authentication: a token and its envelope need less."""
AUTHENTICATION_TIMEOUT: Final = 30.0
"""Seconds a client has to authenticate."""
MAX_IN_FLIGHT: Final = 1000
"""Requests a connection may have unanswered before the sidecar stops reading it."""
_FLUSH_TIMEOUT: Final = 5.0
"""Seconds a closing connection waits for the peer to take what was said before."""


class ClientConnection:
    """Relays between one client and its broker until either side is done.

    Args:
        sock: the accepted client socket; closed at the end of `run`.
        session: what decides.
        broker_address: called when there is something to forward; host and port.
        frame_limit: largest frame of an authenticated client, and of a broker; bytes.
        metrics, log: where it shows what it does; the logger is bound to this connection.
    """

    def __init__(
        self,
        sock: socket.socket,
        session: Session,
        broker_address: Callable[[], tuple[str, int]],
        frame_limit: int,
        metrics: Metrics,
        log: Any,
    ) -> None:
        self._sock = sock
        self._session = session
        self._broker_address = broker_address
        self._frame_limit = frame_limit
        self._metrics = metrics
        self._log = log
        self._to_client = Outbox(sock)
        self._upstream: socket.socket | None = None
        self._to_broker: Outbox | None = None
        self._broker_reader: gevent.Greenlet[[Any], None] | None = None
        self._room = Event()
        self._shut_down = False
        self._shutting = False
        self.close_reason: str | None = None
        """Why the sidecar ended the connection; None if a peer did."""

    def run(self) -> None:
        """Serve the connection; returns when it is closed. Never raises for what a peer did."""
        deadline = None
        if not self._session.authenticated:
            deadline = gevent.spawn_later(AUTHENTICATION_TIMEOUT, self._check_authenticated)
        try:
            self._read_client()
        except DecodeError as error:
            self._close(Close("malformed_request", str(error)))
        except OSError as error:
            if not self._shutting:
                self._log.debug("connection_broken", cause=str(error))
        finally:
            if deadline is not None:
                deadline.kill(block=False)
            self._shut()

    def _read_client(self) -> None:
        reader = FrameReader(self._sock, UNAUTHENTICATED_FRAME_LIMIT)
        if self._session.authenticated:
            reader.limit = self._frame_limit
        for data in reader:
            self._perform(self._session.on_request(data, time.time()))
            if self.close_reason is not None:
                return
            if self._session.authenticated:
                reader.limit = self._frame_limit
            while len(self._session.order) >= MAX_IN_FLIGHT and not self._shut_down:
                self._room.clear()
                self._room.wait()

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case ToBroker(chunks):
                    self._outbox_to_broker().send(chunks)
                case ToClient(chunks):
                    self._to_client.send(chunks)
                case Report(event, fields, warning):
                    (self._log.warning if warning else self._log.info)(event, **fields)
                    self._metrics.reports.labels(event).inc()
                case Close():
                    self._close(action)

    def _outbox_to_broker(self) -> Outbox:
        if self._to_broker is None:
            host, port = self._broker_address()
            try:
                self._upstream = connect(host, port)
            except OSError as error:
                self._log.warning(
                    "upstream_connect_failed", broker=f"{host}:{port}", cause=str(error)
                )
                self._metrics.upstream_failures.inc()
                raise
            self._to_broker = Outbox(self._upstream)
            self._broker_reader = gevent.spawn(self._read_broker, self._upstream)
        return self._to_broker

    def _read_broker(self, upstream: socket.socket) -> None:
        try:
            for data in FrameReader(upstream, self._frame_limit):
                self._perform(self._session.on_response(data))
                self._room.set()
                if self.close_reason is not None:
                    break
            self._to_client.drain(_FLUSH_TIMEOUT)  # the broker is done; the client may be slow
        except DecodeError as error:
            self._close(Close("malformed_response", str(error)))
        except OSError as error:
            if not self._shutting:
                self._log.debug("upstream_broken", cause=str(error))
        self._shut()

    def _close(self, close: Close) -> None:
        """End the connection in an orderly way: what was said before still arrives."""
        if self.close_reason is not None:
            return
        self.close_reason = close.reason
        log = self._log.info if close.reason in _EXPECTED else self._log.warning
        log("connection_closed", reason=close.reason, detail=close.detail)
        try:
            self._to_client.drain(_FLUSH_TIMEOUT)
        except OSError:
            return

    def _check_authenticated(self) -> None:
        if not self._session.authenticated:
            self._close(Close("authentication_timeout", f"{AUTHENTICATION_TIMEOUT:g} s are over"))
            self._shut()

    def _shut(self) -> None:
        """Close both sockets; whoever waits on one is woken. Safe to call twice."""
        self._shut_down = True
        self._shutting = True
        _close_socket(self._sock)
        if self._upstream is not None:
            _close_socket(self._upstream)
        self._room.set()


_EXPECTED: Final = frozenset({"fault_injected", "authentication_failed"})
"""Reasons that have an event of their own; the closing is no news."""


def _close_socket(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the peer was faster
    finally:
        sock.close()
