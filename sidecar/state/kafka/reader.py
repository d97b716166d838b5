"""Reads the topic from its beginning, and on as others write.

First with a short wait, which tells where the end is; then with a long one, so that a fleet at rest
asks the broker once in a while only, and hears of a change at once all the same.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from sidecar.state.kafka.client import QUIET, Unreachable
from sidecar.state.kafka.topic import PARTITION

_SHORT_WAIT_MS: Final = 50
LONG_WAIT_MS: Final = 20_000
"""How long a broker holds the question of a reader that has all there is."""
_POLL_SECONDS: Final = 1.0
_STALLED_SECONDS: Final = 15.0
"""Reading the topic to its end is given up when nothing comes for so long."""
_LOST: Final = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
}


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `value` None deletes."""

    offset: int
    key: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Whole:
    """All that the topic has: what was known before does not count any more."""

    records: tuple[Record, ...]
    through: int
    """The offset from which on nothing has been read."""


Arrival = Record | Whole


class TopicLost(Exception):
    """The topic is not there any more."""


class Reader:
    """Puts what it reads into a queue, on a thread of its own.

    Args:
        client: settings of librdkafka.
        topic: its name; it must be there.
        on_arrival: called after something was put into the queue.
        on_health: told, when it changes, why the cluster cannot be reached; empty when it can.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        topic: str,
        on_arrival: Callable[[], None],
        on_health: Callable[[str], None],
    ) -> None:
        self.arrivals: SimpleQueue[Arrival] = SimpleQueue()
        self._client = client
        self._topic = topic
        self._on_arrival = on_arrival
        self._on_health = on_health
        self._trouble = ""
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Have `follow` return before long."""
        self._stopping.set()

    def read_all(self) -> int:
        """Read the topic from its beginning to its end; return where to go on.

        Raises:
            Unreachable: the cluster does not answer.
            TopicLost: the topic is not there.
        """
        consumer = self._consumer(_SHORT_WAIT_MS, OFFSET_BEGINNING)
        records: list[Record] = []
        try:
            while not self._stopping.is_set():
                message = consumer.poll(_STALLED_SECONDS)
                if message is None:
                    raise Unreachable(self._trouble or f"nothing came for {_STALLED_SECONDS:g} s")
                error = message.error()
                if error is None:
                    records.append(_record(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    self._arrived(Whole(tuple(records), message.offset()))
                    return int(message.offset())
                else:
                    self._fail(error)
            return 0
        finally:
            consumer.close()

    def follow(self, offset: int) -> None:
        """Read on from there until `stop`.

        Raises:
            TopicLost: the topic is not there any more, or is another one of its name.
        """
        consumer = self._consumer(LONG_WAIT_MS, offset)
        try:
            while not self._stopping.is_set():
                message = consumer.poll(_POLL_SECONDS)
                if message is None:
                    self._probe(consumer)
                    continue
                error = message.error()
                if error is None:
                    self._healthy()
                    self._arrived(_record(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    self._healthy()
                elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                    raise TopicLost(f"topic {self._topic!r} has fewer records than before")
                else:
                    self._fail(error)
        finally:
            consumer.close()

    def _consumer(self, wait_ms: int, offset: int) -> Any:
        consumer = Consumer(
            {
                # Never joined: librdkafka wants one to be named.
                "group.id": f"{self._topic}-reader",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "error" if offset >= 0 else "earliest",
                "fetch.wait.max.ms": wait_ms,
                # A broker that is there answers within the wait; another is found out then.
                "socket.timeout.ms": LONG_WAIT_MS + 10_000,
                "socket.keepalive.enable": True,
                # Back soon after the brokers are; and a topic that is gone is believed to be.
                "reconnect.backoff.max.ms": 1000,
                "topic.metadata.propagation.max.ms": 2000,
                "queued.max.messages.kbytes": 4096,
                "error_cb": self._on_error,
                **self._client,
                **QUIET,
            }
        )
        consumer.assign([TopicPartition(self._topic, PARTITION, offset)])
        return consumer

    def _arrived(self, what: Arrival) -> None:
        self.arrivals.put(what)
        self._on_arrival()

    def _fail(self, error: Any) -> None:
        if error.code() in _LOST:
            raise TopicLost(f"topic {self._topic!r} is not there: {error.str()}")
        self._on_error(error)

    def _on_error(self, error: Any) -> None:
        if not self._trouble:
            self._trouble = error.str()
            self._on_health(self._trouble)

    def _healthy(self) -> None:
        if self._trouble:
            self._trouble = ""
            self._on_health("")

    def _probe(self, consumer: Any) -> None:
        """While there is trouble, ask whether it is over: nothing may come for hours."""
        if not self._trouble:
            return
        try:
            found = consumer.list_topics(self._topic, timeout=_POLL_SECONDS).topics[self._topic]
        except KafkaException:
            return
        if found.error is None:
            self._healthy()
        elif found.error.code() in _LOST:
            raise TopicLost(f"topic {self._topic!r} is not there: {found.error.str()}")


def _record(message: Any) -> Record:
    value = message.value()
    return Record(
        message.offset(),
        (message.key() or b"").decode(errors="replace"),
        None if value is None else value.decode(errors="replace"),
    )
