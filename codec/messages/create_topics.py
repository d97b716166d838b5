"""CreateTopics (key 19): topics to create.

Versions 0 to 7, flexible from 5. 4: -1 partitions or replicas means the broker's default. 5: the
response lists configurations. 7: and topic ids.
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
    string,
    uuid,
)


class CreateTopicsRequest(Request, key=ApiKey.CREATE_TOPICS, versions="0-7"):
    class CreatableTopic(Struct):
        class CreatableReplicaAssignment(Struct):
            partition_index = int32("0+")
            broker_ids = int32_array("0+")

        class CreatableTopicConfig(Struct):
            name = string("0+")
            value = string("0+", nullable="0+")

        name = string("0+", role=Role.TOPIC)
        num_partitions = int32("0+")
        replication_factor = int16("0+")
        assignments = array("0+", CreatableReplicaAssignment)
        configs = array("0+", CreatableTopicConfig)

    topics = array("0+", CreatableTopic)
    timeout_ms = int32("0+", default=60000)
    validate_only = boolean("1+")


class CreateTopicsResponse(Response, key=ApiKey.CREATE_TOPICS, versions="0-7"):
    class CreatableTopicResult(Struct):
        class CreatableTopicConfigs(Struct):
            name = string("5+")
            value = string("5+", nullable="5+")
            read_only = boolean("5+")
            config_source = int8("5+", default=-1)
            is_sensitive = boolean("5+")

        name = string("0+", role=Role.TOPIC)
        topic_id = uuid("7+", role=Role.TOPIC_ID)
        error_code = int16("0+")
        error_message = string("1+", nullable="1+", role=Role.TEXT)
        topic_config_error_code = int16("5+", tag=0)
        num_partitions = int32("5+", default=-1)
        replication_factor = int16("5+", default=-1)
        configs = array("5+", CreatableTopicConfigs, nullable="5+")

    throttle_time_ms = int32("2+")
    topics = array("0+", CreatableTopicResult)
