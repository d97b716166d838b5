"""The reference's demos of faults that change records, end to end: its payloads, its commands.

As Conduktor Gateway's demos do it, with Kafka's own console tools through a sidecar, and what those
demos look for. Where they wait for ten seconds without a record, the log is counted here.
The demo of schema ids has a schema registry and its serializers, which are not to be had from the
registries this project uses: here the bytes say it, a zero byte and the id.

Besides, what the demos do not show: consumers other than Java's, compressed batches, transactions,
and producers that outlive a fault.
"""

from __future__ import annotations

import struct
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest

from tests.kafka import clients
from tests.kafka.clients import librdkafka_config, python_config
from tests.kafka.processes import wait_until
from tests.kafka.sidecars import Access, Gateways
from tests.kafka.test_fault_demos import PACKAGE, Demo
from tests.kafka.tools import TOOL_TIMEOUT, main_class

with warnings.catch_warnings():
    # kafka-python loads its schemas in a way that Python 3.11 calls old.
    warnings.simplefilter("ignore", DeprecationWarning)
    import kafka as kafka_python

# The first test of a cluster pays for its start, and perhaps for the download.
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

HELLO = '{"message": "hello world"}'
AT_MOST = ("--max-messages",)
COMPRESSIONS = ("none", "gzip", "snappy", "lz4", "zstd")
Seen = list[tuple[int, bytes]]
"""Offsets and values."""


def consumed(demo: Demo, topic: str, *options: str) -> list[bytes]:
    """What the demos' kafka-console-consumer prints of a topic from its beginning."""
    distribution = demo.tools.distribution
    command = distribution.command(
        main_class(distribution, "kafka-console-consumer"),
        *("--bootstrap-server", demo.access.bootstrap),
        *("--consumer.config", str(demo.config), "--topic", topic),
        *("--from-beginning", "--timeout-ms", "10000", *options),
    )
    done = subprocess.run(command, capture_output=True, timeout=TOOL_TIMEOUT, check=False)
    assert b"Processed a total of" in done.stderr, done.stderr
    return [line for line in done.stdout.splitlines() if not line.startswith(b"Option --")]


def java(access: Access, topic: str, count: int, demo: Demo) -> Seen:
    """The first records of a topic that Java's consumer hands on."""
    options = ("--property", "print.offset=true", *AT_MOST, str(count))
    lines = [line.split(b"\t", 1) for line in consumed(demo, topic, *options)]
    return [(int(offset.removeprefix(b"Offset:")), value) for offset, value in lines]


def librdkafka(access: Access, topic: str, count: int, demo: Demo | None = None) -> Seen:
    """The first records of a topic that librdkafka hands on."""
    consumer = confluent_kafka.Consumer(librdkafka_config(access) | {"group.id": "nobody"})
    found: Seen = []
    try:
        consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
        until = time.monotonic() + 40
        while len(found) < count and time.monotonic() < until:
            for message in consumer.consume(count - len(found), 0.5):
                assert message.error() is None
                found.append((message.offset(), message.value()))
    finally:
        consumer.close()
    return found


def python(access: Access, topic: str, count: int, demo: Demo | None = None) -> Seen:
    """The first records of a topic that kafka-python hands on."""
    consumer = kafka_python.KafkaConsumer(
        topic,
        **python_config(access),
        auto_offset_reset="earliest",
        consumer_timeout_ms=40_000,
    )
    try:
        return [(m.offset, m.value) for _, m in zip(range(count), consumer, strict=False)]
    finally:
        consumer.close()


CONSUMERS: Sequence[Callable[..., Seen]] = (java, librdkafka, python)


def produce(access: Access, topic: str, values: Sequence[bytes], **config: Any) -> None:
    """Produce through librdkafka, all of it in as few batches as it takes."""
    settings = librdkafka_config(access) | {"linger.ms": 50} | config
    producer = confluent_kafka.Producer(settings)
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(30) == 0


def in_the_log(gateways: Gateways, demo: Demo, topic: str, count: int) -> list[bytes]:
    """The values on the cluster itself, of a topic with so many records."""
    assert written(gateways, demo, topic) == count
    direct = Access(gateways.kafka.bootstrap)
    return [value for _, value in librdkafka(direct, demo.vcluster + topic, count)]


def written(gateways: Gateways, demo: Demo, topic: str) -> int:
    """The count of records on the cluster itself."""
    direct = Access(gateways.kafka.bootstrap)
    consumer = confluent_kafka.Consumer(librdkafka_config(direct) | {"group.id": "nobody"})
    try:
        place = confluent_kafka.TopicPartition(demo.vcluster + topic, 0)
        _, end = consumer.get_watermark_offsets(place, timeout=10)
        return int(end)
    except confluent_kafka.KafkaException as error:
        if error.args[0].code() != confluent_kafka.KafkaError._UNKNOWN_PARTITION:
            raise
        return 0  # not every broker has heard of the topic yet
    finally:
        consumer.close()


