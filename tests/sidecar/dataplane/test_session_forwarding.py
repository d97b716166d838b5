"""What an open session forwards, what it refuses to, and what it makes of answers."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.messages.produce import ProduceResponse
from sidecar.dataplane.actions import ToBroker
from tests.support.messages import (
    batch,
    produce,
    read_response,
    request,
    response,
)
from tests.support.sessions import Client, closes, forwarded, tenant, to_broker, to_client

HEARTBEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")
METADATA = MetadataRequest(topics=[MetadataRequest.MetadataRequestTopic(name="cars")])
BROKER = MetadataResponse.MetadataResponseBroker
TOPIC = MetadataResponse.MetadataResponseTopic


def metadata_of(*topics: str) -> MetadataResponse:
    return MetadataResponse(
        brokers=[BROKER(node_id=n, host=f"kafka{n}", port=9092) for n in (1, 2)],
        controller_id=2,
        topics=[TOPIC(name=name) for name in topics],
    )


def test_a_passthrough_request_is_forwarded_byte_for_byte() -> None:
    data = request(METADATA, 9, 8)

    actions = Client().sends_frame(data)

    assert [type(action) for action in actions] == [ToBroker]
    assert to_broker(actions) == [data]


def test_a_tenants_request_keeps_its_header_and_gets_physical_names() -> None:
    actions = tenant().sends_frame(request(METADATA, 9, 8, "cars"))

    renamed = MetadataRequest(topics=[MetadataRequest.MetadataRequestTopic(name="teamAcars")])
    assert to_broker(actions) == [request(renamed, 9, 8, "cars")]


def test_large_records_are_forwarded_without_being_copied() -> None:
    client = tenant()
    data = request(produce({"cars": {0: batch(payload=b"x" * 100_000)}}), 9)
    view = memoryview(data)

    [action] = client.sends_frame(view)

    assert isinstance(action, ToBroker)
    shared = [c for c in action.chunks if isinstance(c, memoryview) and c.obj is data]
    assert sum(map(len, shared)) >= 100_000


def test_an_answer_is_mapped_by_the_request_it_belongs_to() -> None:
    client = tenant()
    client.sends(METADATA, 1, 1)
    client.sends(METADATA, 9, 2)

    first = to_client(client.broker_answers(response(metadata_of("teamAcars"), 1, 1)))
    second = to_client(client.broker_answers(response(metadata_of("teamAcars"), 9, 2)))

    for version, data in ((1, first[0]), (9, second[0])):
        _, message = read_response(ApiKey.METADATA, version, data)
        assert [topic.name for topic in message.topics] == ["cars"]
        assert [(b.host, b.port) for b in message.brokers] == [("sidecar", 6969), ("sidecar", 6970)]
        assert message.controller_id == 2


def test_passthrough_sees_every_topic_but_only_the_sidecars_addresses() -> None:
    client = Client()
    client.sends(METADATA, 9)

    [data] = to_client(client.broker_answers(response(metadata_of("teamAcars", "x"), 9)))

    _, message = read_response(ApiKey.METADATA, 9, data)
    assert [topic.name for topic in message.topics] == ["teamAcars", "x"]
    assert {broker.host for broker in message.brokers} == {"sidecar"}


def test_a_local_answer_overtakes_nothing() -> None:
    client = Client()
    client.sends(HEARTBEAT, 4, 1)

    assert client.sends(ApiVersionsRequest(), 0, 2) == []

    both = to_client(client.broker_answers(response(HeartbeatResponse(), 4, 1)))
    assert [int.from_bytes(data[:4], "big") for data in both] == [1, 2]


@pytest.mark.parametrize("correlation_id", [0, 2, -1])
def test_an_answer_out_of_order_closes(correlation_id: int) -> None:
    client = Client()
    client.sends(HEARTBEAT, 4, 1)
    client.sends(HEARTBEAT, 4, 2)

    actions = client.broker_answers(response(HeartbeatResponse(), 4, correlation_id))

    assert closes(actions) == ["unexpected_response"]
    assert to_client(actions) == []


@pytest.mark.parametrize("data", [b"", b"\x00\x00", b"\x00\x00\x00\x01"])
def test_an_answer_nobody_asked_for_closes(data: bytes) -> None:
    assert closes(Client().broker_answers(data)) == ["unexpected_response"]


@pytest.mark.parametrize("correlation_id", [-(2**31), -1, 0, 2**31 - 1])
def test_any_correlation_id_a_client_picks_is_given_back(correlation_id: int) -> None:
    client = Client()
    client.sends(HEARTBEAT, 4, correlation_id)

    actions = client.broker_answers(response(HeartbeatResponse(), 4, correlation_id))

    assert to_client(actions) == [response(HeartbeatResponse(), 4, correlation_id)]


# What cannot be read

MALFORMED = request(METADATA, 9)[:-6]


def test_a_malformed_request_of_a_tenant_closes() -> None:
    assert closes(tenant().sends_frame(MALFORMED)) == ["malformed_request"]


def test_a_malformed_passthrough_request_is_the_brokers_to_refuse() -> None:
    assert to_broker(Client().sends_frame(MALFORMED)) == [MALFORMED]


def test_a_produce_too_short_to_tell_its_acks_closes_everywhere() -> None:
    data = request(produce(), 9)[:14]

    assert closes(Client().sends_frame(data)) == ["malformed_request"]
    assert closes(tenant().sends_frame(data)) == ["malformed_request"]


def malformed_answer(client: Client) -> tuple[bytes, list[Any]]:
    client.sends(METADATA, 9)
    data = response(metadata_of("teamAcars"), 9)[:-20]
    return data, client.broker_answers(data)


def test_a_malformed_answer_to_a_tenant_closes_and_shows_nothing() -> None:
    _, actions = malformed_answer(tenant())

    assert closes(actions) == ["malformed_response"]
    assert to_client(actions) == []


def test_a_malformed_answer_to_passthrough_is_passed_on() -> None:
    data, actions = malformed_answer(Client())

    assert to_client(actions) == [data]
    assert closes(actions) == []


UNKNOWN = {
    "an api nobody knows": b"\x03\xe7\x00\x02\x00\x00\x00\x05\x00\x02mewhatever",
    "a version from the future": b"\x00\x03\x00\x63\x00\x00\x00\x05\xff\xff\x00whatever",
}


@pytest.mark.parametrize("data", UNKNOWN.values(), ids=UNKNOWN)
def test_what_the_codec_cannot_map_is_closed_to_tenants(data: bytes) -> None:
    assert closes(tenant().sends_frame(data)) == ["unsupported_version"]


@pytest.mark.parametrize("data", UNKNOWN.values(), ids=UNKNOWN)
def test_what_the_codec_does_not_know_passes_untouched_both_ways_in_passthrough(
    data: bytes,
) -> None:
    client = Client()

    assert to_broker(client.sends_frame(data)) == [data]
    answer = b"\x00\x00\x00\x05\x00kafka1:9092"
    assert to_client(client.broker_answers(answer)) == [answer]


def test_a_version_the_broker_does_not_speak_is_closed_to_tenants() -> None:
    client = Client(secured=True, upstream=[{ApiKey.METADATA: (0, 5)}])
    client.authenticates()

    assert forwarded(client.sends(METADATA, 5))
    assert closes(client.sends(METADATA, 6)) == ["unsupported_version"]


def test_error_text_in_a_produce_answer_names_what_the_client_named() -> None:
    client = tenant()
    client.sends(produce(), 9)
    topic = ProduceResponse.TopicProduceResponse
    refusal = ProduceResponse(
        responses=[
            topic(
                name="teamAcars",
                partition_responses=[
                    topic.PartitionProduceResponse(
                        index=0, error_code=87, error_message="bad record in teamAcars-0"
                    )
                ],
            )
        ]
    )

    [data] = to_client(client.broker_answers(response(refusal, 9)))

    _, message = read_response(ApiKey.PRODUCE, 9, data)
    assert message.responses[0].name == "cars"
    partition = message.responses[0].partition_responses[0]
    assert partition.error_message == "bad record in cars-0"
