"""ListTransactions (key 66): the transactions of a coordinator (KIP-664).

Versions 0 to 2, flexible from 0. 1: filter by age in ms. 2: by a regular expression, in RE2 syntax,
that has to match the whole transactional id.
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
    int64_array,
    string,
    string_array,
)


class ListTransactionsRequest(Request, key=ApiKey.LIST_TRANSACTIONS, versions="0-2"):
    state_filters = string_array("0+")
    producer_id_filters = int64_array("0+")
    duration_filter = int64("1+", default=-1)
    transactional_id_pattern = string(
        "2+", nullable="2+", default=None, role=Role.TRANSACTIONAL_ID_PATTERN
    )


class ListTransactionsResponse(Response, key=ApiKey.LIST_TRANSACTIONS, versions="0-2"):
    class TransactionState(Struct):
        transactional_id = string("0+", role=Role.TRANSACTIONAL_ID)
        producer_id = int64("0+")
        transaction_state = string("0+")

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    unknown_state_filters = string_array("0+")
    transaction_states = array("0+", TransactionState)
