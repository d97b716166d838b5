"""ReadShareGroupState (key 84): the stored state of share partitions (KIP-932).

Version 0, flexible from 0. Between brokers only. delivery_state: 0 available, 2 acknowledged,
4 archived.
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
    string,
    uuid,
)


class ReadShareGroupStateRequest(Request, key=ApiKey.READ_SHARE_GROUP_STATE, versions="0"):
    class ReadStateData(Struct):
        class PartitionData(Struct):
            partition = int32("0+")
            leader_epoch = int32("0+")

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionData)

    group_id = string("0+", role=Role.GROUP)
    topics = array("0+", ReadStateData)


class ReadShareGroupStateResponse(Response, key=ApiKey.READ_SHARE_GROUP_STATE, versions="0"):
    class ReadStateResult(Struct):
        class PartitionResult(Struct):
            class StateBatch(Struct):
                first_offset = int64("0+")
                last_offset = int64("0+")
                delivery_state = int8("0+")
                delivery_count = int16("0+")

            partition = int32("0+")
            error_code = int16("0+")
            error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
            state_epoch = int32("0+")
            start_offset = int64("0+")
            state_batches = array("0+", StateBatch)

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionResult)

    results = array("0+", ReadStateResult)
