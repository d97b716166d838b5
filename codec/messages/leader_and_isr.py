"""LeaderAndIsr (key 4): a controller tells brokers who leads partitions, before KRaft.

Versions 0 to 7, flexible from 4; removed in Kafka 4.0. Between brokers only: the addresses of live
leaders have no role. 2: partitions grouped by topic. 5: topic ids, the only ones in the response.
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
    int16,
    int32,
    int32_array,
    int64,
    string,
    uuid,
)


class LeaderAndIsrPartitionState(Struct):
    """A partition; both layouts of the request use it."""

    topic_name = string("0-1", role=Role.TOPIC)
    partition_index = int32("0+")
    controller_epoch = int32("0+")
    leader = int32("0+")
    leader_epoch = int32("0+")
    isr = int32_array("0+")
    partition_epoch = int32("0+")
    replicas = int32_array("0+")
    adding_replicas = int32_array("3+")
    removing_replicas = int32_array("3+")
    is_new = boolean("1+")
    leader_recovery_state = int8("6+")


class LeaderAndIsrPartitionError(Struct):
    """Outcome for a partition; both layouts of the response use it."""

    topic_name = string("0-4", role=Role.TOPIC)
    partition_index = int32("0+")
    error_code = int16("0+")


class LeaderAndIsrRequest(Request, key=ApiKey.LEADER_AND_ISR, versions="0-7"):
    class LeaderAndIsrTopicState(Struct):
        topic_name = string("2+", role=Role.TOPIC)
        topic_id = uuid("5+", role=Role.TOPIC_ID)
        partition_states = array("2+", LeaderAndIsrPartitionState)

    class LeaderAndIsrLiveLeader(Struct):
        broker_id = int32("0+")
        host_name = string("0+")
        port = int32("0+")

    controller_id = int32("0+")
    is_k_raft_controller = boolean("7+")
    controller_epoch = int32("0+")
    broker_epoch = int64("2+", default=-1)
    type = int8("5+")
    ungrouped_partition_states = array("0-1", LeaderAndIsrPartitionState)
    topic_states = array("2+", LeaderAndIsrTopicState)
    live_leaders = array("0+", LeaderAndIsrLiveLeader)


class LeaderAndIsrResponse(Response, key=ApiKey.LEADER_AND_ISR, versions="0-7"):
    class LeaderAndIsrTopicError(Struct):
        topic_id = uuid("5+", role=Role.TOPIC_ID)
        partition_errors = array("5+", LeaderAndIsrPartitionError)

    error_code = int16("0+")
    partition_errors = array("0-4", LeaderAndIsrPartitionError)
    topics = array("5+", LeaderAndIsrTopicError)
