"""DescribeAcls (key 29): access control entries that match a filter.

Versions 0 to 3, flexible from 2. resource_type tells what resource_name is: 2 topic, 3 group,
4 cluster, 5 transactional id, 6 delegation token, and from 3 on 7 user. 1: pattern types, 3 literal
and 4 prefixed; filters also know 1 any and 2 match. Version 0 knows literal ones only. Hosts are
those that the entry allows or denies, not brokers.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int8, int16, int32, string


class DescribeAclsRequest(Request, key=ApiKey.DESCRIBE_ACLS, versions="0-3"):
    resource_type_filter = int8("0+")
    resource_name_filter = string("0+", nullable="0+", role=Role.CONDITIONAL)
    pattern_type_filter = int8("1+", default=3)
    principal_filter = string("0+", nullable="0+")
    host_filter = string("0+", nullable="0+")
    operation = int8("0+")
    permission_type = int8("0+")


class DescribeAclsResponse(Response, key=ApiKey.DESCRIBE_ACLS, versions="0-3"):
    class DescribeAclsResource(Struct):
        class AclDescription(Struct):
            principal = string("0+")
            host = string("0+")
            operation = int8("0+")
            permission_type = int8("0+")

        resource_type = int8("0+")
        resource_name = string("0+", role=Role.CONDITIONAL)
        pattern_type = int8("1+", default=3)
        acls = array("0+", AclDescription)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", role=Role.TEXT)
    resources = array("0+", DescribeAclsResource)
