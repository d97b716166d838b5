"""DescribeQuorum (key 55): state of the metadata quorum (KIP-595).

Versions 0 to 2, flexible from 0. 1: timestamps. 2: directory ids, error messages, and the listeners
of controllers (KIP-853), which have no node id beside them and therefore no role.
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
    int64,
    string,
    uint16,
    uuid,
)


class DescribeQuorumRequest(Request, key=ApiKey.DESCRIBE_QUORUM, versions="0-2"):
    class TopicData(Struct):
        class PartitionData(Struct):
            partition_index = int32("0+")

        topic_name = string("0+", role=Role.TOPIC)
        partitions = array("0+", PartitionData)

    topics = array("0+", TopicData)


class DescribeQuorumResponse(Response, key=ApiKey.DESCRIBE_QUORUM, versions="0-2"):
    class TopicData(Struct):
        class PartitionData(Struct):
            class ReplicaState(Struct):
                replica_id = int32("0+")
                replica_directory_id = uuid("2+")
                log_end_offset = int64("0+")
                last_fetch_timestamp = int64("1+", default=-1)
                last_caught_up_timestamp = int64("1+", default=-1)

            partition_index = int32("0+")
            error_code = int16("0+")
            error_message = string("2+", nullable="2+", role=Role.TEXT)
            leader_id = int32("0+")
            leader_epoch = int32("0+")
            high_watermark = int64("0+")
            current_voters = array("0+", ReplicaState)
            observers = array("0+", ReplicaState)

        topic_name = string("0+", role=Role.TOPIC)
        partitions = array("0+", PartitionData)

    class Node(Struct):
        class Listener(Struct):
            name = string("2+")
            host = string("2+")
            port = uint16("2+")

        node_id = int32("2+")
        listeners = array("2+", Listener)

    error_code = int16("0+")
    error_message = string("2+", nullable="2+", role=Role.TEXT)
    topics = array("0+", TopicData)
    nodes = array("2+", Node)
