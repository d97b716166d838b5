"""WriteShareGroupState (key 85): the state of share partitions to be stored (KIP-932).

Versions 0 and 1, flexible from 0. Between brokers only. Delivery states as in ReadShareGroupState.
1: delivery_complete_count (KIP-1226).
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


class WriteShareGroupStateRequest(Request, key=ApiKey.WRITE_SHARE_GROUP_STATE, versions="0-1"):
    class WriteStateData(Struct):
        class PartitionData(Struct):
            class StateBatch(Struct):
                first_offset = int64("0+")
                last_offset = int64("0+")
                delivery_state = int8("0+")
                delivery_count = int16("0+")

            partition = int32("0+")
            state_epoch = int32("0+")
            leader_epoch = int32("0+")
            start_offset = int64("0+")
            delivery_complete_count = int32("1+", default=-1)
            state_batches = array("0+", StateBatch)

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionData)

    group_id = string("0+", role=Role.GROUP)
    topics = array("0+", WriteStateData)


class WriteShareGroupStateResponse(Response, key=ApiKey.WRITE_SHARE_GROUP_STATE, versions="0-1"):
    class WriteStateResult(Struct):
        class PartitionResult(Struct):
            partition = int32("0+")
            error_code = int16("0+")
            error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionResult)

    results = array("0+", WriteStateResult)
