"""DescribeLogDirs (key 35): the log directories of one broker and what is in them (KIP-113).

Versions 0 to 5, flexible from 2. Null topics ask for all. 3: an error code for the whole response.
4: size of the disk. 5: is_cordoned. Paths are those of the broker's machine.
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
)


class DescribeLogDirsRequest(Request, key=ApiKey.DESCRIBE_LOG_DIRS, versions="0-5"):
    class DescribableLogDirTopic(Struct):
        topic = string("0+", role=Role.TOPIC)
        partitions = int32_array("0+")

    topics = array("0+", DescribableLogDirTopic, nullable="0+")


class DescribeLogDirsResponse(Response, key=ApiKey.DESCRIBE_LOG_DIRS, versions="0-5"):
    class DescribeLogDirsResult(Struct):
        class DescribeLogDirsTopic(Struct):
            class DescribeLogDirsPartition(Struct):
                partition_index = int32("0+")
                partition_size = int64("0+")
                offset_lag = int64("0+")
                is_future_key = boolean("0+")

            name = string("0+", role=Role.TOPIC)
            partitions = array("0+", DescribeLogDirsPartition)

        error_code = int16("0+")
        log_dir = string("0+")
        topics = array("0+", DescribeLogDirsTopic)
        total_bytes = int64("4+", default=-1)
        usable_bytes = int64("4+", default=-1)
        is_cordoned = boolean("5+")

    throttle_time_ms = int32("0+")
    error_code = int16("3+")
    results = array("0+", DescribeLogDirsResult)
