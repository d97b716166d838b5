"""DescribeShareGroupOffsets (key 90): where share groups start to read (KIP-932).

Versions 0 and 1, flexible from 0. Null topics ask for all topics of the group. 1: lag.
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
    int64,
    string,
    uuid,
)


class DescribeShareGroupOffsetsRequest(
    Request, key=ApiKey.DESCRIBE_SHARE_GROUP_OFFSETS, versions="0-1"
):
    class DescribeShareGroupOffsetsRequestGroup(Struct):
        class DescribeShareGroupOffsetsRequestTopic(Struct):
            topic_name = string("0+", role=Role.TOPIC)
            partitions = int32_array("0+")

        group_id = string("0+", role=Role.GROUP)
        topics = array("0+", DescribeShareGroupOffsetsRequestTopic, nullable="0+")

    groups = array("0+", DescribeShareGroupOffsetsRequestGroup)


class DescribeShareGroupOffsetsResponse(
    Response, key=ApiKey.DESCRIBE_SHARE_GROUP_OFFSETS, versions="0-1"
):
    class DescribeShareGroupOffsetsResponseGroup(Struct):
        class DescribeShareGroupOffsetsResponseTopic(Struct):
            class DescribeShareGroupOffsetsResponsePartition(Struct):
                partition_index = int32("0+")
                start_offset = int64("0+")
                leader_epoch = int32("0+")
                lag = int64("1+", default=-1)
                error_code = int16("0+")
                error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)

            topic_name = string("0+", role=Role.TOPIC)
            topic_id = uuid("0+", role=Role.TOPIC_ID)
            partitions = array("0+", DescribeShareGroupOffsetsResponsePartition)

        group_id = string("0+", role=Role.GROUP)
        topics = array("0+", DescribeShareGroupOffsetsResponseTopic)
        error_code = int16("0+")
        error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)

    throttle_time_ms = int32("0+")
    groups = array("0+", DescribeShareGroupOffsetsResponseGroup)
