"""DescribeGroups (key 15): state and members of classic groups.

Versions 0 to 6, flexible from 5. client_host is the address the broker saw, not a broker.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    blob,
    boolean,
    int16,
    int32,
    string,
    string_array,
)


class DescribeGroupsRequest(Request, key=ApiKey.DESCRIBE_GROUPS, versions="0-6"):
    groups = string_array("0+", role=Role.GROUP)
    include_authorized_operations = boolean("3+")


class DescribeGroupsResponse(Response, key=ApiKey.DESCRIBE_GROUPS, versions="0-6"):
    class DescribedGroup(Struct):
        class DescribedGroupMember(Struct):
            member_id = string("0+")
            group_instance_id = string("4+", nullable="4+", default=None)
            client_id = string("0+")
            client_host = string("0+")
            member_metadata = blob("0+", role=Role.EMBEDDED)
            member_assignment = blob("0+", role=Role.EMBEDDED)

        error_code = int16("0+")
        error_message = string("6+", nullable="6+", default=None, role=Role.TEXT)
        group_id = string("0+", role=Role.GROUP)
        group_state = string("0+")
        protocol_type = string("0+")
        protocol_data = string("0+")
        members = array("0+", DescribedGroupMember)
        authorized_operations = int32("3+", default=-0x80000000)

    throttle_time_ms = int32("1+")
    groups = array("0+", DescribedGroup)
