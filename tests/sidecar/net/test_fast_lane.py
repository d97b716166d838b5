"""The fast lane does what the session does with the same frames: draws, refusals, records, bytes.

Requests go through a relay whose sockets are stand-ins, several in one read, in pieces; and one by
one through a session that sees each of them whole. The two must not differ in anything.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.frames import FrameDecoder
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.produce import ProduceRequest, ProduceResponse
from sidecar.dataplane.actions import Close, Report
from sidecar.dataplane.pipeline import Pipeline
from sidecar.model.injection import Injection
from sidecar.model.interceptor import Interceptor
from sidecar.net.relay import Relay
from sidecar.net.requests import request_reader
from sidecar.net.responses import response_reader
from tests.support.messages import (
    batch,
    frames,
    produce,
    read_request,
    read_response,
    request,
    response,
    sized,
)
from tests.support.sessions import (
    NOW,
    Client,
    interceptor,
    snapshot,
    tenant,
    to_broker,
    to_client,
)


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
        monkeypatch.setattr("time.time", lambda: NOW)
        self.closes: list[Close] = []
        self.reports: list[Report] = []
        self.client = client
        self.near, self.far = Socket(), Socket()
        self.relay = Relay(
            self.near, self.far, client.session, 1 << 20, self.reports.append, self.closes.append
        )
        self.forwarded: list[bytes] = []
        self._broker = FrameDecoder(1 << 30)
        self._from_client = request_reader(self.relay)
        self._from_broker = response_reader(self.relay)

    def receive(self, data: bytes) -> None:
        """What one read of the client brings; large data takes several."""
        self.near.given = data
        while self.near.given:
            self._from_client()

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


def workload(seed: int, count: int) -> list[tuple[ProduceRequest, int]]:
    """Requests as clients send them, more or less: idempotent or not, retried, of other forms."""
    choice = random.Random(seed)
    found = []
    sequence = {0: 0, 1: 0, 2: 0}
    version = 9
    for _ in range(count):
        version = choice.choice((version,) * 9 + (choice.randint(3, 12),))
        partition = choice.choice((0, 0, 1, 2))
        producer = choice.choice((-1, 4000, 4000))
        back = choice.choice((0, 0, 0, 1, 2))
        first = max(0, sequence[partition] - back)
        sequence[partition] += back == 0
        fields = (
            {"producer_id": producer, "producer_epoch": 0, "base_sequence": first}
            if producer >= 0
            else {}
        )
        payload = choice.randbytes(choice.choice((0, 50, 120, 20_000)))
        records = batch(choice.randint(1, 9), payload=payload, **fields)
        if choice.random() < 0.05:
            records = choice.choice((None, b"", b"no batch", records + records))
        partitions = {partition: records}
        if choice.random() < 0.05:
            partitions[7] = batch()
        topics = {choice.choice(("cars", "cars", "cars", "bikes")): partitions}
        if choice.random() < 0.05:
            topics["boats"] = {0: batch()}
        found.append((produce(topics, acks=choice.choice((-1, -1, 1))), version))
    return found


def same_but_for_time(injections: list[Injection]) -> list[Injection]:
    return [replace(injection, time=0) for injection in injections]


def by_the_session(client: Client, requests: list[tuple[Any, int]]) -> Any:
    """Forwarded frames, answers and records, one request at a time."""
    forwarded, answers = [], []
    for number, (message, version) in enumerate(requests, 1):
        actions = client.sends(message, version, number)
        forwarded += to_broker(actions)
        answers += to_client(actions)
        for asked in to_broker(actions):
            answers += to_client(client.broker_answers(appended(asked)))
    return forwarded, answers, same_but_for_time(client.recorded.injections)


def by_the_fast_lane(lane: FastLane, requests: list[tuple[Any, int]], choice: random.Random) -> Any:
    """The same, with reads of any size; the broker answers when it likes."""
    data = b"".join(
        sized(request(message, version, number))
        for number, (message, version) in enumerate(requests, 1)
    )
    while data:
        size = choice.choice((1, 7, 60, 130, 400, 5000, 70_000))
        lane.receive(data[:size])
        data = data[size:]
        if choice.random() < 0.6:
            lane.answer()
    lane.answer()
    assert not lane.closes
    assert not lane.reports
    answers = frames([bytes(lane.near.sent)])
    return lane.forwarded, answers, same_but_for_time(lane.client.recorded.injections)


def faults(seed: int) -> list[Interceptor]:
    """One interceptor, or two of which the second draws only if the first does not choose."""
    found = [interceptor(40, seed=seed)]
    if seed % 2:
        found.append(interceptor(20, name="second", seed=seed + 1, priority=200))
    return found


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("isolated", [False, True], ids=["passthrough", "tenant"])
def test_the_fast_lane_does_what_the_session_does(
    isolated: bool, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tenant if isolated else Client
    requests = workload(seed, 250)
    lane = FastLane(make(*faults(seed)), monkeypatch)

    slow = by_the_session(make(*faults(seed)), requests)
    fast = by_the_fast_lane(lane, requests, random.Random(seed))

    assert fast[2] == slow[2]
    assert fast[1] == slow[1]
    assert fast[0] == slow[0]
    reasons = {injection.reason for injection in fast[2]}
    assert reasons == {"DRAWN", "FOLLOWS"}


def test_without_interceptors_everything_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = workload(99, 200)
    lane = FastLane(Client(), monkeypatch)

    forwarded, _, recorded = by_the_fast_lane(lane, requests, random.Random(1))

    assert recorded == []
    assert forwarded == [request(m, v, n) for n, (m, v) in enumerate(requests, 1)]


def test_what_cannot_be_recorded_is_forwarded(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = workload(5, 100)
    client = Client(interceptor(100))
    client.recorded.accepts = False
    lane = FastLane(client, monkeypatch)

    forwarded, _, recorded = by_the_fast_lane(lane, requests, random.Random(1))

    assert recorded == []
    assert client.recorded.refused > 50
    assert forwarded == [request(m, v, n) for n, (m, v) in enumerate(requests, 1)]


def test_a_new_interceptor_counts_from_the_next_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    lane = FastLane(client, monkeypatch)
    frame = sized(request(produce(), 9))
    lane.receive(frame)
    assert lane.far.sent == frame

    client.shared.pipeline = Pipeline(snapshot(interceptor(100)), client.shared.pipeline)
    lane.receive(frame)
    client.shared.pipeline = Pipeline(snapshot(), client.shared.pipeline)
    lane.receive(frame)

    assert lane.far.sent == frame * 2
    assert len(client.recorded.injections) == 1


def test_a_refusal_is_sent_when_its_request_has_come_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client(interceptor(100))
    lane = FastLane(client, monkeypatch)
    large = sized(request(produce({"cars": {3: batch(payload=bytes(700_000))}}), 9, 5))

    lane.receive(large[:-1])
    assert not lane.near.sent
    assert [i.partition for i in client.recorded.injections] == [3]
    lane.receive(large[-1:] + sized(request(produce(), 9, 6)))

    assert [int.from_bytes(f[:4], "big") for f in frames([bytes(lane.near.sent)])] == [5, 6]
    assert not lane.far.sent


def test_a_refusal_in_the_fast_lane_has_what_the_client_calls_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client(interceptor(100))
    lane = FastLane(client, monkeypatch)

    lane.receive(sized(request(produce(), 9, 1, "größer %s")))
    lane.receive(sized(request(produce(), 9, 2, None)))

    assert [i.client_id for i in client.recorded.injections] == ["größer %s", None]
    assert {i.api for i in client.recorded.injections} == {ApiKey.PRODUCE.name}


@pytest.mark.parametrize("isolated", [False, True], ids=["passthrough", "tenant"])
@pytest.mark.parametrize("rate", [0, 50])
@pytest.mark.parametrize("arrived", [20, 30, 45, 60])
def test_what_an_earlier_read_left_in_the_buffer_is_not_taken_for_a_request(
    arrived: int, rate: int, isolated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tenant if isolated else Client
    lane = FastLane(make(interceptor(rate, seed=2)), monkeypatch)
    for number in range(1, 80, 4):
        usual = [sized(request(produce(), 9, number + place)) for place in range(3)]
        other = sized(request(produce({"cart": {1: batch()}}, acks=1), 9, number + 3))
        lane.receive(usual[0] + usual[1])
        lane.receive(usual[2] + other[:arrived])  # behind it stands what came before
        lane.receive(other[arrived:])

    lane.answer()
    seen = [read_request(each) for each in lane.forwarded]
    asked = {number: (m.acks, m.topic_data[0].name.removeprefix("teamA")) for number, m in seen}
    assert asked == {n: (-1, "cars") if n % 4 else (1, "cart") for n in asked}
    refused = {(i.topic, i.partition, i.acks) for i in lane.client.recorded.injections}
    assert refused == ({("cars", 0, -1), ("cart", 1, 1)} if rate else set())
    assert len(asked) + len(lane.client.recorded.injections) == 80


def test_an_acks_0_request_cut_in_its_head_takes_no_place_among_the_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lane = FastLane(Client(), monkeypatch)
    silent = sized(request(produce(acks=0), 9, 2))
    lane.receive(sized(request(produce(acks=1), 9, 1)))
    lane.receive(silent[:20])
    lane.receive(silent[20:])
    lane.receive(sized(request(produce(acks=1), 9, 3)))

    for number in (1, 3):
        lane.far.given = sized(response(produced("cars"), 9, number))
        lane.read_broker()

    assert [int.from_bytes(f[:4], "big") for f in frames([bytes(lane.near.sent)])] == [1, 3]
    assert not lane.closes


@pytest.mark.parametrize("seed", range(6))
def test_fetch_responses_with_addresses_stream_through_among_local_answers(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = random.Random(seed)
    client = Client(interceptor(50, seed=seed), upstream=[{0: (3, 12), 1: (4, 17)}])
    lane = FastLane(client, monkeypatch)
    asked, due = bytearray(), bytearray()
    for number in range(1, 60):
        if choice.random() < 0.5:
            asked += sized(request(produce(), 9, number))
        else:
            asked += sized(request(FetchRequest(session_id=number), 17, number))
    for piece in pieces(asked, choice):
        lane.receive(piece)
    for data in FrameDecoder(1 << 30).feed(bytes(lane.far.sent)):
        number, message = read_request(bytes(data))
        if isinstance(message, FetchRequest):
            due += sized(response(fetched(number, "broker-1.internal"), 17, number))
        else:
            due += sized(appended(bytes(data)))
    for piece in pieces(due, choice):
        lane.far.given = piece
        lane.read_broker()

    answers = frames([bytes(lane.near.sent)])
    assert [int.from_bytes(answer[:4], "big") for answer in answers] == list(range(1, 60))
    assert client.recorded.injections
    for number, answer in enumerate(answers, 1):
        if len(answer) > 150:
            _, seen = read_response(ApiKey.FETCH, 17, answer)
            [endpoint] = seen.node_endpoints
            assert (endpoint.host, endpoint.port) == ("sidecar", 6969)
            expected = fetched(number, "broker-1.internal").responses
            assert [t.partitions[0].records for t in seen.responses] == [
                t.partitions[0].records for t in expected
            ]
    assert not lane.closes


def pieces(data: bytes | bytearray, choice: random.Random) -> Iterator[bytes]:
    """Cut at random."""
    while data:
        size = choice.choice((1, 7, 60, 400, 50_000))
        yield bytes(data[:size])
        data = data[size:]


def fetched(number: int, host: str) -> FetchResponse:
    """A Fetch response with records that tell it from others, and the address of broker 1."""
    topic = FetchResponse.FetchableTopicResponse
    records = batch(payload=bytes((number,)) * choice_of_size(number))
    partition = topic.PartitionData(partition_index=0, records=records)
    return FetchResponse(
        responses=[topic(partitions=[partition])],
        node_endpoints=[FetchResponse.NodeEndpoint(node_id=1, host=host, port=9092)],
    )


def choice_of_size(number: int) -> int:
    return (10, 1000, 300_000)[number % 3]


def test_a_broker_that_closes_inside_a_walked_response_closes_the_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lane = FastLane(Client(upstream=[{0: (3, 12), 1: (4, 17)}]), monkeypatch)
    lane.receive(sized(request(FetchRequest(), 17)))
    data = sized(response(fetched(2, "broker"), 17))
    lane.far.given = data[:-3]
    lane.read_broker()
    lane.relay.broker_ended()

    assert [close.reason for close in lane.closes] == ["malformed_response"]
    assert lane.relay.done.is_set()


@pytest.mark.parametrize("version", [3, 8, 9, 12])
def test_requests_of_several_topics_stream_through_where_nobody_wants_them(
    version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = FastLane(Client(), monkeypatch)
    topics = {name: {0: batch(payload=bytes(50_000))} for name in ("cars", "bikes")}
    asked = [produce(topics, acks=1), produce(topics, acks=0), produce(), produce(topics)]
    data = [sized(request(each, version, n)) for n, each in enumerate(asked, 1)]

    lane.receive(data[0][:1000])
    assert lane.far.sent == data[0][:1000]
    lane.receive(data[0][1000:] + data[1] + data[2] + data[3])
    for number in (1, 3, 4):
        answer = produced("cars")
        answer.node_endpoints = [
            ProduceResponse.NodeEndpoint(node_id=1, host="broker-1", port=9092)
        ]
        lane.far.given = sized(response(answer, version, number))
        lane.read_broker()

    assert lane.far.sent == b"".join(data)
    answers = frames([bytes(lane.near.sent)])
    assert [int.from_bytes(answer[:4], "big") for answer in answers] == [1, 3, 4]
    for answer in answers if version >= 10 else ():
        _, seen = read_response(ApiKey.PRODUCE, version, answer)
        assert [(each.host, each.port) for each in seen.node_endpoints] == [("sidecar", 6969)]
    assert not lane.closes


def produced(topic: str, message: str | None = None) -> ProduceResponse:
    """What a broker answers for partition 0 of a topic."""
    answer = ProduceResponse.TopicProduceResponse
    code = 0 if message is None else 87
    partition = answer.PartitionProduceResponse(index=0, error_code=code, error_message=message)
    return ProduceResponse(responses=[answer(name=topic, partition_responses=[partition])])


@pytest.mark.parametrize("arrived", [12, 15, 18, 200])
def test_what_an_earlier_read_left_in_the_buffer_is_not_taken_for_a_response(
    arrived: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = FastLane(tenant(), monkeypatch)
    usual, unusual = produced("teamAcars"), produced("teamAcars", "no room for teamAcars")
    other = produced("teamAcart")  # nobody asked for it, and it is as long as the one asked for
    answers = (usual, usual, usual, other, usual, unusual)
    for number in range(1, len(answers) + 1):
        lane.receive(sized(request(produce(), 9, number)))
    for number in range(1, len(answers) + 1, 2):
        first, second = (
            sized(response(answers[place - 1], 9, place)) for place in (number, number + 1)
        )
        cut = arrived if number > 1 else len(second)
        for lane.far.given in (first + second[:cut], second[cut:]):
            lane.read_broker()

    expected = [
        produced("cars"),
        produced("cars"),
        produced("cars"),
        produced("cart"),
        produced("cars"),
        produced("cars", "no room for cars"),
    ]
    assert frames([bytes(lane.near.sent)]) == [
        response(answer, 9, number) for number, answer in enumerate(expected, 1)
    ]
    assert not lane.closes
