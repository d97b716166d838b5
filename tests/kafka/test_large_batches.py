"""Batches of thousands of records, in pieces: what real consumers and a real broker make of them.

librdkafka's producer puts up to ten thousand records into a batch, which is more than faults about
records have the time for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kafka import clients
from tests.kafka.processes import wait_until
from tests.kafka.sidecars import Gateways
from tests.kafka.test_fault_demos import Demo
from tests.kafka.test_record_fault_demos import (
    CONSUMERS,
    Seen,
    in_the_log,
    java,
    librdkafka,
    produce,
    python,
    strikes,
)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

COUNT = 9000
BEFORE, AFTER = struct.pack(">bi", 0, 1), struct.pack(">bi", 0, 999)
VALUES = [BEFORE + b"%d" % n for n in range(COUNT)]
IN_ONE = {"linger.ms": 2000}
SCHEMA = "SimulateInvalidSchemaIdPlugin"


def changed(values: list[bytes]) -> int:
    return sum(value.startswith(AFTER) for value in values)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_consumers_ask_for_the_rest_of_a_batch_that_is_cut(
    gateways: Gateways, tmp_path: Path, compression: str
) -> None:
    """The request that gets a batch in the middle of its session does not name the partition."""
    demo = Demo(gateways, f"pieces-{compression}", tmp_path)
    clients.create_topic(demo.access, "cars")
    strikes(demo, SCHEMA, topic="cars", invalidSchemaId=999)
    produce(demo.access, "cars", VALUES, **IN_ONE, **{"compression.type": compression})

    for consumer in CONSUMERS:
        found = consumer(demo.access, "cars", COUNT, demo)
        assert found == [(n, AFTER + b"%d" % n) for n in range(COUNT)], consumer

    assert in_the_log(gateways, demo, "cars", COUNT) == VALUES
    by_client: dict[str, list[int]] = {}
    for event in demo.events(outcome="CHANGE_RESPONSE"):
        by_client.setdefault(event["client_software_name"], []).append(event["records_changed"])
    assert [sum(each) >= COUNT for each in by_client.values()] == [True] * 3
    assert all(len(each) > 1 for each in by_client.values())
    assert passed_over(demo, "invalid_schema_id") == []


def passed_over(demo: Demo, fault: str) -> list[int]:
    events = demo.sidecar.events("records_passed_over", fault=fault)
    return [e["records"] for e in events if e["interceptor_uid"] in uids(demo)]


def uids(demo: Demo) -> set[str]:
    return {event["interceptor_uid"] for event in demo.events()}


@pytest.mark.parametrize("consumer", [java, librdkafka, python])
def test_a_consumer_gets_a_batch_twice_in_pieces(
    gateways: Gateways, tmp_path: Path, consumer: Callable[..., Seen]
) -> None:
    demo = Demo(gateways, f"large-{consumer.__name__}", tmp_path)
    clients.create_topic(demo.access, "cars")
    produce(demo.access, "cars", VALUES, **IN_ONE)
    strikes(demo, "DuplicateMessagesPlugin", topic="cars")

    found = consumer(demo.access, "cars", 2 * COUNT, demo)

    assert sorted(found) == [(n, VALUES[n]) for n in range(COUNT) for _ in "12"]
    assert passed_over(demo, "duplicate_messages") == []


def test_the_broker_gets_a_batch_of_which_a_part_is_changed(
    gateways: Gateways, tmp_path: Path
) -> None:
    demo = Demo(gateways, "part", tmp_path)
    clients.create_topic(demo.access, "cars")
    counter = "kafka_chaos_records_passed_over_total"
    before = demo.sidecar.metric(counter, fault="invalid_schema_id")
    strikes(demo, SCHEMA, topic="cars", invalidSchemaId=999, target="PRODUCE")

    produce(demo.access, "cars", VALUES, **IN_ONE)

    log = in_the_log(gateways, demo, "cars", COUNT)
    assert [value.removeprefix(AFTER).removeprefix(BEFORE) for value in log] == [
        b"%d" % n for n in range(COUNT)
    ]
    struck = sum(event["records_changed"] for event in demo.events())
    assert changed(log) == struck
    assert 0 < struck < COUNT
    wait_until(lambda: passed_over(demo, "invalid_schema_id") != [], "what passed is told", 5)
    assert demo.sidecar.metric(counter, fault="invalid_schema_id") - before == COUNT - struck
