"""ConsumerGroupHeartbeat (key 68): membership and assignment in the consumer protocol (KIP-848).

Versions 0 and 1, flexible from 0. Null in a request means "as before", null for the assignment of a
response likewise. 1: subscriptions by a regular expression in RE2 syntax, and members make up their
own id (KIP-1082). Assignments name topics by id only.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    int16,
    int32,
    int32_array,
    string,
    string_array,
    struct,
    uuid,
)


class ConsumerGroupHeartbeatRequest(Request, key=ApiKey.CONSUMER_GROUP_HEARTBEAT, versions="0-1"):
    class TopicPartitions(Struct):
        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = int32_array("0+")

    group_id = string("0+", role=Role.GROUP)
    member_id = string("0+")
    member_epoch = int32("0+")
    instance_id = string("0+", nullable="0+", default=None)
    rack_id = string("0+", nullable="0+", default=None)
    rebalance_timeout_ms = int32("0+", default=-1)
    subscribed_topic_names = string_array("0+", nullable="0+", default=None, role=Role.TOPIC)
    subscribed_topic_regex = string("1+", nullable="1+", default=None, role=Role.TOPIC_PATTERN)
    server_assignor = string("0+", nullable="0+", default=None)
    topic_partitions = array("0+", TopicPartitions, nullable="0+", default=None)


class ConsumerGroupHeartbeatResponse(Response, key=ApiKey.CONSUMER_GROUP_HEARTBEAT, versions="0-1"):
    class Assignment(Struct):
        class TopicPartitions(Struct):
            topic_id = uuid("0+", role=Role.TOPIC_ID)
            partitions = int32_array("0+")

        topic_partitions = array("0+", TopicPartitions)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
    member_id = string("0+", nullable="0+", default=None)
    member_epoch = int32("0+")
    heartbeat_interval_ms = int32("0+")
    assignment = struct("0+", Assignment, nullable="0+")
