"""Writes to the topic, as the only one who may at that time.

All sidecars write with one transactional id. Whoever begins anew with it fences off the others
(KIP-98: the producer's epoch grows), so a writer whose transaction commits knows that nobody has
written since he began; whoever is fenced off has to read first, and begin anew.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from sidecar.bearer.token import TokenError
from sidecar.model.errors import Unavailable
from sidecar.state.kafka.client import QUIET
from sidecar.state.kafka.topic import PARTITION

_SECONDS: Final = 4.0
"""Each step may take so long."""
_TRANSACTION_MS: Final = 10_000
"""After this the cluster ends the transaction of a writer that has vanished."""
_FENCED: Final = {
    KafkaError._FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.PRODUCER_FENCED,
}


class Fenced(Exception):
    """Another sidecar writes since."""


class Writer:
    """At most one transactional producer. Not for several threads at once.

    Args:
        client: settings of librdkafka.
        topic: its name; the transactional id is made of it.
    """

    def __init__(self, client: Mapping[str, Any], topic: str) -> None:
        self._settings = {
            **client,
            "transactional.id": f"{topic}-writer",
            "transaction.timeout.ms": _TRANSACTION_MS,
            "message.timeout.ms": int(_SECONDS * 1000),
            "acks": "all",
            "linger.ms": 0,
            "reconnect.backoff.max.ms": 1000,
            **QUIET,
        }
        self._topic = topic
        self._producer: Any = None
        self._lock = threading.Lock()

    @property
    def begun(self) -> bool:
        """Whether it was the only writer when it last wrote."""
        return self._producer is not None

    def begin(self) -> None:
        """Become the only writer. Raises Unavailable."""
        self.end()
        token = self._settings.get("oauth_cb")
        try:
            if token is not None:
                token("")  # without one librdkafka would wait for it for ten seconds
            producer = Producer(self._settings)
            producer.init_transactions(_SECONDS)
        except TokenError as error:
            raise Unavailable(f"the store takes no changes now: {error}") from None
        except KafkaException as error:
            raise Unavailable(f"the store takes no changes now: {error.args[0].str()}") from None
        self._producer = producer

    def write(self, changes: Iterable[tuple[str, str | None]]) -> int:
        """Write all of them or none; return the offset of the last.

        Raises:
            Fenced: another writer has begun; nothing was written.
            Unavailable: it was not written, or cannot be told whether it was.
        """
        producer = self._producer
        offsets: list[int] = []

        def delivered(error: Any, message: Any) -> None:
            if error is None:
                offsets.append(message.offset())

        try:
            producer.begin_transaction()
            for key, text in changes:
                value = None if text is None else text.encode()
                producer.produce(self._topic, value, key.encode(), PARTITION, on_delivery=delivered)
            producer.commit_transaction(_SECONDS)
        except (KafkaException, BufferError) as error:
            # Whoever begins anew reads first, and so finds out what came of this.
            self._producer = None
            raise _refusal(error, producer) from None
        return max(offsets)

    def end(self) -> None:
        """Let go of the producer; the next change begins anew."""
        self._producer = None


def _refusal(error: Any, producer: Any) -> Exception:
    cause = error.args[0]
    if not isinstance(cause, KafkaError):
        return Unavailable(f"the store takes no changes now: {error}")
    if cause.code() in _FENCED:
        return Fenced()
    if cause.txn_requires_abort():
        try:
            producer.abort_transaction(_SECONDS)
        except KafkaException as failed:
            return Unavailable(f"whether it was stored cannot be told: {failed.args[0].str()}")
        return Unavailable(f"the store did not take it: {cause.str()}")
    return Unavailable(f"whether it was stored cannot be told: {cause.str()}")
