"""ListOffsets (key 2): the offset at a timestamp, or at an end of a partition.

Versions 0 to 11, flexible from 6. Version 0, removed in Kafka 4.0, asks for several offsets at
once. Timestamps below 0 are questions: -1 latest, -2 earliest, -3 highest timestamp and further.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    int8,
    int16,
    int32,
    int64,
    int64_array,
    string,
)


class ListOffsetsRequest(Request, key=ApiKey.LIST_OFFSETS, versions="0-11"):
    class ListOffsetsTopic(Struct):
        class ListOffsetsPartition(Struct):
            partition_index = int32("0+")
            current_leader_epoch = int32("4+", default=-1)
            timestamp = int64("0+")
            max_num_offsets = int32("0", default=1)

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", ListOffsetsPartition)

    replica_id = int32("0+")
    isolation_level = int8("2+")
    topics = array("0+", ListOffsetsTopic)
    timeout_ms = int32("10+")


class ListOffsetsResponse(Response, key=ApiKey.LIST_OFFSETS, versions="0-11"):
    class ListOffsetsTopicResponse(Struct):
        class ListOffsetsPartitionResponse(Struct):
            partition_index = int32("0+")
            error_code = int16("0+")
            old_style_offsets = int64_array("0")
            timestamp = int64("1+", default=-1)
            offset = int64("1+", default=-1)
            leader_epoch = int32("4+", default=-1)

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", ListOffsetsPartitionResponse)

    throttle_time_ms = int32("2+")
    topics = array("0+", ListOffsetsTopicResponse)
