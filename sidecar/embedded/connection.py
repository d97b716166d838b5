"""One client connection: frames in, one request at a time, responses out in the same order.

As in Kafka a request that waits (a Fetch, a JoinGroup) holds up the later ones of its own
connection, and nobody else's.
"""

from collections.abc import Callable
from socket import IPPROTO_TCP, TCP_NODELAY

from gevent import socket

import codec
from codec.api_keys import ApiKey
from codec.errors import CodecError, UnsupportedVersion
from codec.frames import FrameDecoder, frame
from codec.headers import RequestHeader, read_request_header, response_header
from codec.primitives import Buffer
from sidecar.embedded.cluster import Cluster
from sidecar.embedded.errors import CloseConnection
from sidecar.embedded.handlers.api_versions import unsupported_api_versions
from sidecar.embedded.handlers.context import Context
from sidecar.embedded.handlers.table import HANDLERS, OFFERED

_READ_BYTES = 65536

Log = Callable[..., object]
"""Called as `log("event_name", key=value, ...)`; a bound method of a structlog logger fits."""


class Connection:
    """Serves one socket until either side has enough of it.

    Args:
        sock: a connected gevent socket; closed at the end of `run`.
        client_host: the client's address.
        cluster: what is asked.
        node_id: the broker that was connected to.
        log: told of every connection that is closed for what it sent.
    """

    def __init__(
        self, sock: socket.socket, client_host: str, cluster: Cluster, node_id: int, log: Log
    ) -> None:
        self._sock = sock
        self._client_host = client_host
        self._cluster = cluster
        self._node_id = node_id
        self._log = log

    def run(self) -> None:
        """Serve until the client is gone, silent for too long, or sends what cannot be served."""
        header: RequestHeader | None = None
        frames = FrameDecoder(self._cluster.settings.max_request_bytes)
        try:
            self._sock.settimeout(self._cluster.settings.connection_idle_seconds)
            self._sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            while data := self._sock.recv(_READ_BYTES):
                for request in frames.feed(data):
                    header = None
                    header = read_request_header(request)
                    self._serve(request, header)
        except CodecError as error:
            self._closed("request_malformed", str(error), header)
        except CloseConnection as close:
            self._closed(close.reason, close.detail, header)
        except OSError:
            # The client has gone, or was idle for too long: its right, and not worth a line.
            pass
        finally:
            self._sock.close()

    def _serve(self, request: bytes, header: RequestHeader) -> None:
        reply = self._reply(request, header)
        if reply is not None:
            head = response_header(header.api_key, header.api_version, header.correlation_id)
            self._sock.sendall(b"".join(frame(head, *reply)))

    def _reply(self, request: bytes, header: RequestHeader) -> list[Buffer] | None:
        """The body of the response, in pieces; None if there is to be none."""
        handler = HANDLERS.get(ApiKey(header.api_key)) if header.body_start is not None else None
        if handler is None:
            raise UnsupportedVersion(f"API key {header.api_key} is not served")
        if not handler.min_version <= header.api_version <= handler.max_version:
            if header.api_key == ApiKey.API_VERSIONS:
                return [codec.encode(unsupported_api_versions(OFFERED), 0)]
            name = ApiKey(header.api_key).name
            raise UnsupportedVersion(f"{name} v{header.api_version} is not served")
        message = codec.decode_request(
            header.api_key, header.api_version, request, header.body_start or 0
        )
        context = Context(
            cluster=self._cluster,
            node_id=self._node_id,
            version=header.api_version,
            client_id=header.client_id or "",
            client_host=f"/{self._client_host}",
        )
        response = handler.handle(message, context)
        return None if response is None else codec.encode_chunks(response, header.api_version)

    def _closed(self, reason: str, detail: str, header: RequestHeader | None) -> None:
        self._log(
            "embedded_connection_closed",
            reason=reason,
            detail=detail[:200],
            broker=self._node_id,
            client=self._client_host,
            api_key=header.api_key if header else None,
            api_version=header.api_version if header else None,
        )
