"""Every listener protocol by every upstream protocol by every client, on real Kafka.

One sidecar for each pair, all clients on it; SASL mechanisms take turns. With each listener once,
half of the requests are refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import confluent_kafka
import kafka as kafka_python
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.kafka import clients
from tests.kafka.cluster import RealKafka
from tests.kafka.java_process import JavaProcess
from tests.kafka.secured import (
    MECHANISMS,
    PASSWORD,
    USER,
    Certificates,
    Door,
    listener,
    upstream,
)
from tests.kafka.sidecars import Sidecar

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

COUNT = 12
VALUES = [str(number) for number in range(COUNT)]
OWN = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
DELEGATED = ("DELEGATED_SASL_PLAINTEXT", "DELEGATED_SASL_SSL")
_TURN = itertools.cycle(MECHANISMS)
PAIRS = [(near, far) for near in OWN for far in OWN] + [
    (near, far) for near in DELEGATED for far in ("SASL_PLAINTEXT", "SASL_SSL")
]
CASES = [(near, far, next(_TURN) if far.startswith("SASL") else "") for near, far in PAIRS]
FIRST_PORT = 22969


@pytest.fixture(scope="module")
def java(
    secured_kafka: RealKafka, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JavaProcess]:
    """One JVM for all of them."""
    nothing = tmp_path_factory.mktemp("java") / "client.properties"
    nothing.write_text("")
    with JavaProcess(secured_kafka.distribution, secured_kafka.bootstrap, nothing) as process:
        yield process


def through_librdkafka(door: Door, topic: str) -> list[str]:
    settings = door.librdkafka() | {"log_level": 0}
    failed: list[object] = []
    producer = confluent_kafka.Producer(settings | {"enable.idempotence": True, "linger.ms": 0})
    for value in VALUES:
        producer.produce(topic, value, on_delivery=lambda e, _: failed.append(e) if e else None)
        producer.poll(0)
    assert (producer.flush(30), failed) == (0, [])
    consumer = confluent_kafka.Consumer(settings | {"group.id": "matrix"})
    try:
        consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
        return clients.read(consumer, COUNT)
    finally:
        consumer.close()


def through_kafka_python(door: Door, topic: str) -> list[str]:
    producer = kafka_python.KafkaProducer(**door.python())
    try:
        for sent in [producer.send(topic, value.encode()) for value in VALUES]:
            sent.get(timeout=30)
    finally:
        producer.close(timeout=10)
    consumer = kafka_python.KafkaConsumer(**door.python(), consumer_timeout_ms=20000)
    values: list[str] = []
    try:
        partition = kafka_python.TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        for message in consumer:
            values.append(message.value.decode())
            if len(values) == COUNT:
                break
    finally:
        consumer.close()
    return values


@pytest.mark.parametrize(("near", "far", "mechanism"), CASES, ids=map(" by ".join, CASES))
def test_all_clients_produce_and_consume(
    secured_kafka: RealKafka,
    files: Certificates,
    java: JavaProcess,
    tmp_path: Path,
    near: str,
    far: str,
    mechanism: str,
) -> None:
    settings = {**upstream(secured_kafka, far, mechanism, files), **listener(near, files)}
    sidecar = Sidecar("one", secured_kafka, FIRST_PORT, tmp_path, **settings)
    try:
        user, password, vcluster = USER, PASSWORD, "passthrough"
        if near in ("SASL_PLAINTEXT", "SASL_SSL"):
            vcluster = f"v{CASES.index((near, far, mechanism))}-"
            password = sidecar.access(vcluster, user).token
        said = mechanism if near in DELEGATED else "PLAIN"
        protocol = near.removeprefix("DELEGATED_")
        door = Door(sidecar.bootstrap, protocol, said, user, password, files.authority)
        topics = [f"{near}.{far}.{name}" for name in ("java", "librdkafka", "python")]
        admin = AdminClient(door.librdkafka() | {"log_level": 0})
        for made in admin.create_topics([NewTopic(topic, 1, 1) for topic in topics]).values():
            made.result(30)
        if far == "SASL_PLAINTEXT":
            sidecar.inject(vcluster, 50, 3)

        config = tmp_path / "client.properties"
        config.write_text(door.java())
        with ThreadPoolExecutor(2) as pool:
            by_java = pool.submit(java.run, "RoundTrip", str(config), topics[0], str(COUNT))
            by_librdkafka = pool.submit(through_librdkafka, door, topics[1])
            # kafka-python has no token provider of its own.
            if said != "OAUTHBEARER":
                assert through_kafka_python(door, topics[2]) == VALUES
        assert by_librdkafka.result() == VALUES
        shown = by_java.result()
        assert shown.status == 0, shown.text
        assert shown.text.split()[-1].split(",") == VALUES

        who = {event["principal"] for event in sidecar.events("authenticated")}
        assert who == ({user} if "SASL" in near else set())
        assert bool(sidecar.events()) is (far == "SASL_PLAINTEXT")
    finally:
        assert sidecar.stop() == 0
