"""UpdateRaftVoter (key 82): a voter of the metadata quorum tells what it has become (KIP-853).

Version 0, flexible from 0. Between controllers only: addresses have no role.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Struct,
    array,
    int16,
    int32,
    string,
    struct,
    uint16,
    uuid,
)


class UpdateRaftVoterRequest(Request, key=ApiKey.UPDATE_RAFT_VOTER, versions="0"):
    class Listener(Struct):
        name = string("0+")
        host = string("0+")
        port = uint16("0+")

    class KRaftVersionFeature(Struct):
        min_supported_version = int16("0+")
        max_supported_version = int16("0+")

    cluster_id = string("0+", nullable="0+")
    current_leader_epoch = int32("0+")
    voter_id = int32("0+")
    voter_directory_id = uuid("0+")
    listeners = array("0+", Listener)
    k_raft_version_feature = struct("0+", KRaftVersionFeature)


class UpdateRaftVoterResponse(Response, key=ApiKey.UPDATE_RAFT_VOTER, versions="0"):
    class CurrentLeader(Struct):
        leader_id = int32("0+", default=-1)
        leader_epoch = int32("0+", default=-1)
        host = string("0+")
        port = int32("0+")

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    current_leader = struct("0+", CurrentLeader, tag=0)
