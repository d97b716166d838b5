"""The same workload by each client library: a topic, a group, and transactions where it has them.

Each function is given a way in and a marker, which stands in every record, and returns what it saw
as lines "step: values". They must be the same for every tenant, but for the marker.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import aiokafka
import confluent_kafka
from confluent_kafka.admin import AdminClient

from tests.kafka import clients, node
from tests.kafka.clients import kafka_python, librdkafka_config, python_config
from tests.kafka.distribution import Distribution
from tests.kafka.java_process import JavaProcess
from tests.kafka.sidecars import Access
from tests.kafka.tools import client_properties

RECORDS = 5
LABELS = ("first", "aborted", "second")
READ = [label for label in LABELS if label != "aborted"]
SECONDS = 60
Workload = Callable[[Access, str], list[str]]


def values(marker: str, label: str) -> list[str]:
    """The records of one transaction."""
    return [f"{marker} {label} {number}" for number in range(RECORDS)]


def expected(client: str, marker: str) -> list[str]:
    """What a workload must have seen in the topic of `client`."""
    read = sorted(value for label in READ for value in values(marker, label))
    topic = f"{client}-orders"
    return [f"topics: {topic}", f"consumed: {', '.join(read)}", f"committed: {topic} 17"]


def _told(topics: list[str], read: list[str], committed: str) -> list[str]:
    return [
        f"topics: {', '.join(sorted(topics))}",
        f"consumed: {', '.join(sorted(read))}",
        f"committed: {committed}",
    ]


def confluent(access: Access, marker: str) -> list[str]:
    """confluent-kafka."""
    topic, group = "confluent-orders", "confluent-group"
    clients.create_topic(access, topic)
    seen = [name for name in clients.topics(access) if name.startswith("confluent-")]
    settings = {"transactional.id": "confluent-transaction"}
    producer = confluent_kafka.Producer(librdkafka_config(access) | settings)
    producer.init_transactions(SECONDS)
    for label in LABELS:
        producer.begin_transaction()
        for value in values(marker, label):
            producer.produce(topic, value.encode(), partition=0)
        if label == "aborted":
            producer.flush(SECONDS)
            producer.abort_transaction(SECONDS)
        else:
            producer.commit_transaction(SECONDS)
    reading = {
        "group.id": group,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
    }
    consumer = confluent_kafka.Consumer(librdkafka_config(access) | reading)
    try:
        consumer.subscribe([topic])
        read = clients.read(consumer, RECORDS * len(READ))
        position = consumer.position([confluent_kafka.TopicPartition(topic, 0)])[0]
        # Behind the last record is its transaction's marker.
        position.offset = RECORDS * len(LABELS) + 2
        consumer.commit(offsets=[position], asynchronous=False)
    finally:
        consumer.close()
    admin = AdminClient(librdkafka_config(access))
    assert group in {each.group_id for each in admin.list_consumer_groups().result().valid}
    wanted = confluent_kafka.ConsumerGroupTopicPartitions(group)
    found = admin.list_consumer_group_offsets([wanted])[group].result().topic_partitions
    committed = ", ".join(f"{each.topic} {each.offset}" for each in found)
    return _told(seen, read, committed)


def python(access: Access, marker: str) -> list[str]:
    """kafka-python."""
    topic, group = "python-orders", "python-group"
    admin = kafka_python.KafkaAdminClient(**python_config(access))
    try:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
        seen = [name for name in admin.list_topics() if name.startswith("python-")]
        settings = {"transactional_id": "python-transaction", "linger_ms": 0}
        producer = kafka_python.KafkaProducer(**python_config(access), **settings)
        try:
            producer.init_transactions()
            for label in LABELS:
                producer.begin_transaction()
                for value in values(marker, label):
                    producer.send(topic, value.encode(), partition=0)
                producer.flush(SECONDS)
                if label == "aborted":
                    producer.abort_transaction()
                else:
                    producer.commit_transaction()
        finally:
            producer.close(timeout=10)
        consumer = kafka_python.KafkaConsumer(
            topic,
            **python_config(access),
            group_id=group,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            enable_auto_commit=False,
            consumer_timeout_ms=20000,
        )
        read: list[str] = []
        try:
            for message in consumer:
                read.append((message.value or b"").decode())
                if len(read) == RECORDS * len(READ):
                    break
            end = kafka_python.OffsetAndMetadata(RECORDS * len(LABELS) + 2, "", -1)
            consumer.commit({kafka_python.TopicPartition(topic, 0): end})
            partition = kafka_python.TopicPartition(topic, 0)
            committed = f"{topic} {consumer.committed(partition)}"
        finally:
            consumer.close()
    finally:
        admin.close()
    return _told(seen, read, committed)


def aio(access: Access, marker: str) -> list[str]:
    """aiokafka, on its own event loop."""
    return asyncio.run(_aio(access, marker))


async def _aio(access: Access, marker: str) -> list[str]:
    topic, group = "aio-orders", "aio-group"
    clients.create_topic(access, topic)
    producer = aiokafka.AIOKafkaProducer(
        **python_config(access), transactional_id="aio-transaction"
    )
    await producer.start()
    try:
        seen = [name for name in await _aio_topics(producer) if name.startswith("aio-")]
        for label in LABELS:
            await producer.begin_transaction()
            for value in values(marker, label):
                await producer.send_and_wait(topic, value.encode(), partition=0)
            if label == "aborted":
                await producer.abort_transaction()
            else:
                await producer.commit_transaction()
    finally:
        await producer.stop()
    consumer = aiokafka.AIOKafkaConsumer(
        topic,
        **python_config(access),
        group_id=group,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        async with asyncio.timeout(SECONDS):
            messages = [await consumer.getone() for _ in range(RECORDS * len(READ))]
        partition = aiokafka.TopicPartition(topic, 0)
        await consumer.commit({partition: RECORDS * len(LABELS) + 2})
        committed = f"{topic} {await consumer.committed(partition)}"
    finally:
        await consumer.stop()
    return _told(seen, [(each.value or b"").decode() for each in messages], committed)


async def _aio_topics(producer: aiokafka.AIOKafkaProducer) -> set[str]:
    metadata = await producer.client.fetch_all_metadata()
    return set(metadata.topics())


def js(access: Access, marker: str) -> list[str]:
    """kafkajs."""
    return node.run(access, marker)


def expected_js(marker: str) -> list[str]:
    """What kafkajs must have seen."""
    read = sorted(f"js-orders {value}" for label in READ for value in values(marker, label))
    return [
        "topics: js-orders",
        f"consumed: {', '.join(read)}",
        "groups: js-group",
        "offsets: js-orders 17",
        "described: js-group Empty",
    ]


def java(distribution: Distribution) -> Workload:
    """The Java client's own features, in a process of its own."""

    def run(access: Access, marker: str) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "client.properties"
            config.write_text(client_properties(access.bootstrap, access.username, access.token))
            with JavaProcess(distribution, access.bootstrap, config) as process:
                shown = process.program("Workload", marker)
        assert shown.status == 0, shown.text[-3000:]
        return [line for line in shown.text.splitlines() if ": " in line]

    return run


def expected_java(marker: str) -> list[str]:
    """What the Java program must have seen."""

    def read(topic: str, *labels: str) -> list[str]:
        found = [f"{topic} {value}" for label in labels for value in values(marker, label)]
        return sorted(found)

    plain = read("java-plain", "java-plain")
    patterns = [
        each for topic in ("java-regex-one", "java-regex-two") for each in read(topic, topic)
    ]
    steps: Mapping[str, list[str]] = {
        "transaction offsets": ["2"],
        "transactional ids": ["[java-tx]"],
        "read_committed": read("java-committed", "first", "second"),
        "classic": plain,
        "consumer": plain,
        "classic pattern": patterns,
        "consumer pattern": patterns,
        "migration": ["one partition each true"],
        "migrated": read("java-moved", "java-moved"),
        "share": plain,
    }
    return [f"{step}: {', '.join(found)}" for step, found in steps.items()]
