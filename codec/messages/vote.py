"""Vote (key 52): elections in the metadata quorum (KIP-595).

Versions 0 to 2, flexible from 0. Between controllers only: endpoints have no role. 1: directory ids
and the leader's endpoint (KIP-853). 2: pre-votes (KIP-996); what was the candidate is the replica.
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
    int64,
    string,
    uint16,
    uuid,
)


class VoteRequest(Request, key=ApiKey.VOTE, versions="0-2"):
    class TopicData(Struct):
        class PartitionData(Struct):
            partition_index = int32("0+")
            replica_epoch = int32("0+")
            replica_id = int32("0+")
            replica_directory_id = uuid("1+")
            voter_directory_id = uuid("1+")
            last_offset_epoch = int32("0+")
            last_offset = int64("0+")
            pre_vote = boolean("2+")

        topic_name = string("0+", role=Role.TOPIC)
        partitions = array("0+", PartitionData)

    cluster_id = string("0+", nullable="0+", default=None)
    voter_id = int32("1+", default=-1)
    topics = array("0+", TopicData)


class VoteResponse(Response, key=ApiKey.VOTE, versions="0-2"):
    class TopicData(Struct):
        class PartitionData(Struct):
            partition_index = int32("0+")
            error_code = int16("0+")
            leader_id = int32("0+")
            leader_epoch = int32("0+")
            vote_granted = boolean("0+")

        topic_name = string("0+", role=Role.TOPIC)
        partitions = array("0+", PartitionData)

    class NodeEndpoint(Struct):
        node_id = int32("1+")
        host = string("1+")
        port = uint16("1+")

    error_code = int16("0+")
    topics = array("0+", TopicData)
    node_endpoints = array("1+", NodeEndpoint, tag=0)
