"""JoinGroup (key 11): a member enters a group.

Versions 0 to 9, flexible from 6. Metadata of protocol type "consumer" is a ConsumerProtocol
subscription, which holds topic names; other types are opaque.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, blob, boolean, int16, int32, string


class JoinGroupRequest(Request, key=ApiKey.JOIN_GROUP, versions="0-9"):
    class JoinGroupRequestProtocol(Struct):
        name = string("0+")
        metadata = blob("0+", role=Role.EMBEDDED)

    group_id = string("0+", role=Role.GROUP)
    session_timeout_ms = int32("0+")
    rebalance_timeout_ms = int32("1+", default=-1)
    member_id = string("0+")
    group_instance_id = string("5+", nullable="5+", default=None)
    protocol_type = string("0+")
    protocols = array("0+", JoinGroupRequestProtocol)
    reason = string("8+", nullable="8+", default=None)


class JoinGroupResponse(Response, key=ApiKey.JOIN_GROUP, versions="0-9"):
    class JoinGroupResponseMember(Struct):
        member_id = string("0+")
        group_instance_id = string("5+", nullable="5+", default=None)
        metadata = blob("0+", role=Role.EMBEDDED)

    throttle_time_ms = int32("2+")
    error_code = int16("0+")
    generation_id = int32("0+", default=-1)
    protocol_type = string("7+", nullable="7+", default=None)
    protocol_name = string("0+", nullable="7+")
    leader = string("0+")
    skip_assignment = boolean("9+")
    member_id = string("0+")
    members = array("0+", JoinGroupResponseMember)
