"""UnregisterBroker (key 64): takes a broker out of the cluster's metadata (KIP-500).

Version 0, flexible from 0.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, int16, int32, string


class UnregisterBrokerRequest(Request, key=ApiKey.UNREGISTER_BROKER, versions="0"):
    broker_id = int32("0+")


class UnregisterBrokerResponse(Response, key=ApiKey.UNREGISTER_BROKER, versions="0"):
    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", role=Role.TEXT)
