"""AlterPartition (key 56): a leader tells the controller who is in sync (KIP-497).

Versions 0 to 3, flexible from 0. Between brokers and controllers only. Topics by name in 0 and 1,
which Kafka 4.0 removed, by id from 2 on. 1: leader_recovery_state (KIP-704). 3: broker epochs
(KIP-903).
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
    string,
    uuid,
)


class AlterPartitionRequest(Request, key=ApiKey.ALTER_PARTITION, versions="0-3"):
    class TopicData(Struct):
        class PartitionData(Struct):
            class BrokerState(Struct):
                broker_id = int32("3+")
                broker_epoch = int64("3+", default=-1)

            partition_index = int32("0+")
            leader_epoch = int32("0+")
            new_isr = int32_array("0-2")
            new_isr_with_epochs = array("3+", BrokerState)
            leader_recovery_state = int8("1+")
            partition_epoch = int32("0+")

        topic_name = string("0-1", role=Role.TOPIC)
        topic_id = uuid("2+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionData)

    broker_id = int32("0+")
    broker_epoch = int64("0+", default=-1)
    topics = array("0+", TopicData)


class AlterPartitionResponse(Response, key=ApiKey.ALTER_PARTITION, versions="0-3"):
    class TopicData(Struct):
        class PartitionData(Struct):
            partition_index = int32("0+")
            error_code = int16("0+")
            leader_id = int32("0+")
            leader_epoch = int32("0+")
            isr = int32_array("0+")
            leader_recovery_state = int8("1+")
            partition_epoch = int32("0+")

        topic_name = string("0-1", role=Role.TOPIC)
        topic_id = uuid("2+", role=Role.TOPIC_ID)
        partitions = array("0+", PartitionData)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    topics = array("0+", TopicData)
