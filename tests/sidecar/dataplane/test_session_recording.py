"""What is put on record of an injection, and what cannot be and is not injected."""

from dataclasses import asdict
from typing import Any

import pytest

from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.produce import ProduceResponse
from sidecar.dataplane.noting import MAX_EVENTS
from tests.sidecar.dataplane.test_session_injecting import refused
from tests.support.messages import batch, produce, request, response
from tests.support.sessions import (
    NOW,
    Client,
    forwarded,
    interceptor,
    tenant,
    to_client,
)


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
