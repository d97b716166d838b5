"""EndTxn (key 26): commit or abort.

Versions 0 to 5, flexible from 3. 5: the response moves the producer to a new epoch (KIP-890).
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, boolean, int16, int32, int64, string


class EndTxnRequest(Request, key=ApiKey.END_TXN, versions="0-5"):
    transactional_id = string("0+", role=Role.TRANSACTIONAL_ID)
    producer_id = int64("0+")
    producer_epoch = int16("0+")
    committed = boolean("0+")


class EndTxnResponse(Response, key=ApiKey.END_TXN, versions="0-5"):
    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    producer_id = int64("5+", default=-1)
    producer_epoch = int16("5+", default=-1)
