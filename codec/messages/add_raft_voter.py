"""AddRaftVoter (key 80): a controller to take into the metadata quorum (KIP-853).

Versions 0 and 1, flexible from 0. 1: ack_when_committed. The listeners are those of a controller.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    boolean,
    int16,
    int32,
    string,
    uint16,
    uuid,
)


class AddRaftVoterRequest(Request, key=ApiKey.ADD_RAFT_VOTER, versions="0-1"):
    class Listener(Struct):
        name = string("0+")
        host = string("0+")
        port = uint16("0+")

    cluster_id = string("0+", nullable="0+")
    timeout_ms = int32("0+")
    voter_id = int32("0+")
    voter_directory_id = uuid("0+")
    listeners = array("0+", Listener)
    ack_when_committed = boolean("1+", default=True)


class AddRaftVoterResponse(Response, key=ApiKey.ADD_RAFT_VOTER, versions="0-1"):
    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", role=Role.TEXT)
