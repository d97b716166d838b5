"""ShareAcknowledge (key 79): acknowledgements of a member of a share group (KIP-932).

Versions 0 to 2, flexible from 0; 0 is the early access of Kafka 3.9 and 4.0. Topics by id only.
2: renewals (KIP-1222). Acknowledge types as in ShareFetch.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    boolean,
    int8_array,
    int16,
    int32,
    int64,
    string,
    struct,
    uuid,
)


class ShareAcknowledgeRequest(Request, key=ApiKey.SHARE_ACKNOWLEDGE, versions="0-2"):
    class AcknowledgeTopic(Struct):
        class AcknowledgePartition(Struct):
            class AcknowledgementBatch(Struct):
                first_offset = int64("0+")
                last_offset = int64("0+")
                acknowledge_types = int8_array("0+")

            partition_index = int32("0+")
            acknowledgement_batches = array("0+", AcknowledgementBatch)

        topic_id = uuid("0+", role=Role.TOPIC_ID)
        partitions = array("0+", AcknowledgePartition)

    group_id = string("0+", nullable="0+", default=None, role=Role.GROUP)
    member_id = string("0+", nullable="0+")
    share_session_epoch = int32("0+")
    is_renew_ack = boolean("2+")
    topics = array("0+", AcknowledgeTopic)


class ShareAcknowledgeResponse(Response, key=ApiKey.SHARE_ACKNOWLEDGE, versions="0-2"):
    class ShareAcknowledgeTopicResponse(Struct):
        class PartitionData(Struct):
            class LeaderIdAndEpoch(Struct):
                leader_id = int32("0+")
                leader_epoch = int32("0+")

            partition_index = int32("0+")
            error_code = int16("0+")
            error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
            current_leader = struct("0+", LeaderIdAndEpoch)

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
    acquisition_lock_timeout_ms = int32("2+")
    responses = array("0+", ShareAcknowledgeTopicResponse)
    node_endpoints = array("0+", NodeEndpoint)
