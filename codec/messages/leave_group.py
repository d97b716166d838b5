"""LeaveGroup (key 13): members leave a group.

Versions 0 to 5, flexible from 4. From 3 on several at once.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, string


class LeaveGroupRequest(Request, key=ApiKey.LEAVE_GROUP, versions="0-5"):
    class MemberIdentity(Struct):
        member_id = string("3+")
        group_instance_id = string("3+", nullable="3+", default=None)
        reason = string("5+", nullable="5+", default=None)

    group_id = string("0+", role=Role.GROUP)
    member_id = string("0-2")
    members = array("3+", MemberIdentity)


class LeaveGroupResponse(Response, key=ApiKey.LEAVE_GROUP, versions="0-5"):
    class MemberResponse(Struct):
        member_id = string("3+")
        group_instance_id = string("3+", nullable="3+")
        error_code = int16("3+")

    throttle_time_ms = int32("1+")
    error_code = int16("0+")
    members = array("3+", MemberResponse)
