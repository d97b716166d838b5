"""OffsetFetch (key 9): positions of consumer groups.

Versions 0 to 10, flexible from 6. Null topics, from 2 on, mean all of the group. 8: several groups
at once, in a layout of its own. 10: topics by id only.
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
    uuid,
)


class OffsetFetchRequest(Request, key=ApiKey.OFFSET_FETCH, versions="0-10"):
    class OffsetFetchRequestTopic(Struct):
        name = string("0-7", role=Role.TOPIC)
        partition_indexes = int32_array("0-7")

    class OffsetFetchRequestGroup(Struct):
        class OffsetFetchRequestTopics(Struct):
            name = string("8-9", role=Role.TOPIC)
            topic_id = uuid("10+", role=Role.TOPIC_ID)
            partition_indexes = int32_array("8+")

        group_id = string("8+", role=Role.GROUP)
        member_id = string("9+", nullable="9+", default=None)
        member_epoch = int32("9+", default=-1)
        topics = array("8+", OffsetFetchRequestTopics, nullable="8+")

    group_id = string("0-7", role=Role.GROUP)
    topics = array("0-7", OffsetFetchRequestTopic, nullable="2+")
    groups = array("8+", OffsetFetchRequestGroup)
    require_stable = boolean("7+")


class OffsetFetchResponse(Response, key=ApiKey.OFFSET_FETCH, versions="0-10"):
    class OffsetFetchResponseTopic(Struct):
        class OffsetFetchResponsePartition(Struct):
            partition_index = int32("0-7")
            committed_offset = int64("0-7")
            committed_leader_epoch = int32("5-7", default=-1)
            metadata = string("0-7", nullable="0-7")
            error_code = int16("0-7")

        name = string("0-7", role=Role.TOPIC)
        partitions = array("0-7", OffsetFetchResponsePartition)

    class OffsetFetchResponseGroup(Struct):
        class OffsetFetchResponseTopics(Struct):
            class OffsetFetchResponsePartitions(Struct):
                partition_index = int32("8+")
                committed_offset = int64("8+")
                committed_leader_epoch = int32("8+", default=-1)
                metadata = string("8+", nullable="8+")
                error_code = int16("8+")

            name = string("8-9", role=Role.TOPIC)
            topic_id = uuid("10+", role=Role.TOPIC_ID)
            partitions = array("8+", OffsetFetchResponsePartitions)

        group_id = string("8+", role=Role.GROUP)
        topics = array("8+", OffsetFetchResponseTopics)
        error_code = int16("8+")

    throttle_time_ms = int32("3+")
    topics = array("0-7", OffsetFetchResponseTopic)
    error_code = int16("2-7")
    groups = array("8+", OffsetFetchResponseGroup)
