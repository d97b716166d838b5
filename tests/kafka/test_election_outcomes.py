"""Elections that strike single partitions, and what was appended, on a real cluster."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.kafka import clients
from tests.kafka.sidecars import PLUGIN, Access, Gateways, Sidecar

# The first test pays for the start of the cluster, and perhaps for the download.
pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PARTITIONS, RECORDS = 4, 200
OUTCOMES = ("REJECT", "APPEND_THEN_REJECT", "APPEND_THEN_DISCONNECT")
Produce = Callable[[Access, str, bool], None]
Stored = list[list[str]]


def confluent(access: Access, topic: str, idempotent: bool) -> None:
    """librdkafka, several partitions in a request."""
    config = {"enable.idempotence": idempotent, "linger.ms": 5, "acks": "all"}
    failures: list[Any] = []
    producer = confluent_kafka.Producer(clients.librdkafka_config(access) | config)
    for number in range(RECORDS):
        producer.produce(
            topic,
            str(number),
            partition=number % PARTITIONS,
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
        if number % 20 == 19:
            producer.poll(0.02)
    assert producer.flush(clients.DELIVERY_SECONDS) == 0
    assert failures == []


def kafka_python(access: Access, topic: str, idempotent: bool) -> None:
    """kafka-python, whose requests hold one batch of each partition of a broker."""
    config = {"enable_idempotence": idempotent, "acks": "all", "linger_ms": 5, "retries": 1000}
    producer = clients.kafka_python.KafkaProducer(**clients.python_config(access), **config)
    pause = threading.Event()
    try:
        sent = []
        for number in range(RECORDS):
            value = str(number).encode()
            sent.append(producer.send(topic, value, partition=number % PARTITIONS))
            if number % 20 == 19:
                pause.wait(0.02)
        for each in sent:
            each.get(clients.DELIVERY_SECONDS)
    finally:
        producer.close()


PRODUCERS = {"confluent": confluent, "kafka-python": kafka_python}


def expected() -> Stored:
    """What each partition is to hold."""
    return [
        [str(number) for number in range(RECORDS) if number % PARTITIONS == partition]
        for partition in range(PARTITIONS)
    ]


def stored(bootstrap: str, topic: str) -> Stored:
    """What each partition of a physical topic holds, read straight from the brokers."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "none"})
    found = []
    try:
        for partition in range(PARTITIONS):
            place = confluent_kafka.TopicPartition(topic, partition, 0)
            end = consumer.get_watermark_offsets(place, timeout=10)[1]
            consumer.assign([place])
            found.append(clients.read(consumer, end))
    finally:
        consumer.close()
    return found


def elections(sidecar: Sidecar, vcluster: str, outcome: str, rate: int = 25, **more: int) -> None:
    """Of each topic-partition in a request a share is struck."""
    path = f"/admin/interceptors/v1/vcluster/{vcluster}/interceptor/elections"
    config = {"rateInPercent": rate, "seed": 5, "draw": "PARTITION", "outcome": outcome, **more}
    body = {"pluginClass": PLUGIN, "priority": 100, "config": config}
    status, reply = sidecar.request("POST", path, body)
    assert (status, reply) == (201, {"message": "elections is created"})
    shown = sidecar.request("GET", path)[1]
    assert shown["config"] == config


def run(gateways: Gateways, produce: Produce, outcome: str, idempotent: bool) -> Any:
    """Produce through a sidecar with elections; what is stored, and the events."""
    vcluster = f"outcomes-{uuid4().hex[:12]}-"
    access = gateways.first.access(vcluster)
    admin = AdminClient(clients.librdkafka_config(access))
    admin.create_topics([NewTopic("t", PARTITIONS, 1)])["t"].result(30)
    elections(gateways.first, vcluster, outcome)
    produce(access, "t", idempotent)
    events = gateways.first.events(virtual_cluster=vcluster)
    assert {event["outcome"] for event in events} == {outcome}
    return stored(gateways.kafka.bootstrap, f"{vcluster}t"), events


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("name", PRODUCERS)
def test_an_idempotent_producer_loses_nothing_and_repeats_nothing(
    gateways: Gateways, name: str, outcome: str
) -> None:
    found, _ = run(gateways, PRODUCERS[name], outcome, True)
    assert found == expected()


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("name", PRODUCERS)
def test_without_idempotence_only_what_was_appended_is_repeated(
    gateways: Gateways, name: str, outcome: str
) -> None:
    found, events = run(gateways, PRODUCERS[name], outcome, False)
    struck = Counter(event["partition"] for event in events)
    for partition, values in enumerate(expected()):
        counts = Counter(found[partition])
        assert set(counts) == set(values), "nothing is lost"
        repeated = sum(counts.values()) - len(values)
        if outcome == "REJECT" or not struck[partition]:
            assert repeated == 0
        else:
            assert repeated >= struck[partition], "each was appended, and came again"
