"""What tenants are not offered, and why; each is answered by closing the connection."""

from __future__ import annotations

from collections.abc import Mapping

from codec.api_keys import ApiKey

_REMOVED = "gone since Kafka 4.0"
_CONTROLLERS = "between brokers and controllers"
_SHARE_STATE = "between brokers: the state of share groups"
_TELEMETRY = "would carry names to the cluster's operator"

APIS: Mapping[ApiKey, str] = {
    **dict.fromkeys([ApiKey(key) for key in range(4, 8)], _REMOVED),
    ApiKey.WRITE_TXN_MARKERS: "between brokers: ends a transaction by force",
    **dict.fromkeys([ApiKey(key) for key in (52, 53, 54, 56, 58, 59, 62, 63, 67)], _CONTROLLERS),
    **dict.fromkeys([ApiKey(key) for key in (70, 73, 82)], _CONTROLLERS),
    **dict.fromkeys([ApiKey(key) for key in (71, 72)], _TELEMETRY),
    **dict.fromkeys([ApiKey(key) for key in range(83, 88)], _SHARE_STATE),
}
VERSIONS: Mapping[ApiKey, tuple[range, str]] = {
    ApiKey.PRODUCE: (range(3), "0 to 2 are announced for old librdkafka only, as brokers do"),
    ApiKey.ADD_PARTITIONS_TO_TXN: (range(4, 6), "from 4 on between brokers"),
}


def expected(key: int, version: int) -> bool:
    """Whether this version of this API is to be hidden."""
    if key in APIS:
        return True
    versions = VERSIONS.get(ApiKey(key), (range(0), ""))[0]
    return version in versions
