"""TxnOffsetCommit (key 28): positions of a group, as part of a transaction.

Versions 0 to 5, flexible from 3.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, int64, string


class TxnOffsetCommitRequest(Request, key=ApiKey.TXN_OFFSET_COMMIT, versions="0-5"):
    class TxnOffsetCommitRequestTopic(Struct):
        class TxnOffsetCommitRequestPartition(Struct):
            partition_index = int32("0+")
            committed_offset = int64("0+")
            committed_leader_epoch = int32("2+", default=-1)
            committed_metadata = string("0+", nullable="0+")

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", TxnOffsetCommitRequestPartition)

    transactional_id = string("0+", role=Role.TRANSACTIONAL_ID)
    group_id = string("0+", role=Role.GROUP)
    producer_id = int64("0+")
    producer_epoch = int16("0+")
    generation_id = int32("3+", default=-1)
    member_id = string("3+")
    group_instance_id = string("3+", nullable="3+", default=None)
    topics = array("0+", TxnOffsetCommitRequestTopic)


class TxnOffsetCommitResponse(Response, key=ApiKey.TXN_OFFSET_COMMIT, versions="0-5"):
    class TxnOffsetCommitResponseTopic(Struct):
        class TxnOffsetCommitResponsePartition(Struct):
            partition_index = int32("0+")
            error_code = int16("0+")

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", TxnOffsetCommitResponsePartition)

    throttle_time_ms = int32("0+")
    topics = array("0+", TxnOffsetCommitResponseTopic)
