"""A relay between stand-ins for sockets, without a loop: what a read brings is up to the test."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from codec.frames import FrameDecoder
from codec.messages.produce import ProduceResponse
from sidecar.dataplane.actions import Close, Report
from sidecar.net.relay import Relay
from sidecar.net.requests import request_reader
from sidecar.net.responses import response_reader
from tests.support.messages import read_request, response, sized
from tests.support.sessions import NOW, Client


class Socket:
    """Takes all it is sent; gives what it was told to, once."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.given = b""
        # A number no watcher will report: the loop does not run while these tests do.
        self.fileno = lambda: 0

    def recv_into(self, room: memoryview, size: int = 0, flags: int = 0) -> int:
        count = min(len(self.given), size or len(room))
        if not count:
            raise BlockingIOError
        room[:count] = self.given[:count]
        self.given = self.given[count:]
        return count

    def send(self, data: Any) -> int:
        self.sent += data
        return len(data)

    def sendmsg(self, chunks: list[Any]) -> int:
        return sum(self.send(chunk) for chunk in chunks)


class FastLane:
    """A relay with a client session between two stand-ins."""

    def __init__(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sidecar.clock.now", lambda: NOW)
        monkeypatch.setattr("sidecar.net.held.gevent", SimpleNamespace(spawn=self._spawn))
        # What is read is up to the test; a watcher would outlive it, on the hub of others.
        monkeypatch.setattr("sidecar.net.side.Side.watch", lambda side, reading: None)
        self._spawned: list[Callable[[], None]] = []
        self.closes: list[Close] = []
        self.reports: list[Report] = []
        self.client = client
        self.near, self.far = Socket(), Socket()
        self.topics: dict[bytes, bytes] = {}
        """What a broker says about topic ids."""
        self.asked: list[frozenset[bytes]] = []
        self.relay = Relay(
            self.near,
            self.far,
            client.session,
            1 << 20,
            self._look_up,
            self.reports.append,
            self.closes.append,
        )
        self.forwarded: list[bytes] = []
        self._broker = FrameDecoder(1 << 30)
        self._from_client = request_reader(self.relay)
        self._from_broker = response_reader(self.relay)
        self.relay.client.on_readable = self._from_client

    def _spawn(self, function: Callable[..., None], *args: Any) -> None:
        self._spawned.append(partial(function, *args))

    def _look_up(self, topic_ids: frozenset[bytes]) -> None:
        self.asked.append(topic_ids)
        for topic_id in topic_ids & self.topics.keys():
            self.client.shared.directory.learn(topic_id, self.topics[topic_id])

    def receive(self, data: bytes) -> None:
        """What one read of the client brings; large data takes several."""
        self.near.given = data
        while self.near.given:
            self._from_client()
            while self._spawned:
                self._spawned.pop()()

    def answer(self) -> None:
        """The broker answers every request it has been sent whole, in one piece."""
        asked = list(self._broker.feed(bytes(self.far.sent)))
        self.far.sent.clear()
        self.forwarded += asked
        self.far.given = b"".join(sized(appended(each)) for each in asked)
        self.read_broker()

    def read_broker(self) -> None:
        """Read what the broker has sent."""
        while self.far.given:
            self._from_broker()


def appended(asked: bytes) -> bytes:
    """A broker's answer to a Produce."""
    correlation_id, message = read_request(asked)
    topic = ProduceResponse.TopicProduceResponse
    answer = ProduceResponse(
        responses=[
            topic(
                name=each.name,
                topic_id=each.topic_id,
                partition_responses=[
                    topic.PartitionProduceResponse(
                        index=p.index, error_code=0, base_offset=correlation_id
                    )
                    for p in each.partition_data
                ],
            )
            for each in message.topic_data
        ]
    )
    version = int.from_bytes(asked[2:4], "big")
    return response(answer, version, correlation_id)
