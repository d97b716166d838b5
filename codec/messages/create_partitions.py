"""CreatePartitions (key 37): more partitions for topics.

Versions 0 to 3, flexible from 2.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    boolean,
    int16,
    int32,
    int32_array,
    string,
)


class CreatePartitionsRequest(Request, key=ApiKey.CREATE_PARTITIONS, versions="0-3"):
    class CreatePartitionsTopic(Struct):
        class CreatePartitionsAssignment(Struct):
            broker_ids = int32_array("0+")

        name = string("0+", role=Role.TOPIC)
        count = int32("0+")
        assignments = array("0+", CreatePartitionsAssignment, nullable="0+")

    topics = array("0+", CreatePartitionsTopic)
    timeout_ms = int32("0+")
    validate_only = boolean("0+")


class CreatePartitionsResponse(Response, key=ApiKey.CREATE_PARTITIONS, versions="0-3"):
    class CreatePartitionsTopicResult(Struct):
        name = string("0+", role=Role.TOPIC)
        error_code = int16("0+")
        error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)

    throttle_time_ms = int32("0+")
    results = array("0+", CreatePartitionsTopicResult)
