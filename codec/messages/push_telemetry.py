"""PushTelemetry (key 72): metrics of a client (KIP-714).

Version 0, flexible from 0. metrics is OpenTelemetry protobuf, compressed; its labels may hold names
of topics and groups.
"""

from codec.api_keys import ApiKey
from codec.schema import Request, Response, Role, blob, boolean, int8, int16, int32, uuid


class PushTelemetryRequest(Request, key=ApiKey.PUSH_TELEMETRY, versions="0"):
    client_instance_id = uuid("0+")
    subscription_id = int32("0+")
    terminating = boolean("0+")
    compression_type = int8("0+")
    metrics = blob("0+", role=Role.EMBEDDED)


class PushTelemetryResponse(Response, key=ApiKey.PUSH_TELEMETRY, versions="0"):
    throttle_time_ms = int32("0+")
    error_code = int16("0+")
