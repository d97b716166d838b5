"""InitializeShareGroupState (key 83): the state of share partitions begins (KIP-932).

Version 0, flexible from 0. Between brokers only.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, int64, string, uuid


class InitializeShareGroupStateRequest(
    Request, key=ApiKey.INITIALIZE_SHARE_GROUP_STATE, versions="0"
):
    class InitializeStateData(Struct):
        class PartitionData(Struct):
            partition = int32("0+")
            state_epoch = int32("0+")
            start_offset = int64("0+")

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionData)

    group_id = string("0+", role=Role.GROUP)
    topics = array("0+", InitializeStateData)


class InitializeShareGroupStateResponse(
    Response, key=ApiKey.INITIALIZE_SHARE_GROUP_STATE, versions="0"
):
    class InitializeStateResult(Struct):
        class PartitionResult(Struct):
            partition = int32("0+")
            error_code = int16("0+")
            error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionResult)

    results = array("0+", InitializeStateResult)
