"""StopReplica (key 5): a controller takes replicas from a broker, before KRaft.

Versions 0 to 4, flexible from 2; removed in Kafka 4.0. Between brokers only. 1: partitions grouped
by topic. 3: each partition says whether it is to be deleted.
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
    int64,
    string,
)


class StopReplicaRequest(Request, key=ApiKey.STOP_REPLICA, versions="0-4"):
    class StopReplicaPartitionV0(Struct):
        topic_name = string("0", role=Role.TOPIC)
        partition_index = int32("0")

    class StopReplicaTopicV1(Struct):
        name = string("1-2", role=Role.TOPIC)
        partition_indexes = int32_array("1-2")

    class StopReplicaTopicState(Struct):
        class StopReplicaPartitionState(Struct):
            partition_index = int32("3+")
            leader_epoch = int32("3+", default=-1)
            delete_partition = boolean("3+")

        topic_name = string("3+", role=Role.TOPIC)
        partition_states = array("3+", StopReplicaPartitionState)

    controller_id = int32("0+")
    is_k_raft_controller = boolean("4+")
    controller_epoch = int32("0+")
    broker_epoch = int64("1+", default=-1)
    delete_partitions = boolean("0-2")
    ungrouped_partitions = array("0", StopReplicaPartitionV0)
    topics = array("1-2", StopReplicaTopicV1)
    topic_states = array("3+", StopReplicaTopicState)


class StopReplicaResponse(Response, key=ApiKey.STOP_REPLICA, versions="0-4"):
    class StopReplicaPartitionError(Struct):
        topic_name = string("0+", role=Role.TOPIC)
        partition_index = int32("0+")
        error_code = int16("0+")

    error_code = int16("0+")
    partition_errors = array("0+", StopReplicaPartitionError)
