"""Fetch (key 1): records to read, and the batches read.

Versions 0 to 18, flexible from 12. 4: record batch v2. 7: fetch sessions (KIP-227), where an
empty topic list means "as before". 10: zstd. 12: leader and epoch tags. 13: topics by id only.
15: replica_id moves into tag 1. 16: node_endpoints. 17 and 18 concern followers. The last batch of
a response may be cut off.
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
    int32_array,
    int64,
    record_batches,
    string,
    struct,
    uuid,
)


class FetchRequest(Request, key=ApiKey.FETCH, versions="0-18"):
    class ReplicaState(Struct):
        replica_id = int32("15+", default=-1)
        replica_epoch = int64("15+", default=-1)

    class FetchTopic(Struct):
        class FetchPartition(Struct):
            partition = int32("0+")
            current_leader_epoch = int32("9+", default=-1)
            fetch_offset = int64("0+")
            last_fetched_epoch = int32("12+", default=-1)
            log_start_offset = int64("5+", default=-1)
            partition_max_bytes = int32("0+")
            replica_directory_id = uuid("17+", tag=0)
            high_watermark = int64("18+", default=0x7FFFFFFFFFFFFFFF, tag=1)

        topic = string("0-12", role=Role.TOPIC)
        topic_id = uuid("13+", role=Role.TOPIC_ID)
        partitions = array("0+", FetchPartition)

    class ForgottenTopic(Struct):
        topic = string("7-12", role=Role.TOPIC)
        topic_id = uuid("13+", role=Role.TOPIC_ID)
        partitions = int32_array("7+")

    cluster_id = string("12+", nullable="12+", default=None, tag=0)
    replica_id = int32("0-14", default=-1)
    replica_state = struct("15+", ReplicaState, tag=1)
    max_wait_ms = int32("0+")
    min_bytes = int32("0+")
    max_bytes = int32("3+", default=0x7FFFFFFF)
    isolation_level = int8("4+")
    session_id = int32("7+")
    session_epoch = int32("7+", default=-1)
    topics = array("0+", FetchTopic)
    forgotten_topics_data = array("7+", ForgottenTopic)
    rack_id = string("11+")


class FetchResponse(Response, key=ApiKey.FETCH, versions="0-18"):
    class FetchableTopicResponse(Struct):
        class PartitionData(Struct):
            class EpochEndOffset(Struct):
                epoch = int32("12+", default=-1)
                end_offset = int64("12+", default=-1)

            class LeaderIdAndEpoch(Struct):
                leader_id = int32("12+", default=-1)
                leader_epoch = int32("12+", default=-1)

            class SnapshotId(Struct):
                end_offset = int64("0+", default=-1)
                epoch = int32("0+", default=-1)

            class AbortedTransaction(Struct):
                producer_id = int64("4+")
                first_offset = int64("4+")

            partition_index = int32("0+")
            error_code = int16("0+")
            high_watermark = int64("0+")
            last_stable_offset = int64("4+", default=-1)
            log_start_offset = int64("5+", default=-1)
            diverging_epoch = struct("12+", EpochEndOffset, tag=0)
            current_leader = struct("12+", LeaderIdAndEpoch, tag=1)
            snapshot_id = struct("12+", SnapshotId, tag=2)
            aborted_transactions = array("4+", AbortedTransaction, nullable="4+", sparse=True)
            preferred_read_replica = int32("11+", default=-1)
            records = record_batches("0+")

        topic = string("0-12", role=Role.TOPIC)
        topic_id = uuid("13+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionData)

    class NodeEndpoint(Struct):
        node_id = int32("16+", role=Role.BROKER)
        host = string("16+", role=Role.BROKER)
        port = int32("16+", role=Role.BROKER)
        rack = string("16+", nullable="16+", default=None)

    throttle_time_ms = int32("1+")
    error_code = int16("7+")
    session_id = int32("7+")
    responses = array("0+", FetchableTopicResponse)
    node_endpoints = array("16+", NodeEndpoint, tag=0)
