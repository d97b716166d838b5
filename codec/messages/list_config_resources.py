"""ListConfigResources (key 74): what has a configuration of its own (KIP-1142).

Versions 0 and 1, flexible from 0. Version 0, ListClientMetricsResources in Kafka 3.9, lists client
metrics only. 1: resources of the types asked for, all types if there are none. Types as in
DescribeConfigs.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    int8,
    int8_array,
    int16,
    int32,
    string,
)


class ListConfigResourcesRequest(Request, key=ApiKey.LIST_CONFIG_RESOURCES, versions="0-1"):
    resource_types = int8_array("1+")


class ListConfigResourcesResponse(Response, key=ApiKey.LIST_CONFIG_RESOURCES, versions="0-1"):
    class ConfigResource(Struct):
        resource_name = string("0+", role=Role.CONDITIONAL)
        resource_type = int8("1+", default=16)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    config_resources = array("0+", ConfigResource)
