"""DeleteShareGroupState (key 86): the state of share partitions ends (KIP-932).

Version 0, flexible from 0. Between brokers only.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, string, uuid


class DeleteShareGroupStateRequest(Request, key=ApiKey.DELETE_SHARE_GROUP_STATE, versions="0"):
    class DeleteStateData(Struct):
        class PartitionData(Struct):
            partition = int32("0+")

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionData)

    group_id = string("0+", role=Role.GROUP)
    topics = array("0+", DeleteStateData)


class DeleteShareGroupStateResponse(Response, key=ApiKey.DELETE_SHARE_GROUP_STATE, versions="0"):
    class DeleteStateResult(Struct):
        class PartitionResult(Struct):
            partition = int32("0+")
            error_code = int16("0+")
            error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionResult)

    results = array("0+", DeleteStateResult)
