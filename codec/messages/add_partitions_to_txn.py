"""AddPartitionsToTxn (key 24): partitions enter a transaction.

Versions 0 to 5, flexible from 3. 4 and 5, several transactions at once, are for brokers only.
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
    int64,
    string,
)


class AddPartitionsToTxnTopic(Struct):
    """Topic and partitions to add; both layouts of the request use it."""

    name = string("0+", role=Role.TOPIC)
    partitions = int32_array("0+")


class AddPartitionsToTxnTopicResult(Struct):
    """Outcome per partition; both layouts of the response use it."""

    class AddPartitionsToTxnPartitionResult(Struct):
        partition_index = int32("0+")
        partition_error_code = int16("0+")

    name = string("0+", role=Role.TOPIC)
    results_by_partition = array("0+", AddPartitionsToTxnPartitionResult)


class AddPartitionsToTxnRequest(Request, key=ApiKey.ADD_PARTITIONS_TO_TXN, versions="0-5"):
    class AddPartitionsToTxnTransaction(Struct):
        transactional_id = string("4+", role=Role.TRANSACTIONAL_ID)
        producer_id = int64("4+")
        producer_epoch = int16("4+")
        verify_only = boolean("4+")
        topics = array("4+", AddPartitionsToTxnTopic)

    transactions = array("4+", AddPartitionsToTxnTransaction)
    v3_and_below_transactional_id = string("0-3", role=Role.TRANSACTIONAL_ID)
    v3_and_below_producer_id = int64("0-3")
    v3_and_below_producer_epoch = int16("0-3")
    v3_and_below_topics = array("0-3", AddPartitionsToTxnTopic)


class AddPartitionsToTxnResponse(Response, key=ApiKey.ADD_PARTITIONS_TO_TXN, versions="0-5"):
    class AddPartitionsToTxnResult(Struct):
        transactional_id = string("4+", role=Role.TRANSACTIONAL_ID)
        topic_results = array("4+", AddPartitionsToTxnTopicResult)

    throttle_time_ms = int32("0+")
    error_code = int16("4+")
    results_by_transaction = array("4+", AddPartitionsToTxnResult)
    results_by_topic_v3_and_below = array("0-3", AddPartitionsToTxnTopicResult)
