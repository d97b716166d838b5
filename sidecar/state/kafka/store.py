"""The store: what the topic has, what others do there, and what this sidecar writes."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from queue import Empty
from typing import Any, Final

from sidecar.control.ports import Outrun
from sidecar.model.errors import Unavailable
from sidecar.model.snapshot import Snapshot
from sidecar.state.kafka import topic as topics
from sidecar.state.kafka.client import Unreachable
from sidecar.state.kafka.reader import Arrival, Reader, Record, TopicLost
from sidecar.state.kafka.writer import Fenced, Writer
from sidecar.state.mirror import FIELDS, Mirror, Unreadable

_BARRIER: Final = json.dumps(["barrier"])
"""A record that says nothing: whoever reads his own has read all that was written before."""
_BARRIER_SECONDS: Final = 4.0
_AGAIN_SECONDS: Final = 1.0
"""Between two attempts to reach the topic."""


class KafkaStore:
    """The state of a fleet in one topic.

    Args:
        client: settings of librdkafka, such as ``bootstrap.servers``.
        topic: its name.
        replication_factor: of a new topic; -1 takes the cluster's default.
        clock: seconds since the epoch.
        unreadable: see `mirror.Unreadable`.
        on_arrival: called on a thread of the store when there may be news.
        log: bound logger.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        topic: str,
        replication_factor: int,
        clock: Callable[[], float],
        unreadable: Unreadable,
        on_arrival: Callable[[], None],
        log: Any,
    ) -> None:
        self._client = client
        self._topic = topic
        self._replication_factor = replication_factor
        self._log = log
        self._new_mirror: Callable[[], Mirror] = partial(Mirror, clock, unreadable)
        self._mirror = self._new_mirror()
        self._changed: frozenset[str] = frozenset()
        self._own = -1
        """Offset of the last record of our own: it and all before are in the mirror."""
        self._barrier = ""
        self.lacking = False
        """Whether the topic was made anew, and lacks the state that this sidecar goes on with."""
        self._writer = Writer(client, topic)
        self._reader = Reader(client, topic, on_arrival, self._on_health)
        self._trouble = "it has not been read yet"
        self._loaded = threading.Event()
        self._stopping = threading.Event()
        self.failure: topics.StoreTopicError | None = None
        """Why it can never be used, once that is known."""
        self._thread = threading.Thread(target=self._run, name="state-reader", daemon=True)

    def start(self) -> None:
        """Begin to read; `loaded` tells when all has been."""
        self._thread.start()

    def stop(self) -> None:
        """End reading and writing."""
        self._stopping.set()
        self._reader.stop()
        self._writer.end()

    @property
    def loaded(self) -> bool:
        """Whether all that was in the topic at the start has been read."""
        return self._loaded.is_set()

    @property
    def trouble(self) -> str:
        """Why the store cannot be reached; empty when it can."""
        return self._trouble

    def news(self, *, everything: bool = False) -> Mapping[str, Any] | None:
        """Return the fields of the snapshot that others have changed, or all."""
        self._drain()
        changed, self._changed = FIELDS if everything else self._changed, frozenset()
        return self._mirror.fields(changed) if changed else None

    def save(self, wanted: Snapshot) -> None:
        """Write what the topic lacks, as `ports.Store` has it."""
        if not self._mirror.missing(wanted):
            return
        if self._trouble:
            raise Unavailable(
                f"the store, topic {self._topic!r}, cannot be reached: {self._trouble}"
            )
        if not self._writer.begun:
            self._take_over()
        changes = self._mirror.missing(wanted)
        try:
            self._own = self._writer.write(changes.items())
        except Fenced:
            raise Outrun from None
        self._mirror.take(changes.items())
        self.lacking = False

    def _take_over(self) -> None:
        """Become the writer, and read what others wrote until then."""
        self._writer.begin()
        nonce = uuid.uuid4().hex
        try:
            self._writer.write([(_BARRIER, nonce)])
        except Fenced:
            raise Outrun from None
        deadline = time.monotonic() + _BARRIER_SECONDS
        while self._barrier != nonce:
            try:
                self._take(self._reader.arrivals.get(timeout=max(0, deadline - time.monotonic())))
            except Empty:
                self._writer.end()
                raise Unavailable(
                    f"the store, topic {self._topic!r}, is not read in time"
                ) from None
        if self._changed:
            raise Outrun

    def _drain(self) -> None:
        while True:
            try:
                self._take(self._reader.arrivals.get_nowait())
            except Empty:
                return

    def _take(self, arrival: Arrival) -> None:
        if isinstance(arrival, Record):
            if arrival.key == _BARRIER:
                self._barrier = arrival.value or ""
            elif arrival.offset > self._own:
                self._changed |= self._mirror.take([(arrival.key, arrival.value)])
            return
        had = len(self._mirror) > 0
        self._mirror = self._new_mirror()
        records = [(r.key, r.value) for r in arrival.records if r.key != _BARRIER]
        self._mirror.take(records)
        self._own = arrival.through - 1
        self._writer.end()
        self.lacking = had and not records
        if not self.lacking:
            self._changed = FIELDS

    # On the reader's thread.

    def _run(self) -> None:
        waiting = False
        while not self._stopping.is_set():
            try:
                topics.ensure(self._client, self._topic, self._replication_factor)
                offset = self._reader.read_all()
                self._on_health("")
                waiting = False
                self._loaded.set()
                self._reader.follow(offset)
            except topics.StoreTopicError as error:
                self.failure = error
                return
            except Exception as error:  # noqa: BLE001 - without this thread nothing is ever read
                told = isinstance(error, Unreachable | TopicLost)
                cause = str(error) if told else f"{type(error).__name__}: {error}"
                self._on_health(cause)
                if not waiting and not self._loaded.is_set():
                    self._log.warning("store_waiting", topic=self._topic, cause=cause)
                waiting = True
            self._stopping.wait(_AGAIN_SECONDS)

    def _on_health(self, trouble: str) -> None:
        before, self._trouble = self._trouble, trouble
        if trouble and not before:
            self._log.warning("store_unreachable", topic=self._topic, cause=trouble)
        elif before and not trouble:
            self._log.info("store_reachable", topic=self._topic)
