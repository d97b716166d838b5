"""A client that does everything right while others do not: it produces, reads, and remembers."""

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

with warnings.catch_warnings():
    # kafka-python loads its schemas in a way that Python 3.11 calls old.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import NewTopic

_PACE = 0.02
_TOPIC = "good"
_SEND_SECONDS = 20


class GoodClient:
    """One producer (acks=all) and one consumer on threads of their own.

    Args:
        settings: how to connect.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._produced = threading.Event()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,))
            for work in (self._produce, self._consume)
        ]
        self.latencies: list[float] = []
        """Seconds from send to acknowledgement of each record, in order."""
        self.sent = 0
        self.received: list[int] = []
        self.failures: list[str] = []

    def create_topic(self) -> None:
        """Create the topic, which must not exist."""
        admin = KafkaAdminClient(**self._settings)
        try:
            admin.create_topics([NewTopic(_TOPIC, 1, 1)])
        finally:
            admin.close()

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; everything sent is waited for, but not for ever."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads), "the good client hangs"

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to tell it
            self.failures.append(f"{work.__name__}: {error!r}")
        finally:
            if work == self._produce:
                self._produced.set()

    def _produce(self) -> None:
        producer = KafkaProducer(**self._settings, acks="all", linger_ms=0)
        try:
            while not self._stopping.wait(_PACE):
                began = time.perf_counter()
                producer.send(_TOPIC, b"%d" % self.sent).get(timeout=_SEND_SECONDS)
                self.latencies.append(time.perf_counter() - began)
                self.sent += 1
        finally:
            producer.close(timeout=5)

    def _consume(self) -> None:
        consumer = KafkaConsumer(**self._settings, auto_offset_reset="earliest")
        try:
            consumer.assign([TopicPartition(_TOPIC, 0)])
            late: float | None = None
            while late is None or time.monotonic() < late:
                for records in consumer.poll(timeout_ms=100).values():
                    self.received += [int(record.value) for record in records]
                if self._produced.is_set():
                    late = late or time.monotonic() + 20
                    if len(self.received) >= self.sent:
                        # One more look: nothing may come twice.
                        late = min(late, time.monotonic() + 0.3)
        finally:
            consumer.close()


@contextmanager
def at_work(settings: dict[str, Any], *, create: bool) -> Iterator[GoodClient]:
    """A good client for the length of a with block."""
    client = GoodClient(settings)
    if create:
        client.create_topic()
    client.start()
    try:
        yield client
    finally:
        client.stop()
