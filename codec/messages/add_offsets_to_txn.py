"""AddOffsetsToTxn (key 25): a group's offsets enter a transaction.

Versions 0 to 4, flexible from 3.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, int16, int32, int64, string


class AddOffsetsToTxnRequest(Request, key=ApiKey.ADD_OFFSETS_TO_TXN, versions="0-4"):
    transactional_id = string("0+", role=Role.TRANSACTIONAL_ID)
    producer_id = int64("0+")
    producer_epoch = int16("0+")
    group_id = string("0+", role=Role.GROUP)


class AddOffsetsToTxnResponse(Response, key=ApiKey.ADD_OFFSETS_TO_TXN, versions="0-4"):
    throttle_time_ms = int32("0+")
    error_code = int16("0+")
