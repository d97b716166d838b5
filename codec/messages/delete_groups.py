"""DeleteGroups (key 42): groups to delete.

Versions 0 to 2, flexible from 2.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, string, string_array


class DeleteGroupsRequest(Request, key=ApiKey.DELETE_GROUPS, versions="0-2"):
    groups_names = string_array("0+", role=Role.GROUP)


class DeleteGroupsResponse(Response, key=ApiKey.DELETE_GROUPS, versions="0-2"):
    class DeletableGroupResult(Struct):
        group_id = string("0+", role=Role.GROUP)
        error_code = int16("0+")

    throttle_time_ms = int32("0+")
    results = array("0+", DeletableGroupResult)
