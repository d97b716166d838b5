"""DescribeDelegationToken (key 41): the delegation tokens of owners (KIP-48).

Versions 0 to 3, flexible from 2. Null owners ask for all tokens. 3: who asked for a token
(KIP-373). hmac is the secret.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Struct, array, blob, int16, int32, int64, string


class DescribeDelegationTokenRequest(Request, key=ApiKey.DESCRIBE_DELEGATION_TOKEN, versions="0-3"):
    class DescribeDelegationTokenOwner(Struct):
        principal_type = string("0+")
        principal_name = string("0+")

    owners = array("0+", DescribeDelegationTokenOwner, nullable="0+")


class DescribeDelegationTokenResponse(
    Response, key=ApiKey.DESCRIBE_DELEGATION_TOKEN, versions="0-3"
):
    class DescribedDelegationToken(Struct):
        class DescribedDelegationTokenRenewer(Struct):
            principal_type = string("0+")
            principal_name = string("0+")

        principal_type = string("0+")
        principal_name = string("0+")
        token_requester_principal_type = string("3+")
        token_requester_principal_name = string("3+")
        issue_timestamp = int64("0+")
        expiry_timestamp = int64("0+")
        max_timestamp = int64("0+")
        token_id = string("0+")
        hmac = blob("0+")
        renewers = array("0+", DescribedDelegationTokenRenewer)

    error_code = int16("0+")
    tokens = array("0+", DescribedDelegationToken)
    throttle_time_ms = int32("0+")
