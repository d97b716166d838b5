"""AssignReplicasToDirs (key 73): in which log directories a broker keeps its replicas (KIP-858).

Version 0, flexible from 0. Between brokers and controllers only. id is that of a directory.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, int64, uuid


class AssignReplicasToDirsRequest(Request, key=ApiKey.ASSIGN_REPLICAS_TO_DIRS, versions="0"):
    class DirectoryData(Struct):
        class TopicData(Struct):
            class PartitionData(Struct):
                partition_index = int32("0+")

            topic_id = uuid("0+", role=Role.TOPIC_ID)
            partitions = array("0+", PartitionData)

        id = uuid("0+")
        topics = array("0+", TopicData)

    broker_id = int32("0+")
    broker_epoch = int64("0+", default=-1)
    directories = array("0+", DirectoryData)


class AssignReplicasToDirsResponse(Response, key=ApiKey.ASSIGN_REPLICAS_TO_DIRS, versions="0"):
    class DirectoryData(Struct):
        class TopicData(Struct):
            class PartitionData(Struct):
                partition_index = int32("0+")
                error_code = int16("0+")

            topic_id = uuid("0+", role=Role.TOPIC_ID)
            partitions = array("0+", PartitionData)

        id = uuid("0+")
        topics = array("0+", TopicData)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    directories = array("0+", DirectoryData)
