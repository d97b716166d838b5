"""Producers that know what was acknowledged, and consumers that know what they saw."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import confluent_kafka

from tests.kafka.clients import librdkafka_config
from tests.kafka.sidecars import Access

PARTITIONS = 6
PAUSE = 0.01
Value = tuple[str, int]


@dataclass
class Producer:
    """Sends numbered values, each to the partition of its number, until it is told to stop."""

    access: Access
    name: str
    topic: str
    idempotent: bool
    acknowledged: dict[int, int] = field(default_factory=dict)
    """Partition by number."""
    failed: Counter[str] = field(default_factory=Counter)
    last: float = 0.0
    """When something was acknowledged, seconds of the monotonic clock."""

    def run(self, ended: threading.Event) -> None:
        """Produce until then, and wait for what is in flight."""
        config: dict[str, Any] = {
            "enable.idempotence": self.idempotent,
            "acks": "all",
            "linger.ms": 2,
            "retries": 1_000_000,
            "delivery.timeout.ms": 60_000,
            "retry.backoff.ms": 20,
            "retry.backoff.max.ms": 200,
            # By default it waits up to 10 s before it connects anew where connections break often,
            # and what is to be seen in the end is when the sidecar has healed.
            "reconnect.backoff.max.ms": 1000,
            "log_level": 0,
        }
        producer = confluent_kafka.Producer(librdkafka_config(self.access) | config)
        number = 0
        while not ended.wait(PAUSE):
            value = f"{self.name}:{number}"
            try:
                producer.produce(
                    self.topic, value, partition=number % PARTITIONS, on_delivery=self._delivered
                )
                number += 1
            except BufferError:
                pass
            producer.poll(0)
        assert producer.flush(90) == 0, f"{self.name}: still in flight"

    def _delivered(self, error: Any, message: Any) -> None:
        if error is not None:
            self.failed[error.name()] += 1
            return
        self.last = time.monotonic()
        self.acknowledged[int(message.value().decode().partition(":")[2])] = message.partition()


@dataclass
class Consumer:
    """Reads both topics in a group until it is told to stop."""

    access: Access
    seen: set[Value] = field(default_factory=set)

    def run(self, ended: threading.Event) -> None:
        """Consume until then."""
        config = {
            "group.id": "readers",
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 10_000,
            "log_level": 0,
        }
        consumer = confluent_kafka.Consumer(librdkafka_config(self.access) | config)
        try:
            consumer.subscribe(["exact", "loose"])
            while not ended.is_set():
                message = consumer.poll(0.2)
                if message is not None and message.error() is None:
                    self.seen.add(value_of(message.value()))
        finally:
            consumer.close()


def value_of(data: bytes) -> Value:
    """Producer and number."""
    name, _, number = data.decode().partition(":")
    return name, int(number)


def stored(bootstrap: str, topic: str) -> list[list[Value]]:
    """What each partition of a physical topic holds, straight from the brokers."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "oracle"})
    found: list[list[Value]] = []
    try:
        for partition in range(PARTITIONS):
            place = confluent_kafka.TopicPartition(topic, partition, 0)
            end = consumer.get_watermark_offsets(place, timeout=10)[1]
            consumer.assign([place])
            values: list[Value] = []
            # Control batches and gaps do not exist here: nothing is transactional or compacted.
            while len(values) < end:
                for message in consumer.consume(min(1000, end - len(values)), 20):
                    assert message.error() is None, message.error()
                    values.append(value_of(message.value()))
            found.append(values)
    finally:
        consumer.close()
    return found
