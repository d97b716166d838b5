"""Heartbeat (key 12): a member says it is alive.

Versions 0 to 4, flexible from 4.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, int16, int32, string


class HeartbeatRequest(Request, key=ApiKey.HEARTBEAT, versions="0-4"):
    group_id = string("0+", role=Role.GROUP)
    generation_id = int32("0+")
    member_id = string("0+")
    group_instance_id = string("3+", nullable="3+", default=None)


class HeartbeatResponse(Response, key=ApiKey.HEARTBEAT, versions="0-4"):
    throttle_time_ms = int32("1+")
    error_code = int16("0+")
