"""OffsetCommit (key 8): positions of a consumer group to be stored.

Versions 0 to 10, flexible from 8. commit_timestamp was in version 1 only, retention_time_ms in
2 to 4. 10: topics by id only.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, int64, string, uuid


class OffsetCommitRequest(Request, key=ApiKey.OFFSET_COMMIT, versions="0-10"):
    class OffsetCommitRequestTopic(Struct):
        class OffsetCommitRequestPartition(Struct):
            partition_index = int32("0+")
            committed_offset = int64("0+")
            commit_timestamp = int64("1", default=-1)
            committed_leader_epoch = int32("6+", default=-1)
            committed_metadata = string("0+", nullable="0+")

        name = string("0-9", role=Role.TOPIC)
        topic_id = uuid("10+", role=Role.TOPIC_ID)
        partitions = array("0+", OffsetCommitRequestPartition)

    group_id = string("0+", role=Role.GROUP)
    generation_id_or_member_epoch = int32("1+", default=-1)
    member_id = string("1+")
    group_instance_id = string("7+", nullable="7+", default=None)
    retention_time_ms = int64("2-4", default=-1)
    topics = array("0+", OffsetCommitRequestTopic)


class OffsetCommitResponse(Response, key=ApiKey.OFFSET_COMMIT, versions="0-10"):
    class OffsetCommitResponseTopic(Struct):
        class OffsetCommitResponsePartition(Struct):
            partition_index = int32("0+")
            error_code = int16("0+")

        name = string("0-9", role=Role.TOPIC)
        topic_id = uuid("10+", role=Role.TOPIC_ID)
        partitions = array("0+", OffsetCommitResponsePartition)

    throttle_time_ms = int32("3+")
    topics = array("0+", OffsetCommitResponseTopic)
