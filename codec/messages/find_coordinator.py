"""FindCoordinator (key 10): the broker in charge of a group, transactional id or share partition.

Versions 0 to 6, flexible from 3. key_type: 0 group (all version 0 knows), 1 transactional id,
2 share partition. 4: several keys at once. The response repeats keys without their type, so who
renames them must remember the request. Node id -1 with an empty host means none.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    int8,
    int16,
    int32,
    string,
    string_array,
)


class FindCoordinatorRequest(Request, key=ApiKey.FIND_COORDINATOR, versions="0-6"):
    key = string("0-3", role=Role.CONDITIONAL)
    key_type = int8("1+")
    coordinator_keys = string_array("4+", role=Role.CONDITIONAL)


class FindCoordinatorResponse(Response, key=ApiKey.FIND_COORDINATOR, versions="0-6"):
    class Coordinator(Struct):
        key = string("4+", role=Role.CONDITIONAL)
        node_id = int32("4+", role=Role.BROKER)
        host = string("4+", role=Role.BROKER)
        port = int32("4+", role=Role.BROKER)
        error_code = int16("4+")
        error_message = string("4+", nullable="4+", role=Role.TEXT)

    throttle_time_ms = int32("1+")
    error_code = int16("0-3")
    error_message = string("1-3", nullable="1-3", role=Role.TEXT)
    node_id = int32("0-3", role=Role.BROKER)
    host = string("0-3", role=Role.BROKER)
    port = int32("0-3", role=Role.BROKER)
    coordinators = array("4+", Coordinator)
