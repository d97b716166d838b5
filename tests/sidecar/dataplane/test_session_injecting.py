"""Produce requests with an interceptor on them: refused, recorded, answered in order."""

from dataclasses import asdict
from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.metadata import MetadataRequest
from codec.messages.produce import ProduceResponse
from sidecar.dataplane.actions import Close, ToClient
from sidecar.dataplane.noting import MAX_EVENTS
from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.draws import draw
from sidecar.model.interceptor import Scope
from sidecar.model.snapshot import Snapshot
from tests.support.messages import batch, produce, read_response, request, response
from tests.support.sessions import (
    NOW,
    TENANT,
    Client,
    closes,
    forwarded,
    interceptor,
    snapshot,
    tenant,
    to_broker,
    to_client,
)

HEARTBEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")
BEAT = HeartbeatResponse()


def refused(data: bytes, version: int = 9) -> list[tuple[str, int, int]]:
    """Topic, partition and error of a Produce answer."""
    _, message = read_response(ApiKey.PRODUCE, version, data)
    return [
        (topic.name, partition.index, partition.error_code)
        for topic in message.responses
        for partition in topic.partition_responses
    ]


# One request


@pytest.mark.parametrize("version", range(3, 13))
def test_a_chosen_produce_is_answered_and_not_forwarded(version: int) -> None:
    client = Client(interceptor(100))

    actions = client.sends(produce({"cars": {0: batch(), 2: batch()}}), version, 42)

    assert [type(action) for action in actions] == [ToClient]
    [data] = to_client(actions)
    assert data[:4] == b"\x00\x00\x00\x2a"
    assert refused(data, version) == [("cars", 0, 6), ("cars", 2, 6)]


def test_at_rate_0_everything_is_forwarded_and_nothing_recorded() -> None:
    client = Client(interceptor(0))

    for correlation_id in range(50):
        assert to_broker(client.sends(produce(), 9, correlation_id))
        client.broker_answers(response(ProduceResponse(), 9, correlation_id))

    assert client.recorded.injections == []


def test_at_rate_50_exactly_the_draws_below_a_half_are_refused() -> None:
    client = Client(interceptor(50, seed=42))

    for correlation_id in range(100):
        client.sends(produce(), 9, correlation_id)

    refused_ids = [injection.correlation_id for injection in client.recorded.injections]
    assert refused_ids == [n for n in range(100) if draw(42, n) < 0.5]


def test_a_retry_is_drawn_afresh() -> None:
    """With this seed the first two draws choose and the third does not."""
    seed = next(
        s for s in range(100) if [draw(s, n) < 0.5 for n in range(3)] == [True, True, False]
    )
    client = Client(interceptor(50, seed=seed))
    same = request(produce(), 9, 5)

    assert refused(to_client(client.sends_frame(same))[0]) == [("cars", 0, 6)]
    assert refused(to_client(client.sends_frame(same))[0]) == [("cars", 0, 6)]
    assert to_broker(client.sends_frame(same)) == [same]
    assert [injection.draw for injection in client.recorded.injections] == [0, 1]


def test_requests_other_than_produce_are_left_alone() -> None:
    client = Client(interceptor(100))

    assert to_broker(client.sends(MetadataRequest(topics=[]), 9, 1))
    assert to_broker(client.sends(HEARTBEAT, 4, 2))
    assert client.recorded.injections == []


def test_an_empty_produce_is_forwarded_and_the_next_is_refused() -> None:
    client = Client(interceptor(100))

    assert forwarded(client.sends(produce({}), 9, 1)) == produce({})
    client.sends(produce(), 9, 2)

    assert [injection.correlation_id for injection in client.recorded.injections] == [2]


def test_a_produce_that_cannot_be_decoded_is_left_to_the_broker() -> None:
    client = Client(interceptor(100))
    whole = request(produce(), 9)

    [data] = to_broker(client.sends_frame(whole[:-30]))

    assert data == whole[:-30]
    assert client.recorded.injections == []


def test_a_snapshot_published_between_two_requests_decides_about_the_second() -> None:
    client = tenant()
    assert to_broker(client.sends(produce(), 9, 1))

    client.shared.pipeline = Pipeline(snapshot(interceptor(100)), client.shared.pipeline)
    assert not to_broker(client.sends(produce(), 9, 2))

    client.shared.pipeline = Pipeline(Snapshot(), client.shared.pipeline)
    assert to_broker(client.sends(produce(), 9, 3))


def test_an_interceptor_of_another_tenant_leaves_this_one_alone() -> None:
    client = tenant(interceptor(100, scope=Scope(virtual_cluster="teamB")))

    assert to_broker(client.sends(produce(), 9))


# Several interceptors


def test_the_first_that_injects_wins_and_the_rest_do_not_draw() -> None:
    first = interceptor(100, name="first", priority=1)
    second = interceptor(100, name="second", priority=2)
    client = Client(second, first)

    for correlation_id in range(3):
        client.sends(produce(), 9, correlation_id)

    recorded = client.recorded.injections
    assert [(i.interceptor, i.draw) for i in recorded] == [("first", n) for n in range(3)]


