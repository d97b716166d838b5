"""RemoveRaftVoter (key 81): a controller to take out of the metadata quorum (KIP-853).

Version 0, flexible from 0.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, int16, int32, string, uuid


class RemoveRaftVoterRequest(Request, key=ApiKey.REMOVE_RAFT_VOTER, versions="0"):
    cluster_id = string("0+", nullable="0+")
    voter_id = int32("0+")
    voter_directory_id = uuid("0+")


class RemoveRaftVoterResponse(Response, key=ApiKey.REMOVE_RAFT_VOTER, versions="0"):
    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", role=Role.TEXT)
