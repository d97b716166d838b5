"""OffsetDelete (key 47): committed offsets of a group to be forgotten (KIP-496).

Version 0, never flexible.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, string


class OffsetDeleteRequest(Request, key=ApiKey.OFFSET_DELETE, versions="0"):
    class OffsetDeleteRequestTopic(Struct):
        class OffsetDeleteRequestPartition(Struct):
            partition_index = int32("0+")

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", OffsetDeleteRequestPartition)

    group_id = string("0+", role=Role.GROUP)
    topics = array("0+", OffsetDeleteRequestTopic)


class OffsetDeleteResponse(Response, key=ApiKey.OFFSET_DELETE, versions="0"):
    class OffsetDeleteResponseTopic(Struct):
        class OffsetDeleteResponsePartition(Struct):
            partition_index = int32("0+")
            error_code = int16("0+")

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", OffsetDeleteResponsePartition)

    error_code = int16("0+")
    throttle_time_ms = int32("0+")
    topics = array("0+", OffsetDeleteResponseTopic)
