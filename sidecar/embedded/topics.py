"""The topics of a cluster: creation with its checks, growth, deletion, lookup by name and id."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError
from sidecar.embedded.naming import check_topic_name
from sidecar.embedded.partition import Partition
from sidecar.embedded.topic_configs import MAX_MESSAGE_BYTES, check_topic_config

MAX_PARTITIONS = 10_000
"""Most partitions of one topic; Kafka has no limit, but its memory is not this process's."""


@dataclass(slots=True, eq=False)
class Topic:
    """A topic and its partitions."""

    name: str
    id: bytes
    """KIP-516 topic id, 16 bytes."""
    partitions: list[Partition]
    configs: dict[str, str] = field(default_factory=dict)
    """Values given at creation."""

    @property
    def replication_factor(self) -> int:
        """Replicas of each partition, as created."""
        return len(self.partitions[0].replicas)

    def partition(self, index: int) -> Partition:
        """The partition with this index.

        Raises:
            ApiError: UNKNOWN_TOPIC_OR_PARTITION.
        """
        if not 0 <= index < len(self.partitions):
            reason = f"topic {self.name} has no partition {index}"
            raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, reason)
        return self.partitions[index]

    def max_message_bytes(self, default: int) -> int:
        """Largest batch in bytes this topic takes."""
        return int(self.configs.get(MAX_MESSAGE_BYTES, default))


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A wish for a topic; -1 partitions or replicas mean the cluster's defaults (KIP-464)."""

    name: str
    num_partitions: int = -1
    replication_factor: int = -1
    assignments: Mapping[int, Sequence[int]] = field(default_factory=dict)
    """Replicas by partition index, instead of the two numbers."""
    configs: Mapping[str, str | None] = field(default_factory=dict)


class Topics:
    """Every topic of a cluster.

    Args:
        brokers: node ids.
        num_partitions: default number of partitions.
        replication_factor: default number of replicas.
        new_id: makes a topic id of 16 bytes.
    """

    def __init__(
        self,
        brokers: Sequence[int],
        *,
        num_partitions: int,
        replication_factor: int,
        new_id: Callable[[], bytes],
    ) -> None:
        self._brokers = tuple(brokers)
        self._num_partitions = num_partitions
        self._replication_factor = replication_factor
        self._new_id = new_id
        self._by_name: dict[str, Topic] = {}
        self._by_id: dict[bytes, Topic] = {}
        self._next_leader = 0

    def __iter__(self) -> Iterator[Topic]:
        return iter(tuple(self._by_name.values()))

    def find(self, name: str) -> Topic:
        """The topic called `name`.

        Raises:
            ApiError: UNKNOWN_TOPIC_OR_PARTITION.
        """
        topic = self._by_name.get(name)
        if topic is None:
            reason = f"topic {name[:250]!r} does not exist"
            raise ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, reason)
        return topic

    def find_id(self, topic_id: bytes) -> Topic:
        """The topic with this id.

        Raises:
            ApiError: UNKNOWN_TOPIC_ID.
        """
        topic = self._by_id.get(bytes(topic_id))
        if topic is None:
            raise ApiError(ErrorCode.UNKNOWN_TOPIC_ID, "no topic has this id")
        return topic

    def create(self, wish: NewTopic, *, validate_only: bool = False) -> Topic:
        """Create a topic, its leaders spread over the brokers.

        Args:
            wish: what to create.
            validate_only: make every check, but leave the cluster as it is.

        Raises:
            ApiError: INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS,
                INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT, INVALID_REQUEST or
                INVALID_CONFIG.
        """
        check_topic_name(wish.name)
        if wish.name in self._by_name:
            reason = f"Topic '{wish.name}' already exists."
            raise ApiError(ErrorCode.TOPIC_ALREADY_EXISTS, reason)
        configs = {name: check_topic_config(name, value) for name, value in wish.configs.items()}
        first = self._next_leader
        replicas = self._replicas_of(wish, first)
        partitions = [Partition(wish.name, i, ids) for i, ids in enumerate(replicas)]
        topic = Topic(wish.name, self._new_id(), partitions, configs)
        if not validate_only:
            self._next_leader += 1
            self._by_name[topic.name] = topic
            self._by_id[topic.id] = topic
        return topic

    def grow(
        self,
        name: str,
        count: int,
        assignments: Sequence[Sequence[int]] | None,
        *,
        validate_only: bool,
    ) -> None:
        """Add partitions to a topic until it has `count`.

        Raises:
            ApiError: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS or INVALID_REPLICA_ASSIGNMENT.
        """
        topic = self.find(name)
        present = len(topic.partitions)
        if count <= present:
            reason = f"topic {name} already has {present} partitions"
            raise ApiError(ErrorCode.INVALID_PARTITIONS, reason)
        self._check_count(count)
        if assignments is not None:
            wish = NewTopic(name, assignments=dict(enumerate(assignments)))
            if len(assignments) != count - present:
                reason = f"{count - present} new partitions, {len(assignments)} assignments"
                raise ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, reason)
            replicas = self._assigned(wish)
        else:
            first = self._brokers.index(topic.partitions[0].replicas[0])
            spread = self._spread(count, topic.replication_factor, first)
            replicas = spread[present:]
        if not validate_only:
            topic.partitions += [
                Partition(name, present + i, ids) for i, ids in enumerate(replicas)
            ]

    def delete(self, topic: Topic) -> None:
        """Remove a topic with all its records."""
        del self._by_name[topic.name]
        del self._by_id[topic.id]
        for partition in topic.partitions:
            partition.delete()

    def _replicas_of(self, wish: NewTopic, first: int) -> list[list[int]]:
        if wish.assignments:
            if wish.num_partitions != -1 or wish.replication_factor != -1:
                reason = "give either assignments or partitions and replication factor"
                raise ApiError(ErrorCode.INVALID_REQUEST, reason)
            return self._assigned(wish)
        count = self._num_partitions if wish.num_partitions == -1 else wish.num_partitions
        factor = wish.replication_factor
        if factor == -1:
            factor = self._replication_factor
        self._check_count(count)
        if not 1 <= factor <= len(self._brokers):
            reason = (
                f"Replication factor: {factor} larger than available brokers: {len(self._brokers)}."
                if factor > 0
                else "Replication factor must be larger than 0."
            )
            raise ApiError(ErrorCode.INVALID_REPLICATION_FACTOR, reason)
        return self._spread(count, factor, first)

    def _check_count(self, count: int) -> None:
        if count < 1:
            raise ApiError(ErrorCode.INVALID_PARTITIONS, "Number of partitions must be at least 1.")
        if count > MAX_PARTITIONS:
            reason = f"at most {MAX_PARTITIONS} partitions here, not {count}"
            raise ApiError(ErrorCode.INVALID_PARTITIONS, reason)

    def _spread(self, count: int, factor: int, first: int) -> list[list[int]]:
        ids = self._brokers
        return [
            [ids[(first + index + replica) % len(ids)] for replica in range(factor)]
            for index in range(count)
        ]

    def _assigned(self, wish: NewTopic) -> list[list[int]]:
        replicas = [list(wish.assignments.get(i, ())) for i in range(len(wish.assignments))]
        known = set(self._brokers)
        for index, ids in enumerate(replicas):
            if not ids or len(set(ids)) != len(ids) or not known.issuperset(ids):
                reason = f"partition {index} cannot have the replicas {ids[:10]}"
                raise ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, reason)
        return replicas
