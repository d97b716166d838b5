"""SaslAuthenticate (key 36): one step of a SASL exchange.

Versions 0 to 2, flexible from 2. A session lifetime above 0 ms asks to authenticate again in time.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, blob, int16, int64, string


class SaslAuthenticateRequest(Request, key=ApiKey.SASL_AUTHENTICATE, versions="0-2"):
    auth_bytes = blob("0+")


class SaslAuthenticateResponse(Response, key=ApiKey.SASL_AUTHENTICATE, versions="0-2"):
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", role=Role.TEXT)
    auth_bytes = blob("0+")
    session_lifetime_ms = int64("1+")
