"""DescribeProducers (key 61): who writes to partitions, as their leaders know it (KIP-664).

Version 0, flexible from 0.
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
    int32_array,
    int64,
    string,
)


class DescribeProducersRequest(Request, key=ApiKey.DESCRIBE_PRODUCERS, versions="0"):
    class TopicRequest(Struct):
        name = string("0+", role=Role.TOPIC)
        partition_indexes = int32_array("0+")

    topics = array("0+", TopicRequest)


class DescribeProducersResponse(Response, key=ApiKey.DESCRIBE_PRODUCERS, versions="0"):
    class TopicResponse(Struct):
        class PartitionResponse(Struct):
            class ProducerState(Struct):
                producer_id = int64("0+")
                producer_epoch = int32("0+")
                last_sequence = int32("0+", default=-1)
                last_timestamp = int64("0+", default=-1)
                coordinator_epoch = int32("0+")
                current_txn_start_offset = int64("0+", default=-1)

            partition_index = int32("0+")
            error_code = int16("0+")
            error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
            active_producers = array("0+", ProducerState)

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", PartitionResponse)

    throttle_time_ms = int32("0+")
    topics = array("0+", TopicResponse)
