"""StreamsGroupDescribe (key 89): topology, members and tasks of Streams groups (KIP-1071).

Version 0, flexible from 0. user_endpoint is the address of an application and client_host the one
the broker saw: neither is a broker.
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
    string_array,
    struct,
    uint16,
)


class KeyValue(Struct):
    """A configuration entry of a topic, or a tag of a client."""

    key = string("0+")
    value = string("0+")


class TopicInfo(Struct):
    """An internal topic that the topology needs."""

    name = string("0+", role=Role.TOPIC)
    partitions = int32("0+")
    replication_factor = int16("0+")
    topic_configs = array("0+", KeyValue)


class TaskOffset(Struct):
    """How far the changelog of a task is."""

    subtopology_id = string("0+")
    partition = int32("0+")
    offset = int64("0+")


class Assignment(Struct):
    """What a member has, and what it is to have."""

    class TaskIds(Struct):
        subtopology_id = string("0+")
        partitions = int32_array("0+")

    active_tasks = array("0+", TaskIds)
    standby_tasks = array("0+", TaskIds)
    warmup_tasks = array("0+", TaskIds)


class StreamsGroupDescribeRequest(Request, key=ApiKey.STREAMS_GROUP_DESCRIBE, versions="0"):
    group_ids = string_array("0+", role=Role.GROUP)
    include_authorized_operations = boolean("0+")


class StreamsGroupDescribeResponse(Response, key=ApiKey.STREAMS_GROUP_DESCRIBE, versions="0"):
    class DescribedGroup(Struct):
        class Topology(Struct):
            class Subtopology(Struct):
                subtopology_id = string("0+")
                source_topics = string_array("0+", role=Role.TOPIC)
                repartition_sink_topics = string_array("0+", role=Role.TOPIC)
                state_changelog_topics = array("0+", TopicInfo)
                repartition_source_topics = array("0+", TopicInfo)

            epoch = int32("0+")
            subtopologies = array("0+", Subtopology, nullable="0+", default=None)

        class Member(Struct):
            class Endpoint(Struct):
                host = string("0+")
                port = uint16("0+")

            member_id = string("0+")
            member_epoch = int32("0+")
            instance_id = string("0+", nullable="0+", default=None)
            rack_id = string("0+", nullable="0+", default=None)
            client_id = string("0+")
            client_host = string("0+")
            topology_epoch = int32("0+")
            process_id = string("0+")
            user_endpoint = struct("0+", Endpoint, nullable="0+")
            client_tags = array("0+", KeyValue)
            task_offsets = array("0+", TaskOffset)
            task_end_offsets = array("0+", TaskOffset)
            assignment = struct("0+", Assignment)
            target_assignment = struct("0+", Assignment)
            is_classic = boolean("0+")

        error_code = int16("0+")
        error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
        group_id = string("0+", role=Role.GROUP)
        group_state = string("0+")
        group_epoch = int32("0+")
        assignment_epoch = int32("0+")
        topology = struct("0+", Topology, nullable="0+")
        members = array("0+", Member)
        authorized_operations = int32("0+", default=-0x80000000)

    throttle_time_ms = int32("0+")
    groups = array("0+", DescribedGroup)
