"""A Fetch response that streams through keeps its length and every byte but its last tags."""

import random
from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.messages.fetch import FetchResponse
from sidecar.dataplane.fetch_walk import _LONGEST_TRAILER, FetchForm, FetchWalk
from sidecar.dataplane.tenancy import Names, Tenancy, TopicDirectory
from tests.support.messages import batch, read_response, response

VERSIONS = (16, 17, 18)
Topic = FetchResponse.FetchableTopicResponse
Partition = Topic.PartitionData
Endpoint = FetchResponse.NodeEndpoint


def form(
    version: int, host: bytes = b"localhost", port: int = 6970, learned: list[int] | None = None
) -> FetchForm:
    """For clients that are told this address for every broker."""
    tenancy = Tenancy(lambda: Names(""), lambda *_: (host, port), TopicDirectory())
    _, exchange = tenancy.map_request(ApiKey.FETCH, version, b"")

    def map_body(body: bytes) -> bytes:
        return b"".join(tenancy.map_response(ApiKey.FETCH, version, body, exchange))

    return FetchForm(
        map_body, ApiKey.FETCH, version, exchange, [].append if learned is None else learned.append
    )


def walked(data: bytes, wanted: FetchForm, choice: random.Random, surplus: bytes = b"") -> bytes:
    """A response frame without its size, sent through in random pieces."""
    walk = FetchWalk(len(data), wanted)
    onward = bytearray(data[:4])
    rest = memoryview(data[4:] + surplus)
    while walk.left:
        piece = rest[: choice.choice((1, 2, 5, 40, 3000, 100_000))]
        taken, chunks = walk.feed(piece)
        onward += b"".join(chunks)
        assert 0 < taken <= len(piece)
        rest = rest[taken:]
    assert bytes(rest) == surplus
    return bytes(onward)


def partition(choice: random.Random) -> Partition:
    """A partition of any form Kafka sends."""
    found = Partition(
        partition_index=choice.randint(0, 99),
        error_code=choice.choice((0, 0, 6)),
        high_watermark=choice.randint(0, 1 << 40),
        records=choice.choice(
            (None, b"", batch(payload=choice.randbytes(choice.choice((9, 400, 70_000)))))
        ),
    )
    if choice.random() < 0.3:
        aborted = Partition.AbortedTransaction
        found.aborted_transactions = [
            aborted(producer_id=number, first_offset=number)
            for number in range(choice.choice((0, 1, 200)))
        ]
    if choice.random() < 0.3:
        found.current_leader = Partition.LeaderIdAndEpoch(leader_id=2, leader_epoch=7)
    if choice.random() < 0.2:
        found.diverging_epoch = Partition.EpochEndOffset(epoch=1, end_offset=2)
    return found


def fetched(choice: random.Random, *endpoints: Any) -> FetchResponse:
    """A response of any number of topics and partitions."""
    topics = [
        Topic(
            topic_id=choice.randbytes(16),
            partitions=[partition(choice) for _ in range(choice.choice((0, 1, 3, 130)))],
        )
        for _ in range(choice.choice((0, 1, 2)))
    ]
    return FetchResponse(session_id=5, responses=topics, node_endpoints=list(endpoints))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("seed", range(8))
def test_a_response_without_addresses_passes_as_it_is(seed: int, version: int) -> None:
    choice = random.Random(seed)
    data = response(fetched(choice), version)

    assert walked(data, form(version), choice, b"the next") == data


@pytest.mark.parametrize("version", range(13, 19))
@pytest.mark.parametrize("session", [0, 1, (1 << 31) - 1, -5])
def test_the_session_that_was_given_is_told(session: int, version: int) -> None:
    choice = random.Random(session)
    message = fetched(choice)
    message.session_id = session
    data = response(message, version)
    learned: list[int] = []

    assert walked(data, form(version, learned=learned), choice) == data
    assert learned == [session]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("length", range(0, 300, 7))
def test_addresses_are_replaced_in_as_many_bytes_or_left_out(length: int, version: int) -> None:
    choice = random.Random(length)
    endpoint = Endpoint(node_id=2, host="b" * length, port=9092, rack="r")
    message = fetched(choice, endpoint)
    data = response(message, version)

    onward = walked(data, form(version), choice)

    assert len(onward) == len(data)
    assert b"b" * max(1, length) not in onward[-length - 20 :] or length < 2
    _, seen = read_response(ApiKey.FETCH, version, onward)
    if length >= len("localhost") + 3 or length == len("localhost"):
        assert seen.node_endpoints == [Endpoint(node_id=2, host="localhost", port=6970, rack="r")]
    else:
        assert not seen.node_endpoints
    _, sent = read_response(ApiKey.FETCH, version, data)
    assert [plain(topic) for topic in seen.responses] == [plain(topic) for topic in sent.responses]


def plain(topic: Any) -> bytes:
    """Everything a topic says."""
    return b"".join([codec.encode(FetchResponse(responses=[topic]), 16)])


@pytest.mark.parametrize("size", [*range(10, 140), 250, 16_390, 20_000])
def test_any_length_can_be_filled_up(size: int) -> None:
    endpoint = Endpoint(node_id=2, host="b" * size, port=9092)
    data = response(FetchResponse(node_endpoints=[endpoint]), 17)

    onward = walked(data, form(17, b"h" * 30_000), random.Random(size))

    assert len(onward) == len(data)
    assert not read_response(ApiKey.FETCH, 17, onward)[1].node_endpoints


def test_two_addresses_are_both_replaced() -> None:
    endpoints = [Endpoint(node_id=n, host=f"broker-{n}.example", port=9092) for n in (1, 2)]
    data = response(FetchResponse(node_endpoints=endpoints), 17)

    onward = walked(data, form(17), random.Random(1))

    seen = read_response(ApiKey.FETCH, 17, onward)[1].node_endpoints
    assert [(each.host, each.port) for each in seen] == [("localhost", 6970)] * 2


@pytest.mark.parametrize("seed", range(200))
def test_what_is_no_fetch_response_passes_and_ends_where_its_size_says(seed: int) -> None:
    choice = random.Random(seed)
    whole = bytearray(response(fetched(choice), 17))
    for _ in range(choice.choice((1, 3, 30))):
        whole[choice.randrange(4, len(whole))] = choice.randrange(256)
    data = bytes(whole[: choice.randint(5, len(whole))])

    onward = walked(data, form(17), choice)

    assert len(onward) == len(data)


def test_an_endless_last_section_is_not_kept() -> None:
    head = response(FetchResponse(), 17)[:-1]
    data = head + b"\x01\x05\xff\xff\x7f" + bytes(3 * _LONGEST_TRAILER)
    walk = FetchWalk(len(data), form(17))
    onward = bytearray(data[:4])
    rest = memoryview(data[4:])
    while walk.left:
        taken, chunks = walk.feed(rest[:10_000])
        onward += b"".join(chunks)
        rest = rest[taken:]
        assert len(walk._trailer or b"") <= _LONGEST_TRAILER

    assert bytes(onward) == data