def test_one_that_does_not_choose_passes_the_turn_on() -> None:
    client = Client(interceptor(0, name="never", priority=1), interceptor(100, name="always"))

    client.sends(produce(), 9)

    assert [i.interceptor for i in client.recorded.injections] == ["always"]


# The record


def test_the_event_of_an_injection_tells_all_there_is_to_know() -> None:
    client = tenant(interceptor(100, seed=99, uid="u-1"))
    client.sends(ApiVersionsRequest(client_software_name="lib", client_software_version="2.1"), 3)
    records = batch(5, producer_id=4000, producer_epoch=2, base_sequence=17)

    client.sends_frame(request(produce({"cars": {3: records}}, acks=1), 9, 12, "checkout"))

    [injection] = client.recorded.injections
    assert asdict(injection) == {
        "time": NOW,
        "interceptor": "simulate",
        "interceptor_uid": "u-1",
        "fault": "leader_election",
        "rung": 1,
        "outcome": "REJECT",
        "error": "NOT_LEADER_OR_FOLLOWER",
        "error_code": 6,
        "virtual_cluster": "teamA",
        "principal": "sa",
        "connection_id": 7,
        "client_id": "checkout",
        "client_software_name": "lib",
        "client_software_version": "2.1",
        "broker_id": 2,
        "api": "PRODUCE",
        "version": 9,
        "correlation_id": 12,
        "topic": "cars",
        "partition": 3,
        "acks": 1,
        "batch_count": 1,
        "record_count": 5,
        "producer_id": 4000,
        "producer_epoch": 2,
        "base_sequence": 17,
        "draw": 0,
        "seed": 99,
        "reason": "DRAWN",
        "leader_id": None,
        "leader_epoch": None,
        "delay_ms": None,
        "records_changed": None,
        "coordinator_key": None,
    }


def test_there_is_one_event_for_each_partition_and_one_draw_for_the_request() -> None:
    client = Client(interceptor(100))

    client.sends(produce({"a": {0: batch(), 1: batch(2)}, "b": {0: batch(3)}}), 9)

    recorded = client.recorded.injections
    assert [(i.topic, i.partition, i.record_count, i.draw) for i in recorded] == [
        ("a", 0, 1, 0),
        ("a", 1, 2, 0),
        ("b", 0, 3, 0),
    ]


@pytest.mark.parametrize(
    ("records", "batches", "count"),
    [
        (None, 0, None),
        (b"", 0, None),
        (b"\x00" * 61, 0, None),
        (batch(2) + batch(3), 2, 5),
        # A message of the old format (magic 1): how many records it wraps is not known.
        (b"\x00" * 8 + b"\x00\x00\x00\x16" + b"\x00" * 4 + b"\x01" + b"\x00" * 17, 1, None),
    ],
    ids=["null", "empty", "garbage", "two batches", "magic 1"],
)
def test_what_the_records_do_not_tell_is_null(
    records: Any, batches: int, count: int | None
) -> None:
    client = Client(interceptor(100))

    client.sends(produce({"cars": {0: records}}), 9)

    [injection] = client.recorded.injections
    assert (injection.batch_count, injection.record_count) == (batches, count)
    producer = (injection.producer_id, injection.producer_epoch, injection.base_sequence)
    assert producer == (None, None, None)


def test_free_text_of_a_client_is_cut_so_that_an_event_fits_into_one_write() -> None:
    client = Client(interceptor(100))
    client.sends(
        ApiVersionsRequest(client_software_name="l" * 9000, client_software_version="2" * 9000), 3
    )

    client.sends_frame(request(produce({"t" * 3000: {0: batch()}}), 9, 1, "c" * 9000))

    [injection] = client.recorded.injections
    assert injection.client_id == "c" * 512 + "…"
    assert injection.client_software_name == "l" * 512 + "…"
    assert injection.client_software_version == "2" * 512 + "…"
    assert injection.topic == "t" * 512 + "…"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("é" * 300, "é" * 256),
        ('"' * 200, '"' * 85),
        ("a" * 512, "a" * 512),
        ("\udcff" * 90, "\udcff" * 85),
    ],
)
def test_what_free_text_may_take_counts_as_it_stands_in_the_line(text: str, kept: str) -> None:
    client = Client(interceptor(100))

    client.sends_frame(request(produce(), 9, 1, text))

    [injection] = client.recorded.injections
    assert injection.client_id == (text if text == kept else kept + "…")


def test_a_client_without_an_id_has_none_in_the_event() -> None:
    client = Client(interceptor(100))

    client.sends_frame(request(produce(), 9, 1, None))

    assert client.recorded.injections[0].client_id is None


@pytest.mark.parametrize(("partitions", "expected"), [(MAX_EVENTS, 1), (MAX_EVENTS + 1, 0)])
def test_a_request_of_too_many_partitions_to_record_is_forwarded(
    partitions: int, expected: int
) -> None:
    client = Client(interceptor(100))
    many = produce({"cars": dict.fromkeys(range(partitions), batch())})

    actions = client.sends(many, 9)

    assert len(to_client(actions)) == expected
    assert len(client.recorded.injections) == expected * partitions


