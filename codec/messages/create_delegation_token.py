"""CreateDelegationToken (key 38): a token that authenticates in place of its owner (KIP-48).

Versions 0 to 3, flexible from 2. 3: tokens for others (KIP-373). hmac is the secret.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Struct, array, blob, int16, int32, int64, string


class CreateDelegationTokenRequest(Request, key=ApiKey.CREATE_DELEGATION_TOKEN, versions="0-3"):
    class CreatableRenewers(Struct):
        principal_type = string("0+")
        principal_name = string("0+")

    owner_principal_type = string("3+", nullable="3+")
    owner_principal_name = string("3+", nullable="3+")
    renewers = array("0+", CreatableRenewers)
    max_lifetime_ms = int64("0+")


class CreateDelegationTokenResponse(Response, key=ApiKey.CREATE_DELEGATION_TOKEN, versions="0-3"):
    error_code = int16("0+")
    principal_type = string("0+")
    principal_name = string("0+")
    token_requester_principal_type = string("3+")
    token_requester_principal_name = string("3+")
    issue_timestamp_ms = int64("0+")
    expiry_timestamp_ms = int64("0+")
    max_timestamp_ms = int64("0+")
    token_id = string("0+")
    hmac = blob("0+")
    throttle_time_ms = int32("0+")
