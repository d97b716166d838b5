"""InitProducerId (key 22): a producer id and epoch.

Versions 0 to 6, flexible from 2. 3: resume with a known id. 6 (two-phase commit) is not stable:
brokers do not offer it unless told to.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, boolean, int16, int32, int64, string


class InitProducerIdRequest(Request, key=ApiKey.INIT_PRODUCER_ID, versions="0-6"):
    transactional_id = string("0+", nullable="0+", role=Role.TRANSACTIONAL_ID)
    transaction_timeout_ms = int32("0+")
    producer_id = int64("3+", default=-1)
    producer_epoch = int16("3+", default=-1)
    enable2_pc = boolean("6+")
    keep_prepared_txn = boolean("6+")


class InitProducerIdResponse(Response, key=ApiKey.INIT_PRODUCER_ID, versions="0-6"):
    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    producer_id = int64("0+", default=-1)
    producer_epoch = int16("0+")
    ongoing_txn_producer_id = int64("6+", default=-1)
    ongoing_txn_producer_epoch = int16("6+", default=-1)
