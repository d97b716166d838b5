"""Consumers and transactional producers of real clients while their coordinator moves."""

from __future__ import annotations

import time
from uuid import uuid4

import confluent_kafka
import pytest

from tests.kafka import clients
from tests.kafka.sidecars import Gateways, Sidecar

# The first test pays for the start of the cluster, and perhaps for the download.
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

PLUGIN = "kafka.chaos.CoordinatorMovePlugin"
VALUES = [f"value-{number:02}" for number in range(40)]


def move(sidecar: Sidecar, vcluster: str, key: str, key_type: str) -> None:
    """From the next request about it on."""
    path = f"/admin/interceptors/v1/vcluster/{vcluster}/interceptor/move"
    config = {"coordinatorKey": key, "keyType": key_type, "unavailableMs": 800, "loadingMs": 800}
    body = {"pluginClass": PLUGIN, "priority": 1, "config": config}
    status, reply = sidecar.request("POST", path, body)
    assert status == 201, reply
    assert sidecar.request("GET", path)[1]["config"] == config


def phases(sidecar: Sidecar, vcluster: str) -> list[str]:
    """The errors in the order in which they first were, without who asked for the coordinator."""
    events = sidecar.events(virtual_cluster=vcluster, fault="coordinator_move")
    return list(dict.fromkeys(e["error"] for e in events if e["api"] != "FIND_COORDINATOR"))


def commit(consumer: confluent_kafka.Consumer) -> None:
    """Commit, again while the coordinator is loading: librdkafka leaves that to its user."""
    ends = time.monotonic() + 10
    while True:
        try:
            consumer.commit(asynchronous=False)
            return
        except confluent_kafka.KafkaException as error:
            passing = error.args[0].name() in ("COORDINATOR_LOAD_IN_PROGRESS", "NOT_COORDINATOR")
            if not passing or time.monotonic() > ends:
                raise


def test_a_consumer_goes_on_after_its_coordinator_moved(gateways: Gateways) -> None:
    vcluster = f"moves-{uuid4().hex[:12]}-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, "t")
    clients.Confluent().produce(access, "t", VALUES[:20])
    config = clients.librdkafka_config(access) | {
        "group.id": "readers",
        "auto.offset.reset": "earliest",
        "heartbeat.interval.ms": 200,
        "session.timeout.ms": 30000,
        "enable.auto.commit": False,
    }
    consumer = confluent_kafka.Consumer(config)
    try:
        consumer.subscribe(["t"])
        assert clients.read(consumer, 20) == VALUES[:20]
        consumer.commit(asynchronous=False)

        move(gateways.first, vcluster, "readers", "GROUP")

        ends = time.monotonic() + 5
        while not phases(gateways.first, vcluster) and time.monotonic() < ends:
            assert consumer.poll(0.1) is None
        clients.Confluent().produce(access, "t", VALUES[20:])
        assert clients.read(consumer, 20) == VALUES[20:]
        commit(consumer)
        [committed] = consumer.committed([confluent_kafka.TopicPartition("t", 0)], timeout=20)
        assert committed.offset == len(VALUES)
    finally:
        consumer.close()
    # librdkafka asks for the coordinator again after a while of its own, when it may be ready.
    assert phases(gateways.first, vcluster)[0] == "NOT_COORDINATOR"
    events = gateways.first.events(virtual_cluster=vcluster, fault="coordinator_move")
    assert {event["coordinator_key"] for event in events} == {"readers"}
    asked = {event["error"] for event in events if event["api"] == "FIND_COORDINATOR"}
    assert asked <= {"COORDINATOR_NOT_AVAILABLE"}


def test_a_transaction_is_committed_after_its_coordinator_moved(gateways: Gateways) -> None:
    vcluster = f"moves-{uuid4().hex[:12]}-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, "t")
    config = clients.librdkafka_config(access) | {"transactional.id": "payments"}
    producer = confluent_kafka.Producer(config)
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce("t", VALUES[0])
    producer.flush(30)

    move(gateways.first, vcluster, "payments", "TRANSACTION")

    producer.commit_transaction(30)
    # Brokers write the marker, behind which readers of committed records may look, a little later.
    ends, stored = time.monotonic() + 10, list[str]()
    while not stored and time.monotonic() < ends:
        stored = clients.stored(gateways.kafka.bootstrap, f"{vcluster}t")
    assert stored == VALUES[:1]
    assert phases(gateways.first, vcluster) == ["NOT_COORDINATOR", "COORDINATOR_LOAD_IN_PROGRESS"]
