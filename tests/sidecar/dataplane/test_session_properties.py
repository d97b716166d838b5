"""What holds for any peer: a session never raises, and every answer leaves once, in order."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import codec
from codec.api_keys import ApiKey
from codec.headers import request_header, response_header
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.messages.produce import ProduceResponse
from codec.registry import SUPPORTED
from sidecar.dataplane.actions import Action, Close
from tests.support.messages import produce, read_request, request, response
from tests.support.sessions import Client, closes, interceptor, tenant, to_broker, to_client

KEYS = st.one_of(st.sampled_from(sorted(SUPPORTED)), st.integers(-2, 120))
HEADERS = st.builds(
    request_header,
    KEYS,
    st.integers(-1, 20),
    st.integers(-(2**31), 2**31 - 1),
    st.one_of(st.none(), st.text(max_size=8)),
)
BODIES = st.one_of(
    st.binary(max_size=60),
    st.just(codec.encode(produce(), 9)),
    st.just(codec.encode(MetadataRequest(topics=None), 9)),
)
REQUESTS = st.one_of(
    st.binary(max_size=60), st.builds(lambda head, body: head + body, HEADERS, BODIES)
)


@st.composite
def cut_or_changed(draw: st.DrawFn) -> bytes:
    """A good request with a byte changed, or its end missing."""
    version = draw(st.integers(3, 13))
    whole = bytearray(request(produce(acks=draw(st.sampled_from([0, 1, -1]))), version))
    whole[draw(st.integers(0, len(whole) - 1))] = draw(st.integers(0, 255))
    return bytes(whole[: draw(st.integers(0, len(whole)))])


def some_client(kind: str) -> Client:
    item = interceptor(50, seed=7)
    if kind == "tenant":
        return tenant(item)
    return Client(item, secured=kind == "unauthenticated")


@given(
    st.sampled_from(["passthrough", "tenant", "unauthenticated"]),
    st.lists(st.one_of(REQUESTS, cut_or_changed()), min_size=1, max_size=6),
    st.lists(st.binary(max_size=80), max_size=3),
)
@settings(max_examples=400, derandomize=True)
def test_nothing_a_peer_sends_raises(
    kind: str, requests: list[bytes], answers: list[bytes]
) -> None:
    client = some_client(kind)

    for data in requests:
        if closes(client.sends_frame(data)):
            return
    for answer in answers:
        expected = client.session.order.expected()
        if expected is not None:
            # Let it get past the check of the correlation id.
            key, version = expected.api_key, expected.api_version
            answer = response_header(key, version, expected.correlation_id) + answer
        if closes(client.broker_answers(answer)):
            return


@given(REQUESTS)
@settings(max_examples=200, derandomize=True)
def test_without_credentials_nothing_reaches_the_broker(data: bytes) -> None:
    client = some_client("unauthenticated")

    assert to_broker(client.sends_frame(data)) == []


@given(st.lists(st.integers(0, 2), max_size=40), st.data())
@settings(derandomize=True)
def test_a_tenants_forwarded_topics_always_carry_its_prefix(
    which: list[int], data: st.DataObject
) -> None:
    client = tenant()
    name = data.draw(st.text(min_size=1, max_size=10))
    messages: list[tuple[Any, int]] = [
        (produce({name: {0: None}}), 9),
        (MetadataRequest(topics=[MetadataRequest.MetadataRequestTopic(name=name)]), 12),
        (HeartbeatRequest(group_id=name, generation_id=1, member_id="m"), 4),
    ]
    for choice in which:
        message, version = messages[choice]
        for sent in to_broker(client.sends(message, version)):
            assert b"teamA" + name.encode() in sent


ANSWERS: dict[int, tuple[Any, int]] = {
    ApiKey.PRODUCE: (ProduceResponse(), 9),
    ApiKey.METADATA: (MetadataResponse(), 9),
    ApiKey.HEARTBEAT: (HeartbeatResponse(), 4),
}
STEPS = st.lists(
    st.sampled_from(["produce", "acks 0", "metadata", "heartbeat", "versions", "broker", "stuck"]),
    max_size=60,
)


class Exchange:
    """A client and a broker that answers in order, and what the client is owed."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.owed: list[int] = []
        self.received: list[int] = []
        self.closed = False
        self._at_broker: list[tuple[int, int]] = []
        self._next = 0

    def step(self, name: str) -> None:
        """Let the client send, or the broker answer."""
        if name == "stuck":
            self.client.recorded.accepts = not self.client.recorded.accepts
        elif name == "broker":
            self.broker()
        else:
            self._send(name)

    def broker(self) -> None:
        """Answer the oldest request at the broker, if there is one."""
        if self._at_broker:
            key, correlation_id = self._at_broker.pop(0)
            message, version = ANSWERS[key]
            answer = response(message, version, correlation_id)
            self._take(self.client.broker_answers(answer))

    def drain(self) -> None:
        """Answer everything."""
        while self._at_broker and not self.closed:
            self.broker()

    def _send(self, name: str) -> None:
        self._next += 1
        recorded = len(self.client.recorded.injections)
        message, version = {
            "produce": (produce(acks=-1), 9),
            "acks 0": (produce(acks=0), 9),
            "metadata": (MetadataRequest(topics=[]), 9),
            "heartbeat": (HeartbeatRequest(group_id="g", member_id="m"), 4),
            "versions": (ApiVersionsRequest(), 0),
        }[name]
        closing = self.client.session._closing is not None
        actions = self.client.sends(message, version, self._next)
        if name != "acks 0" and not closing:
            self.owed.append(self._next)
        forwarded = to_broker(actions)
        injected = len(self.client.recorded.injections) > recorded
        assert not (forwarded and injected), "refused and forwarded"
        for data in forwarded:
            correlation_id, sent = read_request(data)
            if name != "acks 0":
                self._at_broker.append((sent.API_KEY, correlation_id))
        self._take(actions)

    def _take(self, actions: list[Action]) -> None:
        self.received += [int.from_bytes(data[:4], "big") for data in to_client(actions)]
        self.closed |= any(isinstance(action, Close) for action in actions)


@given(st.sampled_from(["passthrough", "tenant"]), STEPS)
@settings(max_examples=300, derandomize=True)
def test_the_client_gets_every_answer_once_in_request_order(kind: str, steps: list[str]) -> None:
    exchange = Exchange(some_client(kind))

    for step in steps:
        exchange.step(step)
        assert exchange.received == exchange.owed[: len(exchange.received)]
        if exchange.closed:
            break
    exchange.drain()

    assert exchange.received == exchange.owed
    assert len(exchange.client.session.order) == 0
