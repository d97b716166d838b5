"""DeleteAcls (key 31): removes the access control entries that match filters, and lists them.

Versions 0 to 3, flexible from 2. Resource and pattern types as in DescribeAcls. Version 0 knows
literal patterns only.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int8, int16, int32, string


class DeleteAclsRequest(Request, key=ApiKey.DELETE_ACLS, versions="0-3"):
    class DeleteAclsFilter(Struct):
        resource_type_filter = int8("0+")
        resource_name_filter = string("0+", nullable="0+", role=Role.CONDITIONAL)
        pattern_type_filter = int8("1+", default=3)
        principal_filter = string("0+", nullable="0+")
        host_filter = string("0+", nullable="0+")
        operation = int8("0+")
        permission_type = int8("0+")

    filters = array("0+", DeleteAclsFilter)


class DeleteAclsResponse(Response, key=ApiKey.DELETE_ACLS, versions="0-3"):
    class DeleteAclsFilterResult(Struct):
        class DeleteAclsMatchingAcl(Struct):
            error_code = int16("0+")
            error_message = string("0+", nullable="0+", role=Role.TEXT)
            resource_type = int8("0+")
            resource_name = string("0+", role=Role.CONDITIONAL)
            pattern_type = int8("1+", default=3)
            principal = string("0+")
            host = string("0+")
            operation = int8("0+")
            permission_type = int8("0+")

        error_code = int16("0+")
        error_message = string("0+", nullable="0+", role=Role.TEXT)
        matching_acls = array("0+", DeleteAclsMatchingAcl)

    throttle_time_ms = int32("0+")
    filter_results = array("0+", DeleteAclsFilterResult)
