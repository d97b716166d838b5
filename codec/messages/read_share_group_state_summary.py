"""ReadShareGroupStateSummary (key 87): how far share partitions are (KIP-932).

Versions 0 and 1, flexible from 0. Between brokers only. The leader_epoch of the response came into
version 0 after the early access of Kafka 3.9, which is not covered. 1: delivery_complete_count
(KIP-1226).
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, int64, string, uuid


class ReadShareGroupStateSummaryRequest(
    Request, key=ApiKey.READ_SHARE_GROUP_STATE_SUMMARY, versions="0-1"
):
    class ReadStateSummaryData(Struct):
        class PartitionData(Struct):
            partition = int32("0+")
            leader_epoch = int32("0+")

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionData)

    group_id = string("0+", role=Role.GROUP)
    topics = array("0+", ReadStateSummaryData)


class ReadShareGroupStateSummaryResponse(
    Response, key=ApiKey.READ_SHARE_GROUP_STATE_SUMMARY, versions="0-1"
):
    class ReadStateSummaryResult(Struct):
        class PartitionResult(Struct):
            partition = int32("0+")
            error_code = int16("0+")
            error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
            state_epoch = int32("0+")
            leader_epoch = int32("0+")
            start_offset = int64("0+")
            delivery_complete_count = int32("1+", default=-1)

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionResult)

    results = array("0+", ReadStateSummaryResult)
