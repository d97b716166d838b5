"""ConsumerGroupDescribe (key 69): state and members of consumer groups (KIP-848).

Versions 0 and 1, flexible from 0. 1: member_type, 0 classic, 1 consumer, -1 unknown. client_host is
the address the broker saw, not a broker.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    boolean,
    int8,
    int16,
    int32,
    int32_array,
    string,
    string_array,
    struct,
    uuid,
)


class Assignment(Struct):
    """What a member has, and what it is to have."""

    class TopicPartitions(Struct):
        topic_id = uuid("0+", role=Role.TOPIC_ID)
        topic_name = string("0+", role=Role.TOPIC)
        partitions = int32_array("0+")

    topic_partitions = array("0+", TopicPartitions)


class ConsumerGroupDescribeRequest(Request, key=ApiKey.CONSUMER_GROUP_DESCRIBE, versions="0-1"):
    group_ids = string_array("0+", role=Role.GROUP)
    include_authorized_operations = boolean("0+")


class ConsumerGroupDescribeResponse(Response, key=ApiKey.CONSUMER_GROUP_DESCRIBE, versions="0-1"):
    class DescribedGroup(Struct):
        class Member(Struct):
            member_id = string("0+")
            instance_id = string("0+", nullable="0+", default=None)
            rack_id = string("0+", nullable="0+", default=None)
            member_epoch = int32("0+")
            client_id = string("0+")
            client_host = string("0+")
            subscribed_topic_names = string_array("0+", role=Role.TOPIC)
            subscribed_topic_regex = string(
                "0+", nullable="0+", default=None, role=Role.TOPIC_PATTERN
            )
            assignment = struct("0+", Assignment)
            target_assignment = struct("0+", Assignment)
            member_type = int8("1+", default=-1)

        error_code = int16("0+")
        error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
        group_id = string("0+", role=Role.GROUP)
        group_state = string("0+")
        group_epoch = int32("0+")
        assignment_epoch = int32("0+")
        assignor_name = string("0+")
        members = array("0+", Member)
        authorized_operations = int32("0+", default=-0x80000000)

    throttle_time_ms = int32("0+")
    groups = array("0+", DescribedGroup)
