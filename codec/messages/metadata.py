"""Metadata (key 3): topics, their partitions and leaders, and the brokers.

Versions 0 to 13, flexible from 9. All topics are asked for with an empty list in version 0, with
null from 1 on. 4: allow_auto_topic_creation. 10: topic ids, which requests use from 12 on. 13: an
error code for the whole response. librdkafka's mock broker sends a surplus byte from 9 on.
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
    uuid,
)


class MetadataRequest(Request, key=ApiKey.METADATA, versions="0-13"):
    class MetadataRequestTopic(Struct):
        topic_id = uuid("10+", role=Role.TOPIC_ID)
        name = string("0+", nullable="10+", role=Role.TOPIC)

    topics = array("0+", MetadataRequestTopic, nullable="1+")
    allow_auto_topic_creation = boolean("4+", default=True)
    include_cluster_authorized_operations = boolean("8-10")
    include_topic_authorized_operations = boolean("8+")


class MetadataResponse(Response, key=ApiKey.METADATA, versions="0-13"):
    class MetadataResponseBroker(Struct):
        node_id = int32("0+", role=Role.BROKER)
        host = string("0+", role=Role.BROKER)
        port = int32("0+", role=Role.BROKER)
        rack = string("1+", nullable="1+", default=None)

    class MetadataResponseTopic(Struct):
        class MetadataResponsePartition(Struct):
            error_code = int16("0+")
            partition_index = int32("0+")
            leader_id = int32("0+")
            leader_epoch = int32("7+", default=-1)
            replica_nodes = int32_array("0+")
            isr_nodes = int32_array("0+")
            offline_replicas = int32_array("5+", sparse=True)

        error_code = int16("0+")
        name = string("0+", nullable="12+", role=Role.TOPIC)
        topic_id = uuid("10+", role=Role.TOPIC_ID)
        is_internal = boolean("1+")
        partitions = array("0+", MetadataResponsePartition)
        topic_authorized_operations = int32("8+", default=-0x80000000)

    throttle_time_ms = int32("3+")
    brokers = array("0+", MetadataResponseBroker)
    cluster_id = string("2+", nullable="2+", default=None)
    controller_id = int32("1+", default=-1)
    topics = array("0+", MetadataResponseTopic)
    cluster_authorized_operations = int32("8-10", default=-0x80000000)
    error_code = int16("13+")
