"""AlterClientQuotas (key 49): quotas of users, client ids and addresses to set (KIP-546).

Versions 0 and 1, flexible from 1. A null name is the default entity of its type.
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
    int16,
    int32,
    string,
)


class EntityData(Struct):
    """One part of what a quota is for; both messages use it."""

    entity_type = string("0+")
    entity_name = string("0+", nullable="0+")


class AlterClientQuotasRequest(Request, key=ApiKey.ALTER_CLIENT_QUOTAS, versions="0-1"):
    class EntryData(Struct):
        class OpData(Struct):
            key = string("0+")
            value = float64("0+")
            remove = boolean("0+")

        entity = array("0+", EntityData)
        ops = array("0+", OpData)

    entries = array("0+", EntryData)
    validate_only = boolean("0+")


class AlterClientQuotasResponse(Response, key=ApiKey.ALTER_CLIENT_QUOTAS, versions="0-1"):
    class EntryData(Struct):
        error_code = int16("0+")
        error_message = string("0+", nullable="0+", role=Role.TEXT)
        entity = array("0+", EntityData)

    throttle_time_ms = int32("0+")
    entries = array("0+", EntryData)
