"""Producers and a consumer that go on whatever happens, and what they saw of it."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import confluent_kafka
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

PRODUCERS = 4
PAUSE_SECONDS = 0.01
PATIENCE_SECONDS = 120


@dataclass
class Seen:
    """What one producer was told.

    Args:
        acked: values in the order of their acknowledgements.
        times: of these, on the monotonic clock.
    """

    sent: int = 0
    acked: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)


class Load:
    """Idempotent producers, each on a partition of its own, and one consumer of all.

    Args:
        bootstrap: of the sidecar.
        direct: of the cluster, where the truth is read in the end.
        topic: made here; with a replica on every broker.
    """

    def __init__(self, bootstrap: str, direct: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._direct = direct
        self.topic = topic
        admin = AdminClient({"bootstrap.servers": direct})
        new = NewTopic(topic, PRODUCERS, 3, config={"min.insync.replicas": "1"})
        admin.create_topics([new])[topic].result(30)
        self.seen = [Seen() for _ in range(PRODUCERS)]
        self.latencies: list[float] = []
        """Seconds from a record to its acknowledgement, of all producers, as they came."""
        self.consumed: list[list[int]] = [[] for _ in range(PRODUCERS)]
        self._stopping = threading.Event()
        self._reading = threading.Event()
        self._threads = [
            threading.Thread(target=self._produce, args=(number,)) for number in range(PRODUCERS)
        ] + [threading.Thread(target=self._consume)]
        for thread in self._threads:
            thread.start()

    def _produce(self, number: int) -> None:
        seen = self.seen[number]

        def noted(error: Any) -> None:
            seen.errors[error.name()] += 1

        producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": self._bootstrap,
                "enable.idempotence": True,
                "linger.ms": 0,
                "message.timeout.ms": PATIENCE_SECONDS * 1000,
                "reconnect.backoff.max.ms": 1000,
                "log_level": 0,
                "error_cb": noted,
            }
        )

        def delivered(error: Any, message: Any) -> None:
            if error is not None:
                seen.failed[error.name()] += 1
                return
            seen.acked.append(int(message.value()))
            seen.times.append(time.monotonic())
            self.latencies.append(message.latency())

        while not self._stopping.is_set():
            if len(producer) < 500:
                producer.produce(self.topic, str(seen.sent), partition=number, callback=delivered)
                seen.sent += 1
            producer.poll(PAUSE_SECONDS)
        producer.flush(PATIENCE_SECONDS)

    def _consume(self) -> None:
        consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": f"{self.topic}-reader",
                "enable.auto.commit": False,
                "reconnect.backoff.max.ms": 1000,
                "log_level": 0,
            }
        )
        consumer.assign(
            [confluent_kafka.TopicPartition(self.topic, n, 0) for n in range(PRODUCERS)]
        )
        while not self._reading.is_set():
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                self.consumed[message.partition()].append(int(message.value()))
        consumer.close()

    @property
    def acknowledged(self) -> int:
        """So far, of all producers."""
        return sum(len(seen.acked) for seen in self.seen)

    def all_since(self, moment: float) -> bool:
        """Whether every producer has had an acknowledgement after that."""
        return all(seen.times and seen.times[-1] > moment for seen in self.seen)

    def longest_silence(self, since: float) -> float:
        """The longest time in which some producer had no acknowledgement, from then on; seconds."""
        longest = 0.0
        for seen in self.seen:
            times = [since, *(t for t in seen.times if t >= since)]
            longest = max([longest, *(b - a for a, b in itertools.pairwise(times))])
        return longest

    def stop(self) -> None:
        """End producers, let the consumer catch up, and end it."""
        self._stopping.set()
        for thread in self._threads[:-1]:
            thread.join(PATIENCE_SECONDS + 10)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and any(
            len(set(read)) < len(seen.acked)
            for read, seen in zip(self.consumed, self.seen, strict=True)
        ):
            threading.Event().wait(0.2)
        self._reading.set()
        self._threads[-1].join(30)

    def stored(self) -> list[list[int]]:
        """What the cluster has, by partition, read straight from it."""
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self._direct, "group.id": "none"})
        found: list[list[int]] = []
        for number in range(PRODUCERS):
            at = confluent_kafka.TopicPartition(self.topic, number, 0)
            end = consumer.get_watermark_offsets(at, timeout=20)[1]
            consumer.assign([at])
            values: list[int] = []
            while len(values) < end:
                message = consumer.poll(20)
                if message is None:
                    break
                values.append(int(message.value()))
            found.append(values)
        consumer.close()
        return found
