"""AlterUserScramCredentials (key 51): SCRAM credentials to remove and to set (KIP-554).

Version 0, flexible from 0. Mechanisms as in DescribeUserScramCredentials. salted_password is a
secret.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, blob, int8, int16, int32, string


class AlterUserScramCredentialsRequest(
    Request, key=ApiKey.ALTER_USER_SCRAM_CREDENTIALS, versions="0"
):
    class ScramCredentialDeletion(Struct):
        name = string("0+")
        mechanism = int8("0+")

    class ScramCredentialUpsertion(Struct):
        name = string("0+")
        mechanism = int8("0+")
        iterations = int32("0+")
        salt = blob("0+")
        salted_password = blob("0+")

    deletions = array("0+", ScramCredentialDeletion)
    upsertions = array("0+", ScramCredentialUpsertion)


class AlterUserScramCredentialsResponse(
    Response, key=ApiKey.ALTER_USER_SCRAM_CREDENTIALS, versions="0"
):
    class AlterUserScramCredentialsResult(Struct):
        user = string("0+")
        error_code = int16("0+")
        error_message = string("0+", nullable="0+", role=Role.TEXT)

    throttle_time_ms = int32("0+")
    results = array("0+", AlterUserScramCredentialsResult)