def strikes(demo: Demo, plugin: str, **config: Any) -> None:
    """Add an interceptor that is no demo's."""
    path = f"/admin/interceptors/v1/vcluster/{demo.vcluster}/interceptor/strike"
    body = {"pluginClass": PACKAGE + plugin, "priority": 100, "config": config}
    assert demo.sidecar.request("PUT", path, body)[0] == 200


# The demos


def test_duplicate_messages(gateways: Gateways, tmp_path: Path) -> None:
    demo = Demo(gateways, "duplicate", tmp_path)
    assert "Created topic topic-duplicate." in demo.tools.create_topic("topic-duplicate")
    demo.adds(
        "duplicate-messages",
        "DuplicateMessagesPlugin",
        {"rateInPercent": 100, "topic": "topic-duplicate", "target": "PRODUCE"},
    )

    demo.tools.produce("topic-duplicate", [HELLO])

    assert consumed(demo, "topic-duplicate", *AT_MOST, "2") == [HELLO.encode()] * 2
    assert written(gateways, demo, "topic-duplicate") == 2
    [event] = demo.events()
    assert (event["fault"], event["outcome"]) == ("duplicate_messages", "CHANGE_REQUEST")
    assert (event["topic"], event["records_changed"]) == ("topic-duplicate", 1)


def test_message_corruption(gateways: Gateways, tmp_path: Path) -> None:
    demo = Demo(gateways, "corruption", tmp_path)
    assert "Created topic with-random-bytes." in demo.tools.create_topic("with-random-bytes")
    demo.adds(
        "simulate-massage-corruption",
        "ProduceSimulateMessageCorruptionPlugin",
        {"topic": "with-random-bytes", "sizeInBytes": 10, "rateInPercent": 100},
    )

    demo.tools.produce("with-random-bytes", [HELLO])

    [(_, value)] = librdkafka(demo.access, "with-random-bytes", 1)
    assert (len(value), value[10:]) == (10 + len(HELLO), HELLO.encode())
    shown = b"\n".join(consumed(demo, "with-random-bytes", *AT_MOST, "1"))
    assert HELLO.encode() in shown
    [event] = demo.events()
    assert (event["fault"], event["records_changed"]) == ("produce_message_corruption", 1)


def test_invalid_schema_id(gateways: Gateways, tmp_path: Path) -> None:
    demo = Demo(gateways, "schema", tmp_path)
    clients.create_topic(demo.access, "with-schema")
    demo.adds(
        "simulate-invalid-schema-id",
        "SimulateInvalidSchemaIdPlugin",
        {"topic": "with-schema", "invalidSchemaId": 999, "target": "CONSUME"},
    )
    body = b'{"message": "hello world"}'
    written = [struct.pack(">bi", 0, 1) + body, b"without a schema"]
    produce(demo.access, "with-schema", written)

    expected = [struct.pack(">bi", 0, 999) + body, b"without a schema"]
    assert consumed(demo, "with-schema", *AT_MOST, "2") == expected
    for consumer in (librdkafka, python):
        assert [value for _, value in consumer(demo.access, "with-schema", 2)] == expected
    assert in_the_log(gateways, demo, "with-schema", 2) == written
    assert {event["records_changed"] for event in demo.events()} == {1}


# What they do not show


def test_consumers_get_records_twice_and_the_log_has_them_once(
    gateways: Gateways, tmp_path: Path
) -> None:
    """Three batches of ten records."""
    demo = Demo(gateways, "twice", tmp_path)
    clients.create_topic(demo.access, "cars")
    values = [b"%d" % n for n in range(10)]
    for part, compression in ((values[:4], "none"), (values[4:9], "lz4"), (values[9:], "gzip")):
        produce(demo.access, "cars", part, **{"compression.type": compression})
    strikes(demo, "DuplicateMessagesPlugin", topic="cars")

    for consumer in CONSUMERS:
        found = consumer(demo.access, "cars", 20, demo)
        assert sorted(found) == [(n, values[n]) for n in range(10) for _ in "12"], consumer

    assert in_the_log(gateways, demo, "cars", 10) == values
    by_client: dict[str, int] = {}
    for event in demo.events(outcome="CHANGE_RESPONSE", topic="cars"):
        name = event["client_software_name"]
        by_client[name] = by_client.get(name, 0) + event["records_changed"]
    assert set(by_client.values()) == {10}
    assert "apache-kafka-java" in by_client


def test_a_share_of_records_twice_and_none_lost(gateways: Gateways, tmp_path: Path) -> None:
    demo = Demo(gateways, "a-fifth", tmp_path)
    clients.create_topic(demo.access, "cars")
    produce(demo.access, "cars", [b"%d" % n for n in range(300)])
    strikes(demo, "DuplicateMessagesPlugin", topic="c.*", rateInPercent=20, seed=7)

    found = java(demo.access, "cars", 10_000, demo)

    struck = sum(event["records_changed"] for event in demo.events())
    assert {offset for offset, _ in found} == set(range(300))
    assert all(value == b"%d" % offset for offset, value in found)
    assert 30 < struck < 90
    assert len(found) == 300 + struck


