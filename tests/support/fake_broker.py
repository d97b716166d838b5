"""A broker that does as it is told, on the codec and gevent sockets of the test's own hub."""

from collections.abc import Callable
from typing import Any, Self

import gevent
from gevent import socket
from gevent.pool import Pool
from gevent.server import StreamServer

import codec
from codec.api_keys import ApiKey
from codec.frames import FrameDecoder
from codec.headers import read_request_header
from codec.messages.api_versions import ApiVersionsResponse
from codec.messages.heartbeat import HeartbeatResponse
from codec.messages.metadata import MetadataResponse
from codec.messages.produce import ProduceResponse
from codec.registry import SUPPORTED
from tests.support.messages import response, sized

SECONDS = 5.0


class Hang:
    """Instead of an answer: none ever comes."""


class Cut:
    """Instead of an answer: `data` as it is, then the connection closes."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data


Script = Callable[[Any], Any]
"""Request to a response message, `Hang`, or `Cut`; may wait."""


class FakeBroker:
    """Listens on a free loopback port; use as a context manager.

    Args:
        node_id: of this broker; Metadata tells it and those in `others`.
        tls: a server's context of gevent's ssl; None: none.
        scripts: what to do by api key; the rest is answered as by an empty cluster.
    """

    def __init__(self, node_id: int = 1, *, tls: Any = None, **scripts: Script) -> None:
        self.node_id = node_id
        self._tls = tls
        self.others: list[FakeBroker] = []
        self.received: list[tuple[int, Any]] = []
        """Api key and message of every request, but for the questions of the sidecar itself."""
        self.visits = 0
        """Connections so far, of whomever."""
        self.connections = Pool()
        self.scripts = {
            ApiKey.API_VERSIONS: self._versions,
            ApiKey.METADATA: self._metadata,
            ApiKey.PRODUCE: self._produced,
            ApiKey.HEARTBEAT: lambda request: HeartbeatResponse(),
        } | {ApiKey[name.upper()]: script for name, script in scripts.items()}
        self._server = StreamServer(("127.0.0.1", 0), self._serve, spawn=self.connections)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening and close every connection."""
        self._server.stop(timeout=0)
        self.connections.kill(timeout=SECONDS)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self._server.server_port

    def keys(self) -> list[int]:
        """The api keys of what it received."""
        return [key for key, _ in self.received]

    def _serve(self, sock: socket.socket, _: Any) -> None:
        decoder = FrameDecoder(1 << 30)
        self.visits += 1
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            while data := sock.recv(65536):
                for frame in decoder.feed(data):
                    self._answer(sock, frame)
        except OSError:
            pass  # the peer is gone, or a script cut it off
        finally:
            sock.close()

    def _answer(self, sock: socket.socket, data: bytes) -> None:
        header = read_request_header(data)
        key, version = header.api_key, header.api_version
        request: Any = codec.decode_request(key, version, data[header.body_start :])
        if header.client_id != "kafka-chaos-sidecar":
            self.received.append((key, request))
        answer = self.scripts[ApiKey(key)](request)
        if isinstance(answer, Cut):
            sock.sendall(answer.data)
            raise OSError("cut")
        if not isinstance(answer, Hang):
            sock.sendall(sized(response(answer, version, header.correlation_id)))

    def _versions(self, request: Any) -> Any:
        entry = ApiVersionsResponse.ApiVersion
        return ApiVersionsResponse(
            api_keys=[
                entry(api_key=key, min_version=api.min_version, max_version=api.max_version)
                for key, api in SUPPORTED.items()
            ]
        )

    def _metadata(self, request: Any) -> Any:
        brokers = [
            MetadataResponse.MetadataResponseBroker(
                node_id=broker.node_id, host=broker.address[0], port=broker.address[1]
            )
            for broker in (self, *self.others)
        ]
        return MetadataResponse(brokers=brokers, controller_id=self.node_id)

    def _produced(self, request: Any) -> Any:
        if request.acks == 0:
            return Hang()
        topic = ProduceResponse.TopicProduceResponse
        return ProduceResponse(
            responses=[
                topic(
                    name=each.name,
                    partition_responses=[
                        topic.PartitionProduceResponse(index=p.index, base_offset=100)
                        for p in each.partition_data
                    ],
                )
                for each in request.topic_data
            ]
        )


def until(condition: Callable[[], Any], what: str) -> None:
    """Let the hub run until `condition` holds; TimeoutError naming `what` after `SECONDS`."""
    with gevent.Timeout(SECONDS, TimeoutError(what)):
        while not condition():
            gevent.sleep(0.005)
