"""ExpireDelegationToken (key 40): lets a delegation token end earlier (KIP-48).

Versions 0 to 2, flexible from 2. A negative period ends it at once.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, blob, int16, int32, int64


class ExpireDelegationTokenRequest(Request, key=ApiKey.EXPIRE_DELEGATION_TOKEN, versions="0-2"):
    hmac = blob("0+")
    expiry_time_period_ms = int64("0+")


class ExpireDelegationTokenResponse(Response, key=ApiKey.EXPIRE_DELEGATION_TOKEN, versions="0-2"):
    error_code = int16("0+")
    expiry_timestamp_ms = int64("0+")
    throttle_time_ms = int32("0+")
