"""CreateAcls (key 30): access control entries to add.

Versions 0 to 3, flexible from 2. Resource and pattern types as in DescribeAcls. Version 0 knows
literal patterns only.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int8, int16, int32, string


class CreateAclsRequest(Request, key=ApiKey.CREATE_ACLS, versions="0-3"):
    class AclCreation(Struct):
        resource_type = int8("0+")
        resource_name = string("0+", role=Role.CONDITIONAL)
        resource_pattern_type = int8("1+", default=3)
        principal = string("0+")
        host = string("0+")
        operation = int8("0+")
        permission_type = int8("0+")

    creations = array("0+", AclCreation)


class CreateAclsResponse(Response, key=ApiKey.CREATE_ACLS, versions="0-3"):
    class AclCreationResult(Struct):
        error_code = int16("0+")
        error_message = string("0+", nullable="0+", role=Role.TEXT)

    throttle_time_ms = int32("0+")
    results = array("0+", AclCreationResult)
