"""DescribeTransactions (key 65): state and partitions of transactions (KIP-664).

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
    string_array,
)


class DescribeTransactionsRequest(Request, key=ApiKey.DESCRIBE_TRANSACTIONS, versions="0"):
    transactional_ids = string_array("0+", role=Role.TRANSACTIONAL_ID)


class DescribeTransactionsResponse(Response, key=ApiKey.DESCRIBE_TRANSACTIONS, versions="0"):
    class TransactionState(Struct):
        class TopicData(Struct):
            topic = string("0+", role=Role.TOPIC)
            partitions = int32_array("0+")

        error_code = int16("0+")
        transactional_id = string("0+", role=Role.TRANSACTIONAL_ID)
        transaction_state = string("0+")
        transaction_timeout_ms = int32("0+")
        transaction_start_time_ms = int64("0+")
        producer_id = int64("0+")
        producer_epoch = int16("0+")
        topics = array("0+", TopicData)

    throttle_time_ms = int32("0+")
    transaction_states = array("0+", TransactionState)
