"""BrokerRegistration (key 62): a broker enters the cluster (KIP-631).

Versions 0 to 4, flexible from 0. Between brokers and controllers only: listeners have no role.
1: migration from ZooKeeper (KIP-866). 2: log_dirs (KIP-858). 3: previous_broker_epoch (KIP-966).
4: features may begin at 0.
"""

from codec.api_keys import ApiKey
from codec.schema import (
    Request,
    Response,
    Struct,
    array,
    boolean,
    int16,
    int32,
    int64,
    string,
    uint16,
    uuid,
    uuid_array,
)


class BrokerRegistrationRequest(Request, key=ApiKey.BROKER_REGISTRATION, versions="0-4"):
    class Listener(Struct):
        name = string("0+")
        host = string("0+")
        port = uint16("0+")
        security_protocol = int16("0+")

    class Feature(Struct):
        name = string("0+")
        min_supported_version = int16("0+")
        max_supported_version = int16("0+")

    broker_id = int32("0+")
    cluster_id = string("0+")
    incarnation_id = uuid("0+")
    listeners = array("0+", Listener)
    features = array("0+", Feature)
    rack = string("0+", nullable="0+")
    is_migrating_zk_broker = boolean("1+")
    log_dirs = uuid_array("2+")
    previous_broker_epoch = int64("3+", default=-1)


class BrokerRegistrationResponse(Response, key=ApiKey.BROKER_REGISTRATION, versions="0-4"):
    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    broker_epoch = int64("0+", default=-1)
