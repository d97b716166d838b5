"""ListPartitionReassignments (key 46): moves of replicas that are under way (KIP-455).

Version 0, flexible from 0. Null topics ask for all.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, int32_array, string


class ListPartitionReassignmentsRequest(
    Request, key=ApiKey.LIST_PARTITION_REASSIGNMENTS, versions="0"
):
    class ListPartitionReassignmentsTopics(Struct):
        name = string("0+", role=Role.TOPIC)
        partition_indexes = int32_array("0+")

    timeout_ms = int32("0+", default=60000)
    topics = array("0+", ListPartitionReassignmentsTopics, nullable="0+", default=None)


class ListPartitionReassignmentsResponse(
    Response, key=ApiKey.LIST_PARTITION_REASSIGNMENTS, versions="0"
):
    class OngoingTopicReassignment(Struct):
        class OngoingPartitionReassignment(Struct):
            partition_index = int32("0+")
            replicas = int32_array("0+")
            adding_replicas = int32_array("0+")
            removing_replicas = int32_array("0+")

        name = string("0+", role=Role.TOPIC)
        partitions = array("0+", OngoingPartitionReassignment)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", role=Role.TEXT)
    topics = array("0+", OngoingTopicReassignment)
