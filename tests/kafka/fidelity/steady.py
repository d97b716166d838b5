"""A Python client that produces steadily, as a process of its own.

Usage: python -m tests.kafka.fidelity.steady LIBRARY BOOTSTRAP TOPIC INTERVAL_MS. One record in so
many milliseconds to partition 0 with acks=all and else the library's defaults, until stdin ends;
prints ``ready`` with the first acknowledgement and in the end one line of JSON, see `Tally`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
import time
import warnings
from collections import Counter
from typing import Any

FLUSH_SECONDS = 40


class Tally:
    """What the library told its user."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.sent = 0
        self.acknowledged = 0
        self.failed: Counter[str] = Counter()
        self.slowest = 0.0
        self._ready = float("inf")

    def done(self, began: float, error: object = None) -> None:
        """A record that was given to the library at `began` has come to its end."""
        if error is not None:
            self.failed[str(error)] += 1
            return
        if not self.acknowledged:
            self._ready = time.monotonic()
            print("ready", flush=True)
        self.acknowledged += 1
        if began >= self._ready:  # what waited for the first connections says nothing
            self.slowest = max(self.slowest, time.monotonic() - began)

    def show(self) -> None:
        """As JSON: records sent, acknowledged, failed by error; the slowest that was sent when the
        first had been acknowledged, in milliseconds.
        """
        told = {
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "failed": self.failed,
            "slowest_ms": round(self.slowest * 1000, 1),
        }
        print(json.dumps(told), flush=True)


def until_stdin_ends() -> threading.Event:
    """An event that is set then."""
    ended = threading.Event()

    def read() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    return ended


def confluent(bootstrap: str, topic: str, pause: float, tally: Tally) -> None:
    """librdkafka: acks=all is its default, idempotence is not."""
    import confluent_kafka

    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    ended = until_stdin_ends()

    def sent(began: float) -> Any:
        return lambda error, _: tally.done(began, error and error.name())

    while not ended.wait(pause):
        producer.produce(topic, str(tally.sent), partition=0, on_delivery=sent(time.monotonic()))
        tally.sent += 1
        producer.poll(0)
    producer.flush(FLUSH_SECONDS)


def kafka_python(bootstrap: str, topic: str, pause: float, tally: Tally) -> None:
    """kafka-python: acks=all and idempotence are its defaults."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import kafka

    producer = kafka.KafkaProducer(bootstrap_servers=bootstrap)
    ended = until_stdin_ends()
    while not ended.wait(pause):
        began = time.monotonic()
        sent = producer.send(topic, str(tally.sent).encode(), partition=0)
        sent.add_callback(lambda _, began=began: tally.done(began))
        sent.add_errback(lambda error, began=began: tally.done(began, type(error).__name__))
        tally.sent += 1
    producer.flush(FLUSH_SECONDS)
    producer.close(5)


def aio(bootstrap: str, topic: str, pause: float, tally: Tally) -> None:
    """aiokafka: acks=1 and no idempotence are its defaults; here acks=all."""
    asyncio.run(_aio(bootstrap, topic, pause, tally))


async def _aio(bootstrap: str, topic: str, pause: float, tally: Tally) -> None:
    import aiokafka

    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    ended = until_stdin_ends()
    pending: set[asyncio.Future[Any]] = set()

    def over(sent: asyncio.Future[Any], began: float) -> None:
        pending.discard(sent)
        error = sent.exception()
        tally.done(began, error and type(error).__name__)

    while not ended.is_set():
        await asyncio.sleep(pause)
        began = time.monotonic()
        sent = await producer.send(topic, str(tally.sent).encode(), partition=0)
        pending.add(sent)
        sent.add_done_callback(lambda each, began=began: over(each, began))
        tally.sent += 1
    if pending:
        await asyncio.wait(pending, timeout=FLUSH_SECONDS)
    await producer.stop()


LIBRARIES = {"librdkafka": confluent, "kafka-python": kafka_python, "aiokafka": aio}


def main(arguments: list[str]) -> int:
    """Produce until stdin ends."""
    library, bootstrap, topic, interval = arguments
    logging.disable(logging.CRITICAL)
    tally = Tally()
    LIBRARIES[library](bootstrap, topic, float(interval) / 1000, tally)
    tally.show()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
