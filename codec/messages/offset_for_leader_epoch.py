"""OffsetForLeaderEpoch (key 23): where a leader epoch ended.

Versions 0 to 4, flexible from 4.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, int64, string


class OffsetForLeaderEpochRequest(Request, key=ApiKey.OFFSET_FOR_LEADER_EPOCH, versions="0-4"):
    class OffsetForLeaderTopic(Struct):
        class OffsetForLeaderPartition(Struct):
            partition = int32("0+")
            current_leader_epoch = int32("2+", default=-1)
            leader_epoch = int32("0+")

        topic = string("0+", role=Role.TOPIC)
        partitions = array("0+", OffsetForLeaderPartition)

    replica_id = int32("3+", default=-2)
    topics = array("0+", OffsetForLeaderTopic)


class OffsetForLeaderEpochResponse(Response, key=ApiKey.OFFSET_FOR_LEADER_EPOCH, versions="0-4"):
    class OffsetForLeaderTopicResult(Struct):
        class EpochEndOffset(Struct):
            error_code = int16("0+")
            partition = int32("0+")
            leader_epoch = int32("1+", default=-1)
            end_offset = int64("0+", default=-1)

        topic = string("0+", role=Role.TOPIC)
        partitions = array("0+", EpochEndOffset)

    throttle_time_ms = int32("2+")
    topics = array("0+", OffsetForLeaderTopicResult)
