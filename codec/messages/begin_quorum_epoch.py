"""BeginQuorumEpoch (key 53): a new leader of the metadata quorum makes itself known (KIP-595).

Versions 0 and 1, flexible from 1. Between controllers only: endpoints have no role. 1: directory
ids and endpoints (KIP-853).
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, string, uint16, uuid


class BeginQuorumEpochRequest(Request, key=ApiKey.BEGIN_QUORUM_EPOCH, versions="0-1"):
    class TopicData(Struct):
        class PartitionData(Struct):
            partition_index = int32("0+")
            voter_directory_id = uuid("1+")
            leader_id = int32("0+")
            leader_epoch = int32("0+")

        topic_name = string("0+", role=Role.TOPIC)
        partitions = array("0+", PartitionData)

    class LeaderEndpoint(Struct):
        name = string("1+")
        host = string("1+")
        port = uint16("1+")

    cluster_id = string("0+", nullable="0+", default=None)
    voter_id = int32("1+", default=-1)
    topics = array("0+", TopicData)
    leader_endpoints = array("1+", LeaderEndpoint)


class BeginQuorumEpochResponse(Response, key=ApiKey.BEGIN_QUORUM_EPOCH, versions="0-1"):
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
