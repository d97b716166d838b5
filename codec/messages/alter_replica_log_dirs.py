"""AlterReplicaLogDirs (key 34): moves replicas between the log directories of one broker (KIP-113).

Versions 0 to 2, flexible from 2. Paths are those of the broker's machine.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, int32_array, string


class AlterReplicaLogDirsRequest(Request, key=ApiKey.ALTER_REPLICA_LOG_DIRS, versions="0-2"):
    class AlterReplicaLogDir(Struct):
        class AlterReplicaLogDirTopic(Struct):
            name = string("0+", role=Role.TOPIC)
            partitions = int32_array("0+")

        path = string("0+")
        topics = array("0+", AlterReplicaLogDirTopic)

    dirs = array("0+", AlterReplicaLogDir)


class AlterReplicaLogDirsResponse(Response, key=ApiKey.ALTER_REPLICA_LOG_DIRS, versions="0-2"):
    class AlterReplicaLogDirTopicResult(Struct):
        class AlterReplicaLogDirPartitionResult(Struct):
            partition_index = int32("0+")
            error_code = int16("0+")

        topic_name = string("0+", role=Role.TOPIC)
        partitions = array("0+", AlterReplicaLogDirPartitionResult)

    throttle_time_ms = int32("0+")
    results = array("0+", AlterReplicaLogDirTopicResult)