def test_what_cannot_be_recorded_is_not_injected() -> None:
    client = tenant(interceptor(100))
    client.recorded.accepts = False

    sent = forwarded(client.sends(produce(), 9, 1))

    assert sent.topic_data[0].name == "teamAcars"
    assert client.recorded.refused == 1


def test_after_a_refused_record_no_other_interceptor_has_its_turn() -> None:
    client = Client(interceptor(100, name="a"), interceptor(100, name="b"))
    client.recorded.accepts = False

    forwarded(client.sends(produce(), 9))

    assert client.recorded.refused == 1


def test_injection_resumes_as_soon_as_events_can_be_recorded() -> None:
    client = Client(interceptor(100))
    client.recorded.accepts = False
    client.sends(produce(), 9, 1)
    client.broker_answers(response(ProduceResponse(), 9, 1))

    client.recorded.accepts = True
    actions = client.sends(produce(), 9, 2)

    assert refused(to_client(actions)[0]) == [("cars", 0, 6)]
    assert [injection.draw for injection in client.recorded.injections] == [1]


# Order


def test_a_refusal_waits_for_the_answers_to_earlier_requests() -> None:
    client = Client(interceptor(100))
    client.sends(HEARTBEAT, 4, 1)
    client.sends(HEARTBEAT, 4, 2)

    assert client.sends(produce(), 9, 3) == []
    client.sends(HEARTBEAT, 4, 4)
    first = to_client(client.broker_answers(response(BEAT, 4, 1)))
    second = to_client(client.broker_answers(response(BEAT, 4, 2)))
    last = to_client(client.broker_answers(response(BEAT, 4, 4)))

    ids = [[int.from_bytes(f[:4], "big") for f in fs] for fs in (first, second, last)]
    assert ids == [[1], [2, 3], [4]]
    assert refused(second[1]) == [("cars", 0, 6)]


def test_the_record_is_taken_when_it_is_decided_not_when_the_answer_leaves() -> None:
    client = Client(interceptor(100))
    client.sends(HEARTBEAT, 4, 1)

    client.sends(produce(), 9, 2)

    assert [injection.correlation_id for injection in client.recorded.injections] == [2]


# acks=0


def test_acks_0_chosen_with_nothing_in_flight_closes_at_once() -> None:
    client = Client(interceptor(100))

    actions = client.sends(produce(acks=0), 9)

    assert actions == [Close("fault_injected", "NOT_LEADER_OR_FOLLOWER with acks=0 has no answer")]
    [injection] = client.recorded.injections
    assert (injection.outcome, injection.acks) == ("DISCONNECT", 0)


def test_acks_0_chosen_closes_only_after_what_is_in_flight_was_answered() -> None:
    client = Client(interceptor(100))
    client.sends(HEARTBEAT, 4, 1)
    client.sends(produce(acks=1), 9, 2)
    client.sends(HEARTBEAT, 4, 3)

    assert client.sends(produce(acks=0), 9, 4) == []
    assert client.sends(HEARTBEAT, 4, 5) == [], "nothing new is served"
    assert client.sends(produce(acks=0), 9, 6) == []
    first = client.broker_answers(response(BEAT, 4, 1))
    last = client.broker_answers(response(BEAT, 4, 3))

    assert len(to_client(first)) == 2
    assert closes(first) == []
    assert [type(action) for action in last] == [ToClient, Close]
    assert closes(last) == ["fault_injected"]
    assert [i.correlation_id for i in client.recorded.injections] == [2, 4]


def test_acks_0_that_cannot_be_recorded_is_forwarded() -> None:
    client = Client(interceptor(100))
    client.recorded.accepts = False

    assert forwarded(client.sends(produce(acks=0), 9)).acks == 0


@pytest.mark.parametrize("version", range(3, 13))
@pytest.mark.parametrize("who", ["passthrough", "tenant"])
def test_acks_0_forwarded_takes_no_place_among_the_answers(who: str, version: int) -> None:
    client = tenant() if who == "tenant" else Client()

    assert to_broker(client.sends(produce(acks=0), version, 1))
    client.sends(HEARTBEAT, 4, 2)

    assert len(to_client(client.broker_answers(response(BEAT, 4, 2)))) == 1


def test_acks_0_of_a_version_that_was_not_offered_takes_no_place_either() -> None:
    """Produce v13 is capped, but a client may send it where the broker knows it."""
    client = Client()

    assert to_broker(client.sends(produce({"": {0: batch()}}, acks=0), 13, 1))
    client.sends(HEARTBEAT, 4, 2)

    assert len(to_client(client.broker_answers(response(BEAT, 4, 2)))) == 1


def test_identity_of_a_tenant_is_what_its_token_says() -> None:
    client = tenant(interceptor(100, scope=Scope(virtual_cluster="teamA", username="sa")))

    client.sends(produce(), 9)

    [injection] = client.recorded.injections
    assert (injection.principal, injection.virtual_cluster) == (
        TENANT.username,
        TENANT.virtual_cluster,
    )
