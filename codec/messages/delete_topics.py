"""DeleteTopics (key 20): topics to delete.

Versions 0 to 6, flexible from 4. From 6 on by name or id.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    int16,
    int32,
    string,
    string_array,
    uuid,
)


class DeleteTopicsRequest(Request, key=ApiKey.DELETE_TOPICS, versions="0-6"):
    class DeleteTopicState(Struct):
        name = string("6+", nullable="6+", default=None, role=Role.TOPIC)
        topic_id = uuid("6+", role=Role.TOPIC_ID)

    topics = array("6+", DeleteTopicState)
    topic_names = string_array("0-5", role=Role.TOPIC)
    timeout_ms = int32("0+")


class DeleteTopicsResponse(Response, key=ApiKey.DELETE_TOPICS, versions="0-6"):
    class DeletableTopicResult(Struct):
        name = string("0+", nullable="6+", role=Role.TOPIC)
        topic_id = uuid("6+", role=Role.TOPIC_ID)
        error_code = int16("0+")
        error_message = string("5+", nullable="5+", default=None, role=Role.TEXT)

    throttle_time_ms = int32("1+")
    responses = array("0+", DeletableTopicResult)
