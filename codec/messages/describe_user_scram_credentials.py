"""DescribeUserScramCredentials (key 50): which SCRAM credentials users have (KIP-554).

Version 0, flexible from 0. Null or no users ask for all. mechanism: 1 SCRAM-SHA-256,
2 SCRAM-SHA-512.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int8, int16, int32, string


class DescribeUserScramCredentialsRequest(
    Request, key=ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS, versions="0"
):
    class UserName(Struct):
        name = string("0+")

    users = array("0+", UserName, nullable="0+")


class DescribeUserScramCredentialsResponse(
    Response, key=ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS, versions="0"
):
    class DescribeUserScramCredentialsResult(Struct):
        class CredentialInfo(Struct):
            mechanism = int8("0+")
            iterations = int32("0+")

        user = string("0+")
        error_code = int16("0+")
        error_message = string("0+", nullable="0+", role=Role.TEXT)
        credential_infos = array("0+", CredentialInfo)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", role=Role.TEXT)
    results = array("0+", DescribeUserScramCredentialsResult)
