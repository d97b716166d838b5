"""DeleteRecords (key 21): records to delete up to an offset.

Versions 0 to 2, flexible from 2.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, int64, string


class DeleteRecordsRequest(Request, key=ApiKey.DELETE_RECORDS, versions="0-2"):
    class DeleteRecordsTopic(Struct):
        class DeleteRecordsPartition(Struct):
            partition_index = int32("0+")
            offset = int64("0+")

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", DeleteRecordsPartition)

    topics = array("0+", DeleteRecordsTopic)
    timeout_ms = int32("0+")


class DeleteRecordsResponse(Response, key=ApiKey.DELETE_RECORDS, versions="0-2"):
    class DeleteRecordsTopicResult(Struct):
        class DeleteRecordsPartitionResult(Struct):
            partition_index = int32("0+")
            low_watermark = int64("0+")
            error_code = int16("0+")

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", DeleteRecordsPartitionResult)

    throttle_time_ms = int32("0+")
    topics = array("0+", DeleteRecordsTopicResult)
