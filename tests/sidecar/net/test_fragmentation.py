"""Byte for byte through the fast lane, however the bytes arrive.

Frames of every form the lanes know and of forms they do not, in mixed versions, cut at random
places in both directions; some refused, some without an answer. The broker must get exactly what
was sent (but for the names), the client exactly what was answered, in the order of its requests.
"""

import random
import socket
from contextlib import ExitStack
from typing import Any

import gevent
import pytest
from gevent.lock import Semaphore

from codec.error_codes import ErrorCode
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.heartbeat import HeartbeatRequest
from codec.messages.metadata import MetadataRequest
from codec.messages.produce import ProduceRequest, ProduceResponse
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from sidecar.model.identity import Identity
from sidecar.net.transport import PLAIN
from tests.support import certificates
from tests.support.fake_broker import FakeBroker, Hang
from tests.support.gateways import Running, Wire
from tests.support.messages import batch
from tests.support.sessions import interceptor

FRAMES = 1500
SMALL_PIECES = (1, 3, 17, 40)
LARGE_PIECES = (100, 9_000, 65_536, 300_000)
TOPICS = ("cars", "a" * 126, "b" * 200)


class Pieces:
    """A socket that sends in random pieces and lets others run between them."""

    def __init__(self, sock: Any, choice: random.Random) -> None:
        self._sock = sock
        self._choice = choice
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or the pieces join again

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        sent = 0
        while sent < len(view):
            # Small pieces at the beginning, where the decisions are made; large ones for the rest.
            head = sent < 80 and self._choice.random() < 0.9
            size = self._choice.choice(SMALL_PIECES if head else LARGE_PIECES)
            self._sock.sendall(view[sent : sent + size])
            sent += size
            gevent.idle()  # sleep(0) would not let the loop look at sockets


class Broker(FakeBroker):
    """Answers in pieces; keeps what it was sent by correlation id."""

    def __init__(self, choice: random.Random, tls: Any = None) -> None:
        super().__init__(tls=tls, produce=self._stored, fetch=self._fetched)
        self._choice = choice
        self.produced: list[ProduceRequest] = []
        self.fetched: list[FetchRequest] = []

    def _serve(self, sock: Any, address: Any) -> None:
        super()._serve(Pieces(sock, self._choice), address)

    def _stored(self, wanted: ProduceRequest) -> Any:
        self.produced.append(wanted)
        if not wanted.acks:
            return Hang()
        answer = self._produced(wanted)
        if wanted.timeout_ms % 5 == 0:
            endpoint = ProduceResponse.NodeEndpoint(node_id=1, host="hidden-broker", port=9092)
            answer.node_endpoints = [endpoint]
        return answer

    def _fetched(self, wanted: FetchRequest) -> FetchResponse:
        self.fetched.append(wanted)
        topic = FetchResponse.FetchableTopicResponse
        return FetchResponse(
            session_id=wanted.session_id,
            responses=[
                topic(
                    topic=each.topic,
                    partitions=[
                        topic.PartitionData(
                            partition_index=p.partition, records=content(p.fetch_offset)
                        )
                        for p in each.partitions
                    ],
                )
                for each in wanted.topics
            ],
        )


def content(seed: int) -> bytes:
    """Bytes that tell which request they belong to, of any size up to 400 KB."""
    return random.Random(seed).randbytes((7, 60, 900, 20_000, 400_000)[seed % 5])


class Story:
    """The requests of one run, and what has to come of them."""

    def __init__(self, choice: random.Random, *, acks: tuple[int, ...]) -> None:
        self._choice = choice
        self._acks = acks
        self._usual = 9
        self.requests = [self._request(number) for number in range(1, FRAMES + 1)]

    def _request(self, number: int) -> tuple[Any, int]:
        makers = [self._produce, self._fetch, self._small]
        return self._choice.choices(makers, weights=[6, 3, 1])[0](number)

    def _produce(self, number: int) -> tuple[ProduceRequest, int]:
        # Most look like the one before: what is remembered of that must not be taken for this one.
        topics = ["cars"]
        if self._choice.random() < 0.3:
            topics = self._choice.sample(TOPICS, self._choice.choice((1, 2)))
            self._usual = self._choice.randint(3, 12)
        topic_data = ProduceRequest.TopicProduceData
        return ProduceRequest(
            acks=self._choice.choice(self._acks),
            timeout_ms=number,
            topic_data=[
                topic_data(
                    name=name,
                    partition_data=[
                        topic_data.PartitionProduceData(
                            index=index, records=batch(payload=content(number + index))
                        )
                        for index in range(self._choice.choice((1, 1, 1, 2)))
                    ],
                )
                for name in topics
            ],
        ), self._usual

    def _fetch(self, number: int) -> tuple[FetchRequest, int]:
        topics = self._choice.sample(TOPICS, self._choice.choice((0, 1, 1, 1, 2)))
        version = self._choice.randint(4, 12)  # sessions and what they forget exist from 7 on
        fetched = FetchRequest.FetchTopic
        message = FetchRequest(
            max_wait_ms=0,
            max_bytes=number,
            session_epoch=self._choice.choice((-1, -1, 0)) if version >= 7 else -1,
            topics=[
                fetched(
                    topic=name,
                    partitions=[
                        fetched.FetchPartition(partition=index, fetch_offset=number + index)
                        for index in range(self._choice.choice((1, 3)))
                    ],
                )
                for name in topics
            ],
        )
        if version >= 7 and self._choice.random() < 0.2:
            message.forgotten_topics_data = [
                FetchRequest.ForgottenTopic(topic="forgotten", partitions=[1])
            ]
        return message, version

    def _small(self, number: int) -> tuple[Any, int]:
        return self._choice.choice(
            [
                (HeartbeatRequest(group_id="g", generation_id=number), 4),
                (MetadataRequest(topics=None), 9),
                (ApiVersionsRequest(client_software_name="x", client_software_version="1"), 3),
            ]
        )


