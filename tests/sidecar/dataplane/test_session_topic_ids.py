"""Requests that name topics by id: whose they are is known before anything is done."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.describe_quorum import DescribeQuorumRequest
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.write_txn_markers import WriteTxnMarkersRequest
from sidecar.dataplane.actions import LookUp
from sidecar.dataplane.tenancy.topic_ids import MAX_MASKED
from tests.support.messages import (
    produce,
    read_response,
    request,
    response,
    topic_id,
)
from tests.support.sessions import (
    Client,
    closes,
    forwarded,
    interceptor,
    tenant,
    to_broker,
    to_client,
)

OWN, FOREIGN = topic_id("cars"), topic_id("another's")
TOPIC = FetchRequest.FetchTopic


def fetch(*ids: bytes) -> FetchRequest:
    return FetchRequest(topics=[TOPIC(topic_id=each) for each in ids])


def knowing(*interceptors: Any) -> Client:
    """A tenant whose directory knows a topic of its own and one of another."""
    client = tenant(*interceptors)
    client.shared.directory.learn(OWN, b"teamAcars")
    client.shared.directory.learn(FOREIGN, b"teamBcars")
    return client


@pytest.mark.parametrize("message", [fetch(OWN), produce()], ids=["fetch", "produce"])
def test_a_request_about_own_topics_passes_as_it_is(message: Any) -> None:
    data = request(message, 13)

    assert to_broker(knowing().sends_frame(data)) == [data]


@pytest.mark.parametrize("message", [fetch(OWN), produce()], ids=["fetch", "produce"])
def test_what_is_not_known_is_asked_for_first(message: Any) -> None:
    client = tenant()
    data = request(message, 13)

    assert client.sends_frame(data) == [LookUp(frozenset({OWN}))]
    client.shared.directory.learn(OWN, b"teamAcars")
    assert to_broker(client.sends_frame(data, looked_up=True)) == [data]


def test_what_nobody_knows_is_forwarded_masked() -> None:
    client = tenant()
    client.sends(fetch(OWN), 13)

    sent = forwarded(client.sends(fetch(OWN), 13, looked_up=True))

    assert sent.topics[0].topic_id != OWN


@pytest.mark.parametrize("version", [13, 15, 18])
def test_the_answer_about_a_masked_id_has_the_clients_own(version: int) -> None:
    client = knowing()
    sent = forwarded(client.sends(fetch(OWN, FOREIGN), version))
    own, masked = (each.topic_id for each in sent.topics)
    assert own == OWN
    assert masked not in (OWN, FOREIGN)
    topic = FetchResponse.FetchableTopicResponse
    part = topic.PartitionData
    answer = FetchResponse(
        responses=[
            topic(topic_id=own, partitions=[part(records=b"mine")]),
            topic(topic_id=masked, partitions=[part(error_code=100, records=None)]),
        ]
    )

    [data] = to_client(client.broker_answers(response(answer, version)))

    _, found = read_response(ApiKey.FETCH, version, data)
    assert [each.topic_id for each in found.responses] == [OWN, FOREIGN]
    assert [each.partitions[0].error_code for each in found.responses] == [0, 100]


def test_behind_a_masked_id_no_fetch_passes_unseen() -> None:
    """It may be in a fetch session: its answers come back with requests that do not name it."""
    client = knowing()
    session, shared = client.session, client.shared
    key = ApiKey.FETCH << 16 | 18
    plan, _ = session.plan(shared.pipeline, shared.versions, lambda: 0.0)
    assert key in plan
    assert not session.stale

    client.sends(fetch(FOREIGN), 18)

    assert session.stale
    plan, _ = session.plan(shared.pipeline, shared.versions, lambda: 0.0)
    assert key not in plan
    assert not session.stale


def test_one_connection_cannot_try_ids_for_ever() -> None:
    client = tenant()
    ids = [number.to_bytes(16, "big") for number in range(1, MAX_MASKED + 2)]

    assert forwarded(client.sends(fetch(*ids[:-1]), 13, looked_up=True))
    assert closes(client.sends(fetch(ids[-1]), 13, looked_up=True)) == ["foreign_topic_ids"]


def test_a_refusal_by_id_is_on_record_by_name() -> None:
    client = knowing(interceptor(100))

    [data] = to_client(client.sends(produce(), 13))

    _, answer = read_response(ApiKey.PRODUCE, 13, data)
    [topic] = answer.responses
    assert (topic.topic_id, topic.partition_responses[0].error_code) == (OWN, 6)
    assert [i.topic for i in client.recorded.injections] == ["cars"]


def test_in_passthrough_names_are_asked_for_only_where_somebody_draws() -> None:
    data = request(produce(), 13)

    assert to_broker(Client().sends_frame(data)) == [data]
    client = Client(interceptor(100))
    assert client.sends_frame(data) == [LookUp(frozenset({OWN}))]
    assert client.recorded.injections == []
    client.shared.directory.learn(OWN, b"cars")
    assert to_client(client.sends_frame(data, looked_up=True))
    assert [i.topic for i in client.recorded.injections] == ["cars"]


def test_what_cannot_be_named_on_record_is_not_injected() -> None:
    client = Client(interceptor(100))
    data = request(produce(), 13)

    assert to_broker(client.sends_frame(data, looked_up=True)) == [data]
    assert client.recorded.injections == []


# The policy


def test_what_shows_the_cluster_is_denied_to_tenants_and_passes_in_passthrough() -> None:
    message = DescribeQuorumRequest()
    data = request(message, 2)

    [answer] = to_client(tenant().sends_frame(data))
    assert read_response(ApiKey.DESCRIBE_QUORUM, 2, answer)[1].error_code == 31
    assert to_broker(Client().sends_frame(data)) == [data]


def test_what_is_hidden_is_closed_to_tenants_and_passes_in_passthrough() -> None:
    data = request(WriteTxnMarkersRequest(), 1)

    assert closes(tenant().sends_frame(data)) == ["unsupported_version"]
    assert to_broker(Client().sends_frame(data)) == [data]
