"""WriteTxnMarkers (key 27): a coordinator has the end of transactions written into partitions.

Versions 0 to 2, flexible from 1. Between brokers, but for tools that abort a hanging transaction.
transaction_result: true for commit. 2: transaction_version (KIP-1228).
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    boolean,
    int8,
    int16,
    int32,
    int32_array,
    int64,
    string,
)


class WriteTxnMarkersRequest(Request, key=ApiKey.WRITE_TXN_MARKERS, versions="0-2"):
    class WritableTxnMarker(Struct):
        class WritableTxnMarkerTopic(Struct):
            name = string("0+", role=Role.TOPIC)
            partition_indexes = int32_array("0+")

        producer_id = int64("0+")
        producer_epoch = int16("0+")
        transaction_result = boolean("0+")
        topics = array("0+", WritableTxnMarkerTopic)
        coordinator_epoch = int32("0+")
        transaction_version = int8("2+")

    markers = array("0+", WritableTxnMarker)


class WriteTxnMarkersResponse(Response, key=ApiKey.WRITE_TXN_MARKERS, versions="0-2"):
    class WritableTxnMarkerResult(Struct):
        class WritableTxnMarkerTopicResult(Struct):
            class WritableTxnMarkerPartitionResult(Struct):
                partition_index = int32("0+")
                error_code = int16("0+")

            name = string("0+", role=Role.TOPIC)
            partitions = array("0+", WritableTxnMarkerPartitionResult)

        producer_id = int64("0+")
        topics = array("0+", WritableTxnMarkerTopicResult)

    markers = array("0+", WritableTxnMarkerResult)
