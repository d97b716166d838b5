"""The topic itself: one partition, compacted; made when it is not there."""

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from sidecar.state.kafka.client import QUIET, Unreachable

PARTITION: Final = 0
_SECONDS: Final = 10.0
_CONFIG: Final = {
    "cleanup.policy": "compact",
    # Small and seldom written: without this the first segment would not be compacted for a week.
    "segment.ms": str(24 * 3600 * 1000),
    "min.cleanable.dirty.ratio": "0.1",
}


class StoreTopicError(Exception):
    """The topic cannot hold the state; ``str()`` says why, and what to do."""


def ensure(client: Mapping[str, Any], topic: str, replication_factor: int) -> None:
    """Make the topic, or check the one that is there.

    Args:
        client: settings of librdkafka.
        replication_factor: of a new topic; -1 takes the cluster's default.

    Raises:
        StoreTopicError: it is there and not what it must be, or may not be made.
        Unreachable: the cluster does not answer, or not now.
    """
    admin = AdminClient({**client, **QUIET})
    try:
        found = admin.list_topics(topic, timeout=_SECONDS).topics[topic]
        if found.error is None:
            _check(admin, topic, len(found.partitions))
        elif found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            _create(admin, topic, replication_factor)
        else:
            raise Unreachable(found.error.str())
    except KafkaException as error:
        raise Unreachable(error.args[0].str()) from None


def _create(admin: Any, topic: str, replication_factor: int) -> None:
    new = NewTopic(topic, 1, replication_factor, config=_CONFIG)
    try:
        admin.create_topics([new], operation_timeout=_SECONDS)[topic].result(_SECONDS)
    except KafkaException as error:
        code = error.args[0].code()
        if code == KafkaError.TOPIC_ALREADY_EXISTS:  # another sidecar was faster
            return
        if code in _REFUSALS:
            raise StoreTopicError(
                f"topic {topic!r} cannot be made: {error.args[0].str()}: make it with one"
                " partition and cleanup.policy=compact, or let this principal make it"
            ) from None
        raise


def _check(admin: Any, topic: str, partitions: int) -> None:
    if partitions != 1:
        raise StoreTopicError(
            f"topic {topic!r} has {partitions} partitions, the state needs one with exactly 1"
        )
    resource = ConfigResource(ResourceType.TOPIC, topic)
    try:
        config = admin.describe_configs([resource])[resource].result(_SECONDS)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return  # it may read and write it, but not look at it: then somebody else has
        raise
    policy = config["cleanup.policy"].value
    if policy != "compact":
        raise StoreTopicError(
            f"topic {topic!r} has cleanup.policy={policy}, which would delete the state:"
            " set it to compact"
        )


_REFUSALS: Final = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.INVALID_REPLICATION_FACTOR,
    KafkaError.POLICY_VIOLATION,
    KafkaError.TOPIC_EXCEPTION,
}
