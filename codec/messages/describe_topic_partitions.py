"""DescribeTopicPartitions (key 75): topics and their partitions, a page at a time (KIP-966).

Version 0, flexible from 0. No topics asks for all of them. A response that had to stop names in
next_cursor the topic and partition to go on with, which the next request hands in as cursor.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    boolean,
    int16,
    int32,
    int32_array,
    string,
    struct,
    uuid,
)


class Cursor(Struct):
    """The first topic and partition of a page."""

    topic_name = string("0+", role=Role.TOPIC)
    partition_index = int32("0+")


class DescribeTopicPartitionsRequest(Request, key=ApiKey.DESCRIBE_TOPIC_PARTITIONS, versions="0"):
    class TopicRequest(Struct):
        name = string("0+", role=Role.TOPIC)

    topics = array("0+", TopicRequest)
    response_partition_limit = int32("0+", default=2000)
    cursor = struct("0+", Cursor, nullable="0+")


class DescribeTopicPartitionsResponse(Response, key=ApiKey.DESCRIBE_TOPIC_PARTITIONS, versions="0"):
    class DescribeTopicPartitionsResponseTopic(Struct):
        class DescribeTopicPartitionsResponsePartition(Struct):
            error_code = int16("0+")
            partition_index = int32("0+")
            leader_id = int32("0+")
            leader_epoch = int32("0+", default=-1)
            replica_nodes = int32_array("0+")
            isr_nodes = int32_array("0+")
            eligible_leader_replicas = int32_array("0+", nullable="0+", default=None)
            last_known_elr = int32_array("0+", nullable="0+", default=None)
            offline_replicas = int32_array("0+", sparse=True)

        error_code = int16("0+")
        name = string("0+", nullable="0+", role=Role.TOPIC)
        topic_id = uuid("0+", role=Role.TOPIC_ID)
        is_internal = boolean("0+")
        partitions = array("0+", DescribeTopicPartitionsResponsePartition)
        topic_authorized_operations = int32("0+", default=-0x80000000)

    throttle_time_ms = int32("0+")
    topics = array("0+", DescribeTopicPartitionsResponseTopic)
    next_cursor = struct("0+", Cursor, nullable="0+")
