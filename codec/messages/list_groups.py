"""ListGroups (key 16): all groups of a broker.

Versions 0 to 5, flexible from 3. Filters by state from 4, by type from 5.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, string, string_array


class ListGroupsRequest(Request, key=ApiKey.LIST_GROUPS, versions="0-5"):
    states_filter = string_array("4+")
    types_filter = string_array("5+")


class ListGroupsResponse(Response, key=ApiKey.LIST_GROUPS, versions="0-5"):
    class ListedGroup(Struct):
        group_id = string("0+", role=Role.GROUP)
        protocol_type = string("0+")
        group_state = string("4+")
        group_type = string("5+")

    throttle_time_ms = int32("1+")
    error_code = int16("0+")
    groups = array("0+", ListedGroup)
