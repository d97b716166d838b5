"""DescribeClientQuotas (key 48): quotas of users, client ids and addresses (KIP-546).

Versions 0 and 1, flexible from 1. match_type: 0 the name in match, 1 the default, 2 any name. A
null name is the default entity of its type; null entries come with an error.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Role,
    Struct,
    array,
    boolean,
    float64,
    int8,
    int16,
    int32,
    string,
)


class DescribeClientQuotasRequest(Request, key=ApiKey.DESCRIBE_CLIENT_QUOTAS, versions="0-1"):
    class ComponentData(Struct):
        entity_type = string("0+")
        match_type = int8("0+")
        match = string("0+", nullable="0+")

    components = array("0+", ComponentData)
    strict = boolean("0+")


class DescribeClientQuotasResponse(Response, key=ApiKey.DESCRIBE_CLIENT_QUOTAS, versions="0-1"):
    class EntryData(Struct):
        class EntityData(Struct):
            entity_type = string("0+")
            entity_name = string("0+", nullable="0+")

        class ValueData(Struct):
            key = string("0+")
            value = float64("0+")

        entity = array("0+", EntityData)
        values = array("0+", ValueData)

    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", role=Role.TEXT)
    entries = array("0+", EntryData, nullable="0+")
