"""Envelope (key 58): a whole request that a broker hands on to the controller (KIP-590).

Version 0, flexible from 0. request_data and response_data have headers of their own.
client_host_address is that of the client, not of a broker.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, blob, int16


class EnvelopeRequest(Request, key=ApiKey.ENVELOPE, versions="0"):
    request_data = blob("0+", role=Role.EMBEDDED)
    request_principal = blob("0+", nullable="0+")
    client_host_address = blob("0+")


class EnvelopeResponse(Response, key=ApiKey.ENVELOPE, versions="0"):
    response_data = blob("0+", nullable="0+", default=None, role=Role.EMBEDDED)
    error_code = int16("0+")
