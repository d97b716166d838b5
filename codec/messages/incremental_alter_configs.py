"""IncrementalAlterConfigs (key 44): changes single configuration entries (KIP-339).

Versions 0 and 1, flexible from 1. config_operation: 0 set, 1 delete, 2 append, 3 subtract.
Resource types as in DescribeConfigs.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, boolean, int8, int16, int32, string


class IncrementalAlterConfigsRequest(Request, key=ApiKey.INCREMENTAL_ALTER_CONFIGS, versions="0-1"):
    class AlterConfigsResource(Struct):
        class AlterableConfig(Struct):
            name = string("0+")
            config_operation = int8("0+")
            value = string("0+", nullable="0+")

        resource_type = int8("0+")
        resource_name = string("0+", role=Role.CONDITIONAL)
        configs = array("0+", AlterableConfig)

    resources = array("0+", AlterConfigsResource)
    validate_only = boolean("0+")


class IncrementalAlterConfigsResponse(
    Response, key=ApiKey.INCREMENTAL_ALTER_CONFIGS, versions="0-1"
):
    class AlterConfigsResourceResponse(Struct):
        error_code = int16("0+")
        error_message = string("0+", nullable="0+", role=Role.TEXT)
        resource_type = int8("0+")
        resource_name = string("0+", role=Role.CONDITIONAL)

    throttle_time_ms = int32("0+")
    responses = array("0+", AlterConfigsResourceResponse)
