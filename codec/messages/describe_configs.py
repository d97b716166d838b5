"""DescribeConfigs (key 32): configuration of topics, brokers and groups.

Versions 0 to 4, flexible from 4. resource_type tells what resource_name is: 2 topic, 4 broker,
8 broker logger, 16 client metrics, 32 group. is_default, version 0 only, became config_source.
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
    string,
    string_array,
)


class DescribeConfigsRequest(Request, key=ApiKey.DESCRIBE_CONFIGS, versions="0-4"):
    class DescribeConfigsResource(Struct):
        resource_type = int8("0+")
        resource_name = string("0+", role=Role.CONDITIONAL)
        configuration_keys = string_array("0+", nullable="0+")

    resources = array("0+", DescribeConfigsResource)
    include_synonyms = boolean("1+")
    include_documentation = boolean("3+")


class DescribeConfigsResponse(Response, key=ApiKey.DESCRIBE_CONFIGS, versions="0-4"):
    class DescribeConfigsResult(Struct):
        class DescribeConfigsResourceResult(Struct):
            class DescribeConfigsSynonym(Struct):
                name = string("1+")
                value = string("1+", nullable="1+")
                source = int8("1+")

            name = string("0+")
            value = string("0+", nullable="0+")
            read_only = boolean("0+")
            is_default = boolean("0")
            config_source = int8("1+", default=-1)
            is_sensitive = boolean("0+")
            synonyms = array("1+", DescribeConfigsSynonym)
            config_type = int8("3+")
            documentation = string("3+", nullable="3+")

        error_code = int16("0+")
        error_message = string("0+", nullable="0+", role=Role.TEXT)
        resource_type = int8("0+")
        resource_name = string("0+", role=Role.CONDITIONAL)
        configs = array("0+", DescribeConfigsResourceResult)

    throttle_time_ms = int32("0+")
    results = array("0+", DescribeConfigsResult)
