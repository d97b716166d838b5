"""GetTelemetrySubscriptions (key 71): which metrics the broker wants of a client (KIP-714).

Version 0, flexible from 0. The broker gives out the client instance id.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, boolean, int8_array, int16, int32, string_array, uuid


class GetTelemetrySubscriptionsRequest(
    Request, key=ApiKey.GET_TELEMETRY_SUBSCRIPTIONS, versions="0"
):
    client_instance_id = uuid("0+")


class GetTelemetrySubscriptionsResponse(
    Response, key=ApiKey.GET_TELEMETRY_SUBSCRIPTIONS, versions="0"
):
    throttle_time_ms = int32("0+")
    error_code = int16("0+")
    client_instance_id = uuid("0+")
    subscription_id = int32("0+")
    accepted_compression_types = int8_array("0+")
    push_interval_ms = int32("0+")
    telemetry_max_bytes = int32("0+")
    delta_temporality = boolean("0+")
    requested_metrics = string_array("0+")
