"""AlterConfigs (key 33): replaces the whole configuration of topics, brokers and groups.

Versions 0 to 2, flexible from 2. Resource types as in DescribeConfigs.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, Struct, array, boolean, int8, int16, int32, string


class AlterConfigsRequest(Request, key=ApiKey.ALTER_CONFIGS, versions="0-2"):
    class AlterConfigsResource(Struct):
        class AlterableConfig(Struct):
            name = string("0+")
            value = string("0+", nullable="0+")

        resource_type = int8("0+")
        resource_name = string("0+", role=Role.CONDITIONAL)
        configs = array("0+", AlterableConfig)

    resources = array("0+", AlterConfigsResource)
    validate_only = boolean("0+")


class AlterConfigsResponse(Response, key=ApiKey.ALTER_CONFIGS, versions="0-2"):
    class AlterConfigsResourceResponse(Struct):
        error_code = int16("0+")
        error_message = string("0+", nullable="0+", role=Role.TEXT)
        resource_type = int8("0+")
        resource_name = string("0+", role=Role.CONDITIONAL)

    throttle_time_ms = int32("0+")
    responses = array("0+", AlterConfigsResourceResponse)
