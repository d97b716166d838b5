"""ShareFetch (key 78): records for a member of a share group, and acknowledgements (KIP-932).

Versions 0 to 2, flexible from 0; 0 is the early access of Kafka 3.9 and 4.0. Topics by id only, in
share sessions like those of Fetch. 1: max_records and batch_size instead of a limit of bytes per
partition. 2: renewals (KIP-1222) and the acquire mode (KIP-1206). acknowledge_types has one type
for a whole batch or one for each record: 0 gap, 1 accept, 2 release, 3 reject, 4 renew.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    boolean,
    int8,
    int8_array,
    int16,
    int32,
    int32_array,
    int64,
    record_batches,
    string,
    struct,
    uuid,
)


class ShareFetchRequest(Request, key=ApiKey.SHARE_FETCH, versions="0-2"):
    class FetchTopic(Struct):
        class FetchPartition(Struct):
            class AcknowledgementBatch(Struct):
                first_offset = int64("0+")
                last_offset = int64("0+")
                acknowledge_types = int8_array("0+")

            partition_index = int32("0+")
            partition_max_bytes = int32("0")
            acknowledgement_batches = array("0+", AcknowledgementBatch)

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", FetchPartition)

    class ForgottenTopic(Struct):
        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = int32_array("0+")

    group_id = string("0+", nullable="0+", default=None, role=Role.GROUP)
    member_id = string("0+", nullable="0+")
    share_session_epoch = int32("0+")
    max_wait_ms = int32("0+")
    min_bytes = int32("0+")
    max_bytes = int32("0+", default=0x7FFFFFFF)
    max_records = int32("1+")
    batch_size = int32("1+")
    share_acquire_mode = int8("2+")
    is_renew_ack = boolean("2+")
    topics = array("0+", FetchTopic)
    forgotten_topics_data = array("0+", ForgottenTopic)


class ShareFetchResponse(Response, key=ApiKey.SHARE_FETCH, versions="0-2"):
    class ShareFetchableTopicResponse(Struct):
        class PartitionData(Struct):
            class LeaderIdAndEpoch(Struct):
                leader_id = int32("0+")
                leader_epoch = int32("0+")

            class AcquiredRecords(Struct):
                first_offset = int64("0+")
                last_offset = int64("0+")
                delivery_count = int16("0+")

            partition_index = int32("0+")
            error_code = int16("0+")
            error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
            acknowledge_error_code = int16("0+")
            acknowledge_error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
            current_leader = struct("0+", LeaderIdAndEpoch)
            records = record_batches("0+")
            acquired_records = array("0+", AcquiredRecords)

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionData)

    class NodeEndpoint(Struct):
        node_id = int32("0+", role=Role.BROKER)
        host = string("0+", role=Role.BROKER)
        port = int32("0+", role=Role.BROKER)
        rack = string("0+", nullable="0+", default=None)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
    acquisition_lock_timeout_ms = int32("1+")
    responses = array("0+", ShareFetchableTopicResponse)
    node_endpoints = array("0+", NodeEndpoint)
