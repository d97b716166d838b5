"""StreamsGroupHeartbeat (key 88): membership, topology and tasks of a Streams group (KIP-1071).

Version 0, flexible from 0. Null in a request means "as before". Copartition groups point into the
lists of their subtopology. user_endpoint is the address of an application, not of a broker.
status_detail is text for people that quotes topics.
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
    int16_array,
    int32,
    int32_array,
    int64,
    string,
    string_array,
    struct,
    uint16,
)


class KeyValue(Struct):
    """A configuration entry of a topic, or a tag of a client."""

    key = string("0+")
    value = string("0+")


class TopicInfo(Struct):
    """An internal topic that the topology needs; 0 partitions or replicas: up to the broker."""

    name = string("0+", role=Role.TOPIC)
    partitions = int32("0+")
    replication_factor = int16("0+")
    topic_configs = array("0+", KeyValue)


class Endpoint(Struct):
    """Where an application answers interactive queries."""

    host = string("0+")
    port = uint16("0+")


class TaskOffset(Struct):
    """How far the changelog of a task is."""

    subtopology_id = string("0+")
    partition = int32("0+")
    offset = int64("0+")


class TaskIds(Struct):
    """Tasks of one subtopology."""

    subtopology_id = string("0+")
    partitions = int32_array("0+")


class StreamsGroupHeartbeatRequest(Request, key=ApiKey.STREAMS_GROUP_HEARTBEAT, versions="0"):
    class Topology(Struct):
        class Subtopology(Struct):
            class CopartitionGroup(Struct):
                source_topics = int16_array("0+")
                source_topic_regex = int16_array("0+")
                repartition_source_topics = int16_array("0+")

            subtopology_id = string("0+")
            source_topics = string_array("0+", role=Role.TOPIC)
            source_topic_regex = string_array("0+", role=Role.TOPIC_PATTERN)
            state_changelog_topics = array("0+", TopicInfo)
            repartition_sink_topics = string_array("0+", role=Role.TOPIC)
            repartition_source_topics = array("0+", TopicInfo)
            copartition_groups = array("0+", CopartitionGroup)

        epoch = int32("0+")
        subtopologies = array("0+", Subtopology)

    group_id = string("0+", role=Role.GROUP)
    member_id = string("0+")
    member_epoch = int32("0+")
    endpoint_information_epoch = int32("0+")
    instance_id = string("0+", nullable="0+", default=None)
    rack_id = string("0+", nullable="0+", default=None)
    rebalance_timeout_ms = int32("0+", default=-1)
    topology = struct("0+", Topology, nullable="0+")
    active_tasks = array("0+", TaskIds, nullable="0+", default=None)
    standby_tasks = array("0+", TaskIds, nullable="0+", default=None)
    warmup_tasks = array("0+", TaskIds, nullable="0+", default=None)
    process_id = string("0+", nullable="0+", default=None)
    user_endpoint = struct("0+", Endpoint, nullable="0+")
    client_tags = array("0+", KeyValue, nullable="0+", default=None)
    task_offsets = array("0+", TaskOffset, nullable="0+", default=None)
    task_end_offsets = array("0+", TaskOffset, nullable="0+", default=None)
    shutdown_application = boolean("0+")


class StreamsGroupHeartbeatResponse(Response, key=ApiKey.STREAMS_GROUP_HEARTBEAT, versions="0"):
    class Status(Struct):
        status_code = int8("0+")
        status_detail = string("0+", role=Role.TEXT)

    class EndpointToPartitions(Struct):
        class TopicPartition(Struct):
            topic = string("0+", role=Role.TOPIC)
            partitions = int32_array("0+")

        user_endpoint = struct("0+", Endpoint)
        active_partitions = array("0+", TopicPartition)
        standby_partitions = array("0+", TopicPartition)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
    member_id = string("0+")
    member_epoch = int32("0+")
    heartbeat_interval_ms = int32("0+")
    acceptable_recovery_lag = int32("0+")
    task_offset_interval_ms = int32("0+")
    status = array("0+", Status, nullable="0+")
    active_tasks = array("0+", TaskIds, nullable="0+", default=None)
    standby_tasks = array("0+", TaskIds, nullable="0+", default=None)
    warmup_tasks = array("0+", TaskIds, nullable="0+", default=None)
    endpoint_information_epoch = int32("0+")
    partitions_by_user_endpoint = array("0+", EndpointToPartitions, nullable="0+", default=None)
