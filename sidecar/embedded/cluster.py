"""The cluster as a whole: brokers, topics, leaders, coordinators, producer ids. No sockets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from time import monotonic
from uuid import uuid4
from zlib import crc32

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError
from sidecar.embedded.groups.coordinator import GroupCoordinator
from sidecar.embedded.log import StoredBatch
from sidecar.embedded.partition import Partition
from sidecar.embedded.settings import Settings
from sidecar.embedded.topics import NewTopic, Topic, Topics


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where clients reach a broker."""

    node_id: int
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class PartitionRecords:
    """What a partition holds, for tests and demonstrations."""

    count: int
    """Records, counted by offset."""
    batches: tuple[StoredBatch, ...]
    end_offset: int
    """Offset the next record will get."""


class Cluster:
    """An in-memory Kafka cluster. Not thread-safe: use it from the hub its server runs on.

    Args:
        brokers: number of brokers; shorthand for `Settings(brokers=...)`.
        settings: everything else; wins over `brokers`.
        clock: monotonic seconds, for sessions and waits.

    Raises:
        ValueError: a setting is out of range.
    """

    def __init__(
        self,
        brokers: int = 3,
        *,
        settings: Settings | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.settings = settings or Settings(brokers=brokers)
        self.id = f"embedded-{uuid4().hex[:13]}"
        self.node_ids = tuple(range(1, self.settings.brokers + 1))
        self.endpoints: dict[int, Endpoint] = {
            node_id: Endpoint(node_id, "localhost", 0) for node_id in self.node_ids
        }
        self.topics = Topics(
            self.node_ids,
            num_partitions=self.settings.num_partitions,
            replication_factor=self.settings.default_replication_factor,
            new_id=lambda: uuid4().bytes,
        )
        self.groups = GroupCoordinator(self.settings, clock)
        self._producer_ids = count(1000)
        self._stored_bytes = 0

    @property
    def controller_id(self) -> int:
        """Node id of the controller: always the first broker."""
        return self.node_ids[0]

    @property
    def stored_bytes(self) -> int:
        """Bytes of record batches in all partitions."""
        return self._stored_bytes

    def create_topic(self, name: str, partitions: int = 1, replication_factor: int = -1) -> Topic:
        """Create a topic; -1 replicas mean the default, up to three.

        Raises:
            ApiError: the name or a number is not valid, or the topic exists.
        """
        return self.topics.create(NewTopic(name, partitions, replication_factor))

    def delete_topic(self, topic: Topic) -> None:
        """Delete a topic with its records and committed offsets."""
        self.topics.delete(topic)
        self._stored_bytes -= sum(partition.log.size for partition in topic.partitions)
        self.groups.forget_topic(topic.name)

    def partition(self, topic: str, partition: int) -> Partition:
        """Look a partition up.

        Raises:
            ApiError: UNKNOWN_TOPIC_OR_PARTITION.
        """
        return self.topics.find(topic).partition(partition)

    def elect(self, topic: str, partition: int, broker_id: int) -> int:
        """Really move the leadership of a partition.

        Args:
            topic: topic name.
            partition: partition index.
            broker_id: the new leader; may be the present one, the epoch rises all the same.

        Returns:
            The new leader epoch.

        Raises:
            ApiError: UNKNOWN_TOPIC_OR_PARTITION.
            ValueError: there is no such broker.
        """
        if broker_id not in self.node_ids:
            raise ValueError(f"no broker {broker_id}; there are {self.node_ids}")
        chosen = self.partition(topic, partition)
        chosen.elect(broker_id)
        return chosen.leader_epoch

    def records(self, topic: str, partition: int) -> PartitionRecords:
        """What a partition holds.

        Raises:
            ApiError: UNKNOWN_TOPIC_OR_PARTITION.
        """
        log = self.partition(topic, partition).log
        return PartitionRecords(log.end_offset - log.start_offset, log.batches, log.end_offset)

    def store(self, partition: Partition, batch: StoredBatch) -> None:
        """Append a batch to a partition's log and wake whoever waits for it.

        Raises:
            ApiError: KAFKA_STORAGE_ERROR when the cluster is full.
        """
        if self._stored_bytes + len(batch.data) > self.settings.max_bytes:
            reason = f"the embedded cluster keeps at most {self.settings.max_bytes} bytes"
            raise ApiError(ErrorCode.KAFKA_STORAGE_ERROR, reason)
        partition.log.append(batch)
        self._stored_bytes += len(batch.data)
        partition.notify()

    def new_producer_id(self) -> int:
        """A producer id nobody else has."""
        return next(self._producer_ids)

    def coordinator_of(self, group_id: str) -> Endpoint:
        """The broker that coordinates a group; depends on the name only."""
        name = group_id.encode("utf-8", "surrogateescape")
        return self.endpoints[self.node_ids[crc32(name) % len(self.node_ids)]]

    def check_coordinator(self, group_id: str, node_id: int) -> None:
        """Raise NOT_COORDINATOR unless `node_id` coordinates the group."""
        if self.coordinator_of(group_id).node_id != node_id:
            raise ApiError(ErrorCode.NOT_COORDINATOR)

    def leader_endpoints(self, leaders: Sequence[int]) -> list[Endpoint]:
        """Endpoints of some brokers, each once, in order (KIP-951)."""
        return [self.endpoints[node_id] for node_id in dict.fromkeys(leaders)]
