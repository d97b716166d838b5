"""The application of the demonstration: it produces; then an oracle reads the log back."""

import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

_RETRIED: Final = "Got error produce response"
_DELIVERY_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the records."""

    sent: int
    acknowledged: frozenset[str]
    retried: int


class _RetryCounter(logging.Handler):
    """kafka-python tells each retry in its log, and nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if _RETRIED in message:
            self.count += 1
            self.last = message


def produce(
    settings: Mapping[str, Any],
    topic: str,
    records: int,
    throughput: float,
    injected: Callable[[], int],
) -> Outcome:
    """Send `records` numbered records, `throughput` a second, and show how it goes."""
    retries = _RetryCounter()
    logger = logging.getLogger("kafka")
    logger.addHandler(retries)
    logger.propagate = False
    producer = KafkaProducer(
        **settings,
        client_id="demo-producer",
        linger_ms=0,
        delivery_timeout_ms=_DELIVERY_SECONDS * 1000,
        request_timeout_ms=10_000,
    )
    futures = []
    started = time.monotonic()
    try:
        for number in range(records):
            _pace(started + number / throughput)
            futures.append(producer.send(topic, f"record-{number}".encode()))
            if number + 1 == records:
                producer.flush(timeout=_DELIVERY_SECONDS)
            _show(number + 1, records, injected(), retries.count)
    finally:
        producer.close(timeout=5)
        logger.removeHandler(retries)
    acknowledged = frozenset(
        f"record-{number}" for number, future in enumerate(futures) if _acknowledged(future)
    )
    if retries.last:
        print(f"\n\nThe client's log, last of {retries.count} lines like it:\n    {retries.last}")
    return Outcome(records, acknowledged, retries.count)


def _acknowledged(future: Any) -> bool:
    try:
        future.get(timeout=1)
    except KafkaError:
        return False
    return True


def _pace(moment: float) -> None:
    threading.Event().wait(max(0.0, moment - time.monotonic()))


def _show(sent: int, records: int, injected: int, retried: int) -> None:
    line = f"{sent:>5} of {records} records sent, {injected} errors injected, {retried} retries"
    if sys.stdout.isatty():
        print(f"\r{line}", end="", flush=True)
    elif sent % max(1, records // 5) == 0 or sent == records:
        print(line, flush=True)


def read_back(bootstrap: str, topic: str) -> list[str]:
    """Everything in the topic's only partition, in order, straight from the cluster."""
    partition = TopicPartition(topic, 0)
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    try:
        consumer.assign([partition])
        end = consumer.end_offsets([partition])[partition]
        found: list[str] = []
        deadline = time.monotonic() + 30
        while consumer.position(partition) < end and time.monotonic() < deadline:
            for batch in consumer.poll(timeout_ms=500).values():
                found += [record.value.decode() for record in batch]
        return found
    finally:
        consumer.close()


def lost_and_duplicated(outcome: Outcome, found: list[str]) -> tuple[int, int]:
    """How many acknowledged records are missing, and how many records stand there again."""
    counts = Counter(found)
    lost = len(outcome.acknowledged - counts.keys())
    return lost, sum(count - 1 for count in counts.values())


def in_order(found: list[str]) -> bool:
    """Whether what was found stands in the order it was sent in."""
    numbers = [int(value.removeprefix("record-")) for value in found]
    return numbers == sorted(numbers)
