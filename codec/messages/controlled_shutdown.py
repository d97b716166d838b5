"""ControlledShutdown (key 7): a broker asks the controller to move its leaders, before KRaft.

Versions 0 to 3, flexible from 3; removed in Kafka 4.0. Between brokers only. Requests of version 0
have a header without client id.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, int16, int32, int64, string


class ControlledShutdownRequest(Request, key=ApiKey.CONTROLLED_SHUTDOWN, versions="0-3"):
    broker_id = int32("0+")
    broker_epoch = int64("2+", default=-1)


class ControlledShutdownResponse(Response, key=ApiKey.CONTROLLED_SHUTDOWN, versions="0-3"):
    class RemainingPartition(Struct):
        topic_name = string("0+", role=Role.TOPIC)
        partition_index = int32("0+")

    error_code = int16("0+")
    remaining_partitions = array("0+", RemainingPartition)
