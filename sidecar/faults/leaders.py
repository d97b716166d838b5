"""Who leads a partition, as Metadata told clients, and what a refusal may hint of it (KIP-951).

A hint is true but for what it is meant to get wrong: UNCHANGED names the leader and the epoch that
Metadata names, as a broker does that has not heard of the election yet; MOVED names another live
broker, with the same epoch. A higher one would be believed for good: Java takes no Metadata with an
older epoch any more, until an election really gets there.

Leaders, epochs and addresses are those of the latest Metadata answer to any client, as it was shown
them: with their own topics' names, and the sidecar's addresses. What no answer told is not hinted.

Facts: Kafka protocol, Produce v10+, Fetch v16+ (brokers leave its field empty from v12 to v15),
Metadata v7+ for epochs.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from codec.api_keys import ApiKey
from codec.schema import ZERO_UUID
from sidecar.faults.base import Answered, Asked, Hint, Hints, Place, RequestRule

NONE, UNCHANGED, MOVED = "NONE", "UNCHANGED", "MOVED"
HINTS: Final = (NONE, UNCHANGED, MOVED)
MAX_PARTITIONS: Final = 50_000
"""Partitions whose leaders an interceptor keeps in mind; beyond, the topics told of longest ago are
forgotten."""
_SINCE: Final = {ApiKey.PRODUCE: 10, ApiKey.FETCH: 16}
"""Versions from which on brokers give hints."""
_NOWHERE: Final = -1


class _Address(NamedTuple):
    host: str
    port: int
    rack: str | None


class _Led(NamedTuple):
    """A partition: its leader, the epoch, and who could follow."""

    leader: int
    epoch: int
    in_sync: tuple[int, ...]


class _Topic(NamedTuple):
    topic_id: bytes
    partitions: dict[int, _Led]


class Leaders:
    """What one interceptor knows of leaders, in this process.

    Args:
        hint: what it makes of that, see `HINTS`; not NONE.
    """

    def __init__(self, hint: str) -> None:
        self._moved = hint == MOVED
        self._brokers: dict[int, _Address] = {}
        self._topics: dict[tuple[str, str], _Topic] = {}
        """By virtual cluster and name; the one that was told of longest ago first."""
        self._size = 0

    def learn(self, virtual_cluster: str, metadata: Any) -> None:
        """Take note of a decoded Metadata answer, named and addressed as its client sees it."""
        if metadata.brokers:
            self._brokers = {
                broker.node_id: _Address(broker.host, broker.port, broker.rack)
                for broker in metadata.brokers
            }
        for topic in metadata.topics or ():
            if topic.name is not None:
                self._keep((virtual_cluster, topic.name), topic)

    def _keep(self, key: tuple[str, str], topic: Any) -> None:
        self._forget(key)
        partitions = {
            part.partition_index: _Led(part.leader_id, part.leader_epoch, tuple(part.isr_nodes))
            for part in topic.partitions or ()
            if part.leader_id >= 0 and part.leader_epoch >= 0
        }
        if not partitions or len(partitions) > MAX_PARTITIONS:
            return
        self._topics[key] = _Topic(topic.topic_id, partitions)
        self._size += len(partitions)
        while self._size > MAX_PARTITIONS:
            self._forget(next(iter(self._topics)))

    def _forget(self, key: tuple[str, str]) -> None:
        known = self._topics.pop(key, None)
        if known is not None:
            self._size -= len(known.partitions)

    def hint(self, about: Asked | Answered, place: Place, topic_id: bytes) -> Hint | None:
        """What is told of a partition that is refused; None: nothing.

        Args:
            topic_id: by which the message names the topic; zero where it has a name. A topic that
                was created anew has another, and its epochs begin anew.
        """
        if about.version < _SINCE[about.api]:
            return None
        known = self._topics.get((about.virtual_cluster, place[0]))
        if known is None:
            return None
        if topic_id != known.topic_id and ZERO_UUID not in (topic_id, known.topic_id):
            return None
        led = known.partitions.get(place[1])
        if led is None:
            return None
        leader = led.leader
        if self._moved:
            here = about.connection.broker_id if about.connection is not None else _NOWHERE
            leader = self._another(led, here)
        address = self._brokers.get(leader)
        return None if address is None else Hint(leader, led.epoch, *address)

    def _another(self, led: _Led, here: int) -> int:
        """A live broker that does not lead, and is not who answers: in sync if there is one.

        With two brokers, who does not lead can only name who does.
        """
        for among in (led.in_sync, self._brokers):
            others = sorted(
                node for node in among if node in self._brokers and node not in (led.leader, here)
            )
            if others:
                return next((node for node in others if node > led.leader), others[0])
        return _NOWHERE if led.leader == here else led.leader


class HintingRule(RequestRule):
    """A rule whose refusals say who leads.

    Args:
        hint: see `HINTS`.
    """

    learner: Leaders | None

    def __init__(self, hint: str) -> None:
        self.learner = None if hint == NONE else Leaders(hint)

    def hints(self, asked: Asked, places: Iterable[Place]) -> Hints:
        """What is told of topic-partitions of a Produce request that are refused."""
        if self.learner is None:
            return {}
        ids = {topic.name: topic.topic_id for topic in asked.request.topic_data or ()}
        found = ((p, self.learner.hint(asked, p, ids.get(p[0], ZERO_UUID))) for p in places)
        return {place: hint for place, hint in found if hint is not None}

    def hint_in(self, answered: Answered, topic: Any, place: Place) -> Hint | None:
        """What is told of one of the topics in an answer to Produce or Fetch."""
        if self.learner is None or answered.api not in _SINCE:
            return None
        return self.learner.hint(answered, place, topic.topic_id)