def test_fetched_records_are_corrupted_whatever_they_are_packed_in(
    gateways: Gateways, tmp_path: Path
) -> None:
    demo = Demo(gateways, "fetched", tmp_path)
    clients.create_topic(demo.access, "cars")
    for compression in COMPRESSIONS:
        produce(demo.access, "cars", [b"a" * 500] * 3, **{"compression.type": compression})
    strikes(demo, "FetchSimulateMessageCorruptionPlugin", sizeInBytes=4)

    found = librdkafka(demo.access, "cars", 15)
    # Not line by line: one of the bytes may be the end of a line.
    by_java = b"\n".join(consumed(demo, "cars", *AT_MOST, "15"))

    assert [offset for offset, _ in found] == list(range(15))
    assert {(len(value), value[4:]) for _, value in found} == {(504, b"a" * 500)}
    assert (by_java.count(b"a" * 500), len(by_java)) == (15, 15 * 505 - 1)
    assert in_the_log(gateways, demo, "cars", 15) == [b"a" * 500] * 15


def test_transactions_are_written_as_they_are_and_read_twice_if_committed(
    gateways: Gateways, tmp_path: Path
) -> None:
    demo = Demo(gateways, "transactions", tmp_path)
    clients.create_topic(demo.access, "cars")
    strikes(demo, "DuplicateMessagesPlugin", topic="cars", target="PRODUCE")
    settings = librdkafka_config(demo.access) | {"transactional.id": "t"}
    producer = confluent_kafka.Producer(settings)
    producer.init_transactions(20)
    for value, ends in ((b"gone", producer.abort_transaction), (b"kept", None)):
        producer.begin_transaction()
        producer.produce("cars", value)
        producer.flush(10)
        (ends or producer.commit_transaction)(20)
    assert demo.events() == []

    strikes(demo, "DuplicateMessagesPlugin", topic="cars")
    committed = consumed(demo, "cars", "--isolation-level", "read_committed", *AT_MOST, "2")

    assert committed == [b"kept", b"kept"]
    struck = demo.events(client_software_name="apache-kafka-java")
    assert [event["records_changed"] for event in struck] == [1]


class Stream(threading.Thread):
    """A producer that goes on until it is told to stop; then all has to be acknowledged."""

    def __init__(self, access: Access, topic: str) -> None:
        super().__init__(daemon=True)
        self.access, self.topic = access, topic
        self.ending = threading.Event()
        self.sent = self.acknowledged = 0
        self.failures: list[str] = []
        self.start()

    def run(self) -> None:
        """Produce "0", "1", ... a few hundred a second, one batch for every few."""
        settings = {"enable.idempotence": True, "linger.ms": 10}
        producer = confluent_kafka.Producer(librdkafka_config(self.access) | settings)
        try:
            while not self.ending.wait(0.003):
                producer.produce(self.topic, b"%d" % self.sent, on_delivery=self._delivered)
                self.sent += 1
                producer.poll(0)
            producer.flush(20)
        except confluent_kafka.KafkaException as error:
            self.failures.append(str(error))

    def _delivered(self, error: Any, message: Any) -> None:
        if error is not None:
            self.failures.append(str(error))
        self.acknowledged += error is None


def test_idempotent_producers_outlive_the_fault(gateways: Gateways, tmp_path: Path) -> None:
    """One that is older than the fault is left alone; one that began under it is duplicated."""
    demo = Demo(gateways, "outlive", tmp_path)
    for topic in ("old", "young", "java"):
        clients.create_topic(demo.access, topic)
    old = Stream(demo.access, "old")
    shown: list[str] = []
    perf = threading.Thread(
        daemon=True,
        target=lambda: shown.append(
            demo.tools.perf_test("java", 1200, "batch.size=200", throughput=200)
        ),
    )
    perf.start()
    wait_until(lambda: written(gateways, demo, "java") > 100, "a Java producer at work", 60)
    strikes(demo, "DuplicateMessagesPlugin", target="PRODUCE", rateInPercent=20, seed=3)
    young = Stream(demo.access, "young")
    wait_until(lambda: young.acknowledged > 200, "a producer that began under the fault", 60)
    demo.removes("strike")
    before = young.acknowledged
    wait_until(lambda: young.acknowledged > before + 100, "that producer without the fault", 60)
    for stream in (old, young):
        stream.ending.set()
        stream.join()
    perf.join()

    assert (old.failures, young.failures) == ([], [])
    assert (old.acknowledged, young.acknowledged) == (old.sent, young.sent)
    assert "1200 records sent" in shown[0]
    extra = {topic: demo.events(topic=topic) for topic in ("old", "young", "java")}
    copies = {t: sum(event["records_changed"] for event in found) for t, found in extra.items()}
    assert extra["old"] == []
    assert copies["young"] > 0
    assert copies["java"] > 0
    for topic, sent in (("old", old.sent), ("young", young.sent), ("java", 1200)):
        values = in_the_log(gateways, demo, topic, sent + copies[topic])
        numbers = [int(value) for value in values]
        assert set(numbers) == set(range(sent)), topic
        assert numbers == sorted(numbers), topic
