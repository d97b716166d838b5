"""The HTTP server: waitress on native threads, its limits, its start and stop."""

import contextlib
import logging
import socket
import threading
import time
from typing import Any

import grpc
from waitress import wasyncore
from waitress.server import create_server

from rest_bridge.channel import Channel
from rest_bridge.client import SidecarClient
from rest_bridge.tls import RECORD, Context, TlsChannel, TlsListener
from rest_bridge.wsgi import MAX_BODY_BYTES, Bridge, Refusing

MAX_HEADER_BYTES = 16 * 1024
REQUEST_SECONDS = 30.0
"""How long a request may take to arrive; slower clients are cut."""
IDLE_SECONDS = 60
MAX_CONNECTIONS = 100
_THREADS = 4
_TICK_SECONDS = 1.0

_CHANNEL_OPTIONS = (
    # The default grows to two minutes, in which a sidecar that is back would not be noticed.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # http_proxy in the environment is for the web; the sidecar is next door.
    ("grpc.enable_http_proxy", 0),
)


class BridgeServer:
    """Serves Conduktor's admin API on ``host:port`` in front of one sidecar.

    Args:
        target: the sidecar's control API, ``host:port``, or a channel to it (which stays open).
        port: 0 lets the system choose, see `port`.
        tls: gives the context for a new connection (HTTPS); None: HTTP.
        secured: TLS to `target`; None: plain text.
        refused: told of requests that the sidecar was not asked about: status, client's address.
    """

    def __init__(
        self,
        target: str | grpc.Channel,
        host: str,
        port: int,
        tls: Context | None = None,
        *,
        secured: grpc.ChannelCredentials | None = None,
        refused: Refusing | None = None,
    ) -> None:
        self._tls = tls
        self.host = host
        self.port = port
        self._own_channel: grpc.Channel | None = None
        if isinstance(target, str):
            target_name = target
            if secured is None:
                channel = grpc.insecure_channel(target, _CHANNEL_OPTIONS)
            else:
                channel = grpc.secure_channel(target, secured, _CHANNEL_OPTIONS)
            self._own_channel = channel
        else:
            target_name, channel = "its channel", target
        client = SidecarClient(channel, target_name)
        self._app = Bridge(client) if refused is None else Bridge(client, refused)
        self._sockets: dict[int, Any] = {}
        self._server: Any = None
        self._stopping = False
        self._thread = threading.Thread(target=self._loop, name="rest-bridge", daemon=True)
        self._arriving: dict[int, tuple[object, float]] = {}

    def start(self) -> None:
        """Listen, and serve on a thread of its own; `port` is the real one afterwards.

        Raises:
            OSError: the address cannot be listened on; the message names it.
        """
        self._listen()
        self._thread.start()

    def serve_forever(self) -> None:
        """Listen, and serve on this thread until `stop` is called from another.

        Raises:
            OSError: as for `start`.
        """
        self._listen()
        self._loop()

    def stop(self) -> None:
        """Stop serving and close what is open; requests in work get a few seconds.

        A second time, or before a start, it is harmless.
        """
        if self._stopping:
            return
        self._stopping = True
        if self._server is not None:
            # The loop may have noticed and closed everything by itself.
            with contextlib.suppress(OSError):
                self._server.pull_trigger()
        if self._thread.is_alive():
            self._thread.join()
        if self._own_channel is not None:
            self._own_channel.close()

    def _listen(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            listener = socket.create_server((self.host, self.port), family=family)
        except OSError as error:
            # The standard library adds the address, which is here already.
            cause = str(error.strerror).partition(" (while attempting")[0]
            raise OSError(
                error.errno, f"the REST bridge cannot listen on {self.host}:{self.port}: {cause}"
            ) from None
        self.port = listener.getsockname()[1]
        # Its warnings about a queue of one request say nothing about our load.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        secured = listener if self._tls is None else TlsListener(listener, self._tls)
        self._server = create_server(
            self._app,
            map=self._sockets,
            sockets=[secured],
            threads=_THREADS,
            connection_limit=MAX_CONNECTIONS,
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=10,
            max_request_header_size=MAX_HEADER_BYTES,
            # Above the application's own limit, whose answer is JSON; this one's is plain text.
            max_request_body_size=4 * MAX_BODY_BYTES,
            # select() fails on descriptors above 1023, which the data plane may have used up.
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=True,
            ident=None,
            # No less than a TLS record: what a read left of one would be nobody's to notice.
            recv_bytes=RECORD,
            url_scheme="http" if self._tls is None else "https",
        )
        self._server.channel_class = Channel if self._tls is None else TlsChannel
        self._server.refused = self._app.refused

    def _loop(self) -> None:
        # waitress has no way to stop from another thread, so its loop is driven from here.
        while not self._stopping:
            wasyncore.loop(_TICK_SECONDS, use_poll=True, map=self._sockets, count=1)
            self._cut_slow_clients(time.monotonic())
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)

    def _cut_slow_clients(self, now: float) -> None:
        """Close connections whose request has been arriving for too long.

        waitress counts silence only, so one byte every minute would hold a connection for ever.
        """
        arriving = {}
        for number, channel in list(self._server.active_channels.items()):
            request = channel.request
            if request is None:
                continue
            known, since = self._arriving.get(number, (request, now))
            since = since if known is request else now
            if now - since > REQUEST_SECONDS:
                channel.will_close = True
            arriving[number] = (request, since)
        self._arriving = arriving
