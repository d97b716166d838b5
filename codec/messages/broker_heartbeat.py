"""BrokerHeartbeat (key 63): a broker tells the controller that it lives (KIP-631).

Versions 0 to 2, flexible from 0. Between brokers and controllers only. 1: failed log directories
(KIP-858). 2: cordoned ones (KIP-1066).
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, boolean, int16, int32, int64, uuid_array


class BrokerHeartbeatRequest(Request, key=ApiKey.BROKER_HEARTBEAT, versions="0-2"):
    broker_id = int32("0+")
    broker_epoch = int64("0+", default=-1)
    current_metadata_offset = int64("0+")
    want_fence = boolean("0+")
    want_shut_down = boolean("0+")
    offline_log_dirs = uuid_array("1+", tag=0)
    cordoned_log_dirs = uuid_array("2+", nullable="2+", default=None, tag=1)


class BrokerHeartbeatResponse(Response, key=ApiKey.BROKER_HEARTBEAT, versions="0-2"):
    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    is_caught_up = boolean("0+")
    is_fenced = boolean("0+", default=True)
    should_shut_down = boolean("0+")
