"""RenewDelegationToken (key 39): lets a delegation token live longer (KIP-48).

Versions 0 to 2, flexible from 2.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, blob, int16, int32, int64


class RenewDelegationTokenRequest(Request, key=ApiKey.RENEW_DELEGATION_TOKEN, versions="0-2"):
    hmac = blob("0+")
    renew_period_ms = int64("0+")


class RenewDelegationTokenResponse(Response, key=ApiKey.RENEW_DELEGATION_TOKEN, versions="0-2"):
    error_code = int16("0+")
    expiry_timestamp_ms = int64("0+")
    throttle_time_ms = int32("0+")
