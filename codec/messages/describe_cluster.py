"""DescribeCluster (key 60): the brokers or controllers of a cluster.

Versions 0 to 2, flexible from 0. endpoint_type: 1 brokers, 2 controllers.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, boolean, int8, int16, int32, string


class DescribeClusterRequest(Request, key=ApiKey.DESCRIBE_CLUSTER, versions="0-2"):
    include_cluster_authorized_operations = boolean("0+")
    endpoint_type = int8("1+", default=1)
    include_fenced_brokers = boolean("2+")


class DescribeClusterResponse(Response, key=ApiKey.DESCRIBE_CLUSTER, versions="0-2"):
    class DescribeClusterBroker(Struct):
        broker_id = int32("0+", role=Role.BROKER)
        host = string("0+", role=Role.BROKER)
        port = int32("0+", role=Role.BROKER)
        rack = string("0+", nullable="0+", default=None)
        is_fenced = boolean("2+")

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", default=None, role=Role.TEXT)
    endpoint_type = int8("1+", default=1)
    cluster_id = string("0+")
    controller_id = int32("0+", default=-1)
    brokers = array("0+", DescribeClusterBroker)
    cluster_authorized_operations = int32("0+", default=-0x80000000)
