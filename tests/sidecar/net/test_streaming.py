"""What streams through the shared buffer is read as far as it has arrived, and no further."""

import random
from collections.abc import Iterator

import pytest

from codec.api_keys import ApiKey
from codec.frames import FrameDecoder
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.produce import ProduceResponse
from tests.support.fast_lane import FastLane, appended
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
from tests.support.sessions import Client, interceptor, tenant


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
