"""SaslHandshake (key 17): the SASL mechanism of this connection.

Versions 0 and 1, never flexible. After version 0 raw tokens follow without any Kafka header; after
version 1 SaslAuthenticate requests do.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, int16, string, string_array


class SaslHandshakeRequest(Request, key=ApiKey.SASL_HANDSHAKE, versions="0-1"):
    mechanism = string("0+")


class SaslHandshakeResponse(Response, key=ApiKey.SASL_HANDSHAKE, versions="0-1"):
    error_code = int16("0+")
    mechanisms = string_array("0+")
