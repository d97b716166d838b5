"""ElectLeaders (key 43): elections of partition leaders.

Versions 0 to 2, flexible from 2. Null topic_partitions ask for all partitions. 1: election_type,
0 preferred (all version 0 knows), 1 unclean; and an error code for the whole response.
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
    string,
)


class ElectLeadersRequest(Request, key=ApiKey.ELECT_LEADERS, versions="0-2"):
    class TopicPartitions(Struct):
        topic = string("0+", role=Role.TOPIC)
        partitions = int32_array("0+")

    election_type = int8("1+")
    topic_partitions = array("0+", TopicPartitions, nullable="0+")
    timeout_ms = int32("0+", default=60000)


class ElectLeadersResponse(Response, key=ApiKey.ELECT_LEADERS, versions="0-2"):
    class ReplicaElectionResult(Struct):
        class PartitionResult(Struct):
            partition_id = int32("0+")
            error_code = int16("0+")
            error_message = string("0+", nullable="0+", role=Role.TEXT)

        topic = string("0+", role=Role.TOPIC)
        partition_result = array("0+", PartitionResult)

    throttle_time_ms = int32("0+")
    error_code = int16("1+")
    replica_election_results = array("0+", ReplicaElectionResult)
