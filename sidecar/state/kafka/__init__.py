"""The state in a compacted Kafka topic that all sidecars of a fleet share (see ADR 19)."""

from sidecar.state.kafka.store import KafkaStore
from sidecar.state.kafka.topic import StoreTopicError

__all__ = ["KafkaStore", "StoreTopicError"]
