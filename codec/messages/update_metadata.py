"""UpdateMetadata (key 6): a controller tells brokers what the cluster looks like, before KRaft.

Versions 0 to 8, flexible from 6; removed in Kafka 4.0. Between brokers only: addresses have no
role. 1: several endpoints per broker, port before host. 5: partitions grouped by topic. 7: topic
ids.
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


class UpdateMetadataPartitionState(Struct):
    """A partition; both layouts of the request use it."""

    topic_name = string("0-4", role=Role.TOPIC)
    partition_index = int32("0+")
    controller_epoch = int32("0+")
    leader = int32("0+")
    leader_epoch = int32("0+")
    isr = int32_array("0+")
    zk_version = int32("0+")
    replicas = int32_array("0+")
    offline_replicas = int32_array("4+")


class UpdateMetadataRequest(Request, key=ApiKey.UPDATE_METADATA, versions="0-8"):
    class UpdateMetadataTopicState(Struct):
        topic_name = string("5+", role=Role.TOPIC)
        topic_id = uuid("7+", role=Role.TOPIC_ID)
        partition_states = array("5+", UpdateMetadataPartitionState)

    class UpdateMetadataBroker(Struct):
        class UpdateMetadataEndpoint(Struct):
            port = int32("1+")
            host = string("1+")
            listener = string("3+")
            security_protocol = int16("1+")

        id = int32("0+")
        v0_host = string("0")
        v0_port = int32("0")
        endpoints = array("1+", UpdateMetadataEndpoint)
        rack = string("2+", nullable="2+")

    controller_id = int32("0+")
    is_k_raft_controller = boolean("8+")
    type = int8("8+", tag=0)
    controller_epoch = int32("0+")
    broker_epoch = int64("5+", default=-1)
    ungrouped_partition_states = array("0-4", UpdateMetadataPartitionState)
    topic_states = array("5+", UpdateMetadataTopicState)
    live_brokers = array("0+", UpdateMetadataBroker)


class UpdateMetadataResponse(Response, key=ApiKey.UPDATE_METADATA, versions="0-8"):
    error_code = int16("0+")
