"""AlterShareGroupOffsets (key 91): sets where an empty share group starts to read (KIP-932).

Version 0, flexible from 0. The request names topics, the response adds their ids.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, int64, string, uuid


class AlterShareGroupOffsetsRequest(Request, key=ApiKey.ALTER_SHARE_GROUP_OFFSETS, versions="0"):
    class AlterShareGroupOffsetsRequestTopic(Struct):
        class AlterShareGroupOffsetsRequestPartition(Struct):
            partition_index = int32("0+")
            start_offset = int64("0+")

        topic_name = string("0+", role=Role.TOPIC)
        partitions = array("0+", AlterShareGroupOffsetsRequestPartition)

    group_id = string("0+", role=Role.GROUP)
    topics = array("0+", AlterShareGroupOffsetsRequestTopic)


class AlterShareGroupOffsetsResponse(Response, key=ApiKey.ALTER_SHARE_GROUP_OFFSETS, versions="0"):
    class AlterShareGroupOffsetsResponseTopic(Struct):
        class AlterShareGroupOffsetsResponsePartition(Struct):
            partition_index = int32("0+")
            error_code = int16("0+")
            error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)

        topic_name = string("0+", role=Role.TOPIC)
        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", AlterShareGroupOffsetsResponsePartition)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
    responses = array("0+", AlterShareGroupOffsetsResponseTopic)
