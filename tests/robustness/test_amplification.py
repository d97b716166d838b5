"""What a request may cost for its size, where the cost is more than its bytes."""

import time
import tracemalloc
from struct import pack
from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.headers import request_header
from codec.messages.create_topics import CreateTopicsRequest, CreateTopicsResponse
from codec.primitives import write_tags
from codec.registry import SUPPORTED
from sidecar.dataplane.tenancy import NAME_LIMIT
from sidecar.dataplane.topic_names import READ_LIMIT
from tests.support.messages import batch, produce, read_response, request, response
from tests.support.sessions import Client, closes, to_broker, to_client


def test_many_names_quoted_in_many_messages_do_not_stop_the_hub() -> None:
    """The work is to grow with the answer, not with its square."""
    client = speaking(secured=True)
    client.authenticates()
    names = [f"topic-{n}" for n in range(20_000)]
    wanted = [CreateTopicsRequest.CreatableTopic(name=name) for name in names]
    client.sends(CreateTopicsRequest(topics=wanted), 5, 1)
    results = [
        CreateTopicsResponse.CreatableTopicResult(
            name=f"teamA{name}", error_code=36, error_message=f"Topic 'teamA{name}' exists."
        )
        for name in names
    ]
    answer = response(CreateTopicsResponse(topics=results), 5, 1)
    began = time.perf_counter()
    actions = client.broker_answers(answer)
    assert time.perf_counter() - began < 3  # a quadratic one takes a minute
    [data] = to_client(actions)
    _, mapped = read_response(ApiKey.CREATE_TOPICS, 5, data)
    assert [topic.error_message for topic in mapped.topics] == [
        f"Topic '{name}' exists." for name in names
    ]


def tags(count: int) -> bytes:
    """A good tag section of this many empty fields."""
    return write_tags((number, b"") for number in range(count))


def speaking(**fields: Any) -> Client:
    """A client of a cluster that speaks everything."""
    speaks = {key: (api.min_version, api.max_version) for key, api in SUPPORTED.items()}
    return Client(upstream=[speaks], **fields)


def test_a_header_of_many_tags_is_not_read_to_its_end() -> None:
    client = speaking(secured=True)
    client.authenticates()
    head = request_header(ApiKey.PRODUCE, 9, 1, "app").removesuffix(b"\0")
    data = head + tags(1_000_000) + codec.encode(produce(), 9)
    tracemalloc.start()
    actions = client.sends_frame(memoryview(data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert closes(actions) == ["malformed_request"]
    assert peak < len(data)


def test_a_header_may_be_as_long_as_client_ids_get() -> None:
    client = speaking()
    name = "x" * 32767
    data = request(produce(), 9, client_id=name)
    [sent] = to_broker(client.sends_frame(memoryview(data)))
    assert sent == data


@pytest.mark.parametrize("key", [ApiKey.METADATA, ApiKey.DELETE_TOPICS, ApiKey.API_VERSIONS])
def test_requests_that_are_read_name_by_name_have_a_limit_of_their_own(key: ApiKey) -> None:
    client = speaking(secured=True)
    client.authenticates()
    version = min(SUPPORTED[key].max_version, 5)
    head = request_header(key, version, 1)
    actions = client.sends_frame(head + bytes(READ_LIMIT + 1 - len(head)))
    assert closes(actions) == ["request_too_large"]


def test_what_carries_blobs_may_be_larger() -> None:
    client = speaking(secured=True)
    client.authenticates()
    message = produce({"cars": {0: batch(payload=bytes(READ_LIMIT))}})
    assert len(to_broker(client.sends(message, 9))) == 1


def test_where_names_are_not_read_there_is_no_such_limit() -> None:
    client = speaking()
    data = request_header(ApiKey.DELETE_TOPICS, 5, 1) + bytes(READ_LIMIT + 1)
    assert to_broker(client.sends_frame(data)) == [data]


def test_a_request_may_name_so_many_things_and_no_more() -> None:
    client = speaking(secured=True)
    client.authenticates()

    def naming(count: int) -> bytes:
        head = request_header(ApiKey.PRODUCE, 7, 1) + b"\xff\xff\xff\xff" + bytes(4)
        return head + pack(">i", count) + b"\0\x01t\0\0\0\0" * count

    assert len(to_broker(client.sends_frame(naming(NAME_LIMIT)))) == 1
    assert closes(client.sends_frame(naming(NAME_LIMIT + 1))) == ["malformed_request"]
