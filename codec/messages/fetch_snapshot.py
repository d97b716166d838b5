"""FetchSnapshot (key 59): part of a snapshot of the metadata log (KIP-630).

Versions 0 and 1, flexible from 0. Between controllers and brokers only: endpoints have no role.
1: directory id and the leader's endpoint (KIP-853). unaligned_records may begin and end within a
batch.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    blob,
    int16,
    int32,
    int64,
    string,
    struct,
    uint16,
    uuid,
)


class SnapshotId(Struct):
    """The end of a snapshot; both messages use it."""

    end_offset = int64("0+")
    epoch = int32("0+")


class FetchSnapshotRequest(Request, key=ApiKey.FETCH_SNAPSHOT, versions="0-1"):
    class TopicSnapshot(Struct):
        class PartitionSnapshot(Struct):
            partition = int32("0+")
            current_leader_epoch = int32("0+")
            snapshot_id = struct("0+", SnapshotId)
            position = int64("0+")
            replica_directory_id = uuid("1+", tag=0)

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", PartitionSnapshot)

    cluster_id = string("0+", nullable="0+", default=None, tag=0)
    replica_id = int32("0+", default=-1)
    max_bytes = int32("0+", default=0x7FFFFFFF)
    topics = array("0+", TopicSnapshot)


class FetchSnapshotResponse(Response, key=ApiKey.FETCH_SNAPSHOT, versions="0-1"):
    class TopicSnapshot(Struct):
        class PartitionSnapshot(Struct):
            class LeaderIdAndEpoch(Struct):
                leader_id = int32("0+")
                leader_epoch = int32("0+")

            index = int32("0+")
            error_code = int16("0+")
            snapshot_id = struct("0+", SnapshotId)
            current_leader = struct("0+", LeaderIdAndEpoch, tag=0)
            size = int64("0+")
            position = int64("0+")
            unaligned_records = blob("0+")

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", PartitionSnapshot)

    class NodeEndpoint(Struct):
        node_id = int32("1+")
        host = string("1+")
        port = uint16("1+")

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    topics = array("0+", TopicSnapshot)
    node_endpoints = array("1+", NodeEndpoint, tag=0)
