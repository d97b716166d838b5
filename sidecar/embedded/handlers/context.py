"""What a handler knows besides the request."""

from dataclasses import dataclass

from codec.schema import ZERO_UUID
from sidecar.embedded.cluster import Cluster
from sidecar.embedded.partition import Partition
from sidecar.embedded.topics import Topic


@dataclass(frozen=True, slots=True)
class Context:
    """One request's surroundings."""

    cluster: Cluster
    node_id: int
    """The broker that was asked."""
    version: int
    """Version of the API."""
    client_id: str
    client_host: str
    """Address of the client in Kafka's form, `/127.0.0.1`."""

    def topic(self, name: str | None, topic_id: bytes) -> Topic:
        """The topic a request names by id, or by name where the id is absent.

        Raises:
            ApiError: UNKNOWN_TOPIC_ID or UNKNOWN_TOPIC_OR_PARTITION.
        """
        if name and topic_id == ZERO_UUID:
            return self.cluster.topics.find(name)
        return self.cluster.topics.find_id(topic_id)

    def led_partition(self, topic: Topic, index: int, current_leader_epoch: int) -> Partition:
        """A partition that this broker leads, with the leader epoch the client believes in.

        Raises:
            ApiError: UNKNOWN_TOPIC_OR_PARTITION, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH or
                NOT_LEADER_OR_FOLLOWER, checked in this order as Kafka does.
        """
        partition = topic.partition(index)
        partition.check_epoch(current_leader_epoch)
        partition.check_leader(self.node_id)
        return partition
