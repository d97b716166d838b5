"""SyncGroup (key 14): the leader hands in assignments, each member gets its own.

Versions 0 to 5, flexible from 4. Assignments of protocol type "consumer" hold topic names.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, blob, int16, int32, string


class SyncGroupRequest(Request, key=ApiKey.SYNC_GROUP, versions="0-5"):
    class SyncGroupRequestAssignment(Struct):
        member_id = string("0+")
        assignment = blob("0+", role=Role.EMBEDDED)

    group_id = string("0+", role=Role.GROUP)
    generation_id = int32("0+")
    member_id = string("0+")
    group_instance_id = string("3+", nullable="3+", default=None)
    protocol_type = string("5+", nullable="5+", default=None)
    protocol_name = string("5+", nullable="5+", default=None)
    assignments = array("0+", SyncGroupRequestAssignment)


class SyncGroupResponse(Response, key=ApiKey.SYNC_GROUP, versions="0-5"):
    throttle_time_ms = int32("1+")
    error_code = int16("0+")
    protocol_type = string("5+", nullable="5+", default=None)
    protocol_name = string("5+", nullable="5+", default=None)
    assignment = blob("0+", role=Role.EMBEDDED)
