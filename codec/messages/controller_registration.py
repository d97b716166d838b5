"""ControllerRegistration (key 70): a controller enters the cluster (KIP-919).

Version 0, flexible from 0. Between controllers only: listeners have no role.
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
    string,
    uint16,
    uuid,
)


class ControllerRegistrationRequest(Request, key=ApiKey.CONTROLLER_REGISTRATION, versions="0"):
    class Listener(Struct):
        name = string("0+")
        host = string("0+")
        port = uint16("0+")
        security_protocol = int16("0+")

    class Feature(Struct):
        name = string("0+")
        min_supported_version = int16("0+")
        max_supported_version = int16("0+")

    controller_id = int32("0+")
    incarnation_id = uuid("0+")
    zk_migration_ready = boolean("0+")
    listeners = array("0+", Listener)
    features = array("0+", Feature)


class ControllerRegistrationResponse(Response, key=ApiKey.CONTROLLER_REGISTRATION, versions="0"):
    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    error_message = string("0+", nullable="0+", role=Role.TEXT)
