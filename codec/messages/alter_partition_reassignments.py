"""AlterPartitionReassignments (key 45): moves replicas between brokers (KIP-455).

Versions 0 and 1, flexible from 0. Null replicas cancel a move. 1: allow_replication_factor_change.
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
    int32_array,
    string,
)


class AlterPartitionReassignmentsRequest(
    Request, key=ApiKey.ALTER_PARTITION_REASSIGNMENTS, versions="0-1"
):
    class ReassignableTopic(Struct):
        class ReassignablePartition(Struct):
            partition_index = int32("0+")
            replicas = int32_array("0+", nullable="0+", default=None)

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", ReassignablePartition)

    timeout_ms = int32("0+", default=60000)
    allow_replication_factor_change = boolean("1+", default=True)
    topics = array("0+", ReassignableTopic)


class AlterPartitionReassignmentsResponse(
    Response, key=ApiKey.ALTER_PARTITION_REASSIGNMENTS, versions="0-1"
):
    class ReassignableTopicResponse(Struct):
        class ReassignablePartitionResponse(Struct):
            partition_index = int32("0+")
            error_code = int16("0+")
            error_message = string("0+", nullable="0+", role=Role.TEXT)

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", ReassignablePartitionResponse)

    throttle_time_ms = int32("0+")
    allow_replication_factor_change = boolean("1+", default=True)
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", role=Role.TEXT)
    responses = array("0+", ReassignableTopicResponse)
