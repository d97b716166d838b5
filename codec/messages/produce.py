"""Produce (key 0): record batches to append, and where they landed.

Versions 0 to 13, flexible from 9. 3: record batch v2 and transactions. 7: zstd.
10: the response names the new leader and its address (KIP-951). 11 and 12: transactions of KIP-890.
13: topics by id only. A request with acks 0 has no response.
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
    int64,
    record_batches,
    string,
    struct,
    uuid,
)


class ProduceRequest(Request, key=ApiKey.PRODUCE, versions="0-13"):
    class TopicProduceData(Struct):
        class PartitionProduceData(Struct):
            index = int32("0+")
            records = record_batches("0+")

        name = string("0-12", role=Role.TOPIC)
        topic_id = uuid("13+", role=Role.TOPIC_ID)
        partition_data = array("0+", PartitionProduceData)

    transactional_id = string("3+", nullable="3+", default=None, role=Role.TRANSACTIONAL_ID)
    acks = int16("0+")
    timeout_ms = int32("0+")
    topic_data = array("0+", TopicProduceData)


class ProduceResponse(Response, key=ApiKey.PRODUCE, versions="0-13"):
    class TopicProduceResponse(Struct):
        class PartitionProduceResponse(Struct):
            class BatchIndexAndErrorMessage(Struct):
                batch_index = int32("8+")
                batch_index_error_message = string(
                    "8+", nullable="8+", default=None, role=Role.TEXT
                )

            class LeaderIdAndEpoch(Struct):
                leader_id = int32("10+", default=-1)
                leader_epoch = int32("10+", default=-1)

            index = int32("0+")
            error_code = int16("0+")
            base_offset = int64("0+")
            log_append_time_ms = int64("2+", default=-1)
            log_start_offset = int64("5+", default=-1)
            record_errors = array("8+", BatchIndexAndErrorMessage, sparse=True)
            error_message = string("8+", nullable="8+", default=None, role=Role.TEXT, sparse=True)
            current_leader = struct("10+", LeaderIdAndEpoch, tag=0)

        name = string("0-12", role=Role.TOPIC)
        topic_id = uuid("13+", role=Role.TOPIC_ID)
        partition_responses = array("0+", PartitionProduceResponse)

    class NodeEndpoint(Struct):
        node_id = int32("10+", role=Role.BROKER)
        host = string("10+", role=Role.BROKER)
        port = int32("10+", role=Role.BROKER)
        rack = string("10+", nullable="10+", default=None)

    responses = array("0+", TopicProduceResponse)
    throttle_time_ms = int32("1+")
    node_endpoints = array("10+", NodeEndpoint, tag=0)