def check(asked: Any, answered: Any) -> bool:
    """Whether the answer is the one to this request; returns whether it is a refusal."""
    if isinstance(asked, ProduceRequest):
        codes = {p.error_code for t in answered.responses for p in t.partition_responses}
        assert [t.name for t in answered.responses] == [t.name for t in asked.topic_data]
        assert "hidden-broker" not in [endpoint.host for endpoint in answered.node_endpoints or ()]
        assert codes in ({ErrorCode.NONE}, {ErrorCode.NOT_LEADER_OR_FOLLOWER})
        return codes == {ErrorCode.NOT_LEADER_OR_FOLLOWER}
    if isinstance(asked, FetchRequest):
        assert [t.topic for t in answered.responses] == [t.topic for t in asked.topics]
        for want, got in zip(asked.topics, answered.responses, strict=True):
            assert [bytes(p.records) for p in got.partitions] == [
                content(p.fetch_offset) for p in want.partitions
            ]
    return False


def send(client: Wire, story: Story, room: Semaphore) -> None:
    """Send everything, few at a time: pieces that pile up arrive as one."""
    for message, version in story.requests:
        if not isinstance(message, ProduceRequest) or message.acks:
            room.acquire()
        client.send(message, version)


def receive(client: Wire, story: Story, first: int, room: Semaphore) -> set[int]:
    """Read every answer there must be; the positions of the requests that were refused."""
    refused = set()
    for position, (asked, _) in enumerate(story.requests):
        if isinstance(asked, ProduceRequest) and asked.acks == 0:
            continue
        answer = client.receive()
        assert answer is not None, f"closed before the answer to request {position}"
        room.release()
        correlation_id, answered = answer
        assert correlation_id == first + position
        if check(asked, answered):
            refused.add(position)
    return refused


def check_broker(broker: Broker, story: Story, refused: set[int], prefix: str) -> None:
    """Every Produce that was not refused is there, once, in order, to the last byte."""
    sent = [
        message
        for position, (message, _) in enumerate(story.requests)
        if isinstance(message, ProduceRequest) and position not in refused
    ]
    assert [seen(message, "") for message in broker.produced] == [
        seen(message, prefix) for message in sent
    ]
    fetches = [message for message, _ in story.requests if isinstance(message, FetchRequest)]
    assert [names(message, "") for message in broker.fetched] == [
        names(message, prefix) for message in fetches
    ]


def names(message: FetchRequest, prefix: str) -> Any:
    """Which Fetch request it is, its session, and the topics it asks for and forgets."""
    return (
        message.max_bytes,
        message.session_epoch,
        [prefix + topic.topic for topic in message.topics],
        [prefix + topic.topic for topic in message.forgotten_topics_data],
    )


def seen(message: ProduceRequest, prefix: str) -> Any:
    """All that a Produce request says."""
    return (
        message.acks,
        message.timeout_ms,
        [
            (prefix + topic.name, [(p.index, bytes(p.records)) for p in topic.partition_data])
            for topic in message.topic_data
        ],
    )


def authenticate(token: str, now: float) -> Identity:
    return Identity("sa", "teamA")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("rate", [0, 40])
@pytest.mark.parametrize("tenant", [False, True], ids=["passthrough", "tenant"])
def test_every_frame_arrives_whole_once_and_in_order(tenant: bool, rate: int, seed: int) -> None:
    through(tenant=tenant, rate=rate, seed=seed)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [3, 4])
def test_the_same_over_tls_on_both_sides(seed: int) -> None:
    through(tenant=seed == 3, rate=40, seed=seed, tls=True)


def through(*, tenant: bool, rate: int, seed: int, tls: bool = False) -> None:
    choice = random.Random(seed)
    # With acks=0 a refusal closes the connection: that has tests of its own.
    story = Story(choice, acks=(-1, 1) if rate else (-1, 1, 0))
    faults = (interceptor(rate),) if rate else ()
    with Broker(choice, certificates.server() if tls else None) as broker, ExitStack() as stack:
        running = Running(
            broker,
            interceptors=faults,
            authenticate=authenticate if tenant else None,
            transport=certificates.transport() if tls else PLAIN,
        )
        running.gateway.start()
        stack.callback(running.stop)
        client = running.client()
        if tls:
            secured = certificates.client()
            client.sock = secured.wrap_socket(client.sock, server_hostname="127.0.0.1")
        first = 1
        if tenant:
            client.ask(SaslHandshakeRequest(mechanism="PLAIN"), 1)
            client.ask(SaslAuthenticateRequest(auth_bytes=b"\0sa\0token"), 1)
            first = 3
        client.sock.settimeout(30)
        client.sock = Pieces(client.sock, choice)
        room = Semaphore(choice.choice((1, 5)))
        sender = gevent.spawn(send, client, story, room)
        refused = receive(client, story, first, room)
        sender.get(timeout=10)
        # The answer to a request behind it shows that the last Produce with acks=0 was read.
        client.sock.settimeout(30)
        client.ask(HeartbeatRequest(group_id="g"), 4)
        check_broker(broker, story, refused, "teamA" if tenant else "")
        assert bool(refused) is bool(rate)
        assert running.log.of("connection_closed") == []
