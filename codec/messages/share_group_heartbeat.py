"""ShareGroupHeartbeat (key 76): membership and assignment in a share group (KIP-932).

Versions 0 and 1, flexible from 0; 0 is the early access of Kafka 3.9 and 4.0. Null means "as
before", as in ConsumerGroupHeartbeat. Assignments name topics by id only.
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


class ShareGroupHeartbeatRequest(Request, key=ApiKey.SHARE_GROUP_HEARTBEAT, versions="0-1"):
    group_id = string("0+", role=Role.GROUP)
    member_id = string("0+")
    member_epoch = int32("0+")
    rack_id = string("0+", nullable="0+", default=None)
    subscribed_topic_names = string_array("0+", nullable="0+", default=None, role=Role.TOPIC)


class ShareGroupHeartbeatResponse(Response, key=ApiKey.SHARE_GROUP_HEARTBEAT, versions="0-1"):
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
