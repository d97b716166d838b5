"""DeleteShareGroupOffsets (key 92): a share group forgets topics (KIP-932).

Version 0, flexible from 0. The request names topics, the response adds their ids.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, string, uuid


class DeleteShareGroupOffsetsRequest(Request, key=ApiKey.DELETE_SHARE_GROUP_OFFSETS, versions="0"):
    class DeleteShareGroupOffsetsRequestTopic(Struct):
        topic_name = string("0+", role=Role.TOPIC)

    group_id = string("0+", role=Role.GROUP)
    topics = array("0+", DeleteShareGroupOffsetsRequestTopic)


class DeleteShareGroupOffsetsResponse(
    Response, key=ApiKey.DELETE_SHARE_GROUP_OFFSETS, versions="0"
):
    class DeleteShareGroupOffsetsResponseTopic(Struct):
        topic_name = string("0+", role=Role.TOPIC)
        topic_id = uuid("0+", role=Role.TOPIC_ID)
        error_code = int16("0+")
        error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
    responses = array("0+", DeleteShareGroupOffsetsResponseTopic)
