"""EndQuorumEpoch (key 54): the leader of the metadata quorum steps down (KIP-595).

Versions 0 and 1, flexible from 1. Between controllers only: endpoints have no role. 1: candidates
with their directory ids instead of preferred_successors, and endpoints (KIP-853).
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    int16,
    int32,
    int32_array,
    string,
    uint16,
    uuid,
)


class EndQuorumEpochRequest(Request, key=ApiKey.END_QUORUM_EPOCH, versions="0-1"):
    class TopicData(Struct):
        class PartitionData(Struct):
            class ReplicaInfo(Struct):
                candidate_id = int32("1+")
                candidate_directory_id = uuid("1+")

            partition_index = int32("0+")
            leader_id = int32("0+")
            leader_epoch = int32("0+")
            preferred_successors = int32_array("0")
            preferred_candidates = array("1+", ReplicaInfo)

        topic_name = string("0+", role=Role.TOPIC)
        partitions = array("0+", PartitionData)

    class LeaderEndpoint(Struct):
        name = string("1+")
        host = string("1+")
        port = uint16("1+")

    cluster_id = string("0+", nullable="0+", default=None)
    topics = array("0+", TopicData)
    leader_endpoints = array("1+", LeaderEndpoint)


class EndQuorumEpochResponse(Response, key=ApiKey.END_QUORUM_EPOCH, versions="0-1"):
    class TopicData(Struct):
        class PartitionData(Struct):
            partition_index = int32("0+")
            error_code = int16("0+")
            leader_id = int32("0+")
            leader_epoch = int32("0+")

        topic_name = string("0+", role=Role.TOPIC)
        partitions = array("0+", PartitionData)

    class NodeEndpoint(Struct):
        node_id = int32("1+")
        host = string("1+")
        port = uint16("1+")

    error_code = int16("0+")
    topics = array("0+", TopicData)
    node_endpoints = array("1+", NodeEndpoint, tag=0)
