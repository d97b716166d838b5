"""AllocateProducerIds (key 67): a block of producer ids for a broker to give out (KIP-730).

Version 0, flexible from 0. Between brokers and controllers only.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, int16, int32, int64


class AllocateProducerIdsRequest(Request, key=ApiKey.ALLOCATE_PRODUCER_IDS, versions="0"):
    broker_id = int32("0+")
    broker_epoch = int64("0+", default=-1)


class AllocateProducerIdsResponse(Response, key=ApiKey.ALLOCATE_PRODUCER_IDS, versions="0"):
    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    producer_id_start = int64("0+")
    producer_id_len = int32("0+")
