"""Topic and broker configs: which names exist, their defaults, and which of them do something.

Only `max.message.bytes` changes what a broker here does. The other names are accepted and
reported back, so that tools which set them work; the defaults reported are what really happens
(`retention.ms` and `retention.bytes` are -1: nothing is ever deleted).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError


class ConfigType(IntEnum):
    """Data types in a DescribeConfigs response (KIP-569)."""

    BOOLEAN = 1
    STRING = 2
    INT = 3
    LONG = 5
    DOUBLE = 6
    LIST = 7


class ConfigSource(IntEnum):
    """Where a value comes from (KIP-226)."""

    DYNAMIC_TOPIC_CONFIG = 1
    STATIC_BROKER_CONFIG = 4
    DEFAULT_CONFIG = 5


@dataclass(frozen=True, slots=True)
class ConfigDefault:
    """Default value and type of a config name."""

    value: str
    type: ConfigType


MAX_MESSAGE_BYTES = "max.message.bytes"

TOPIC_CONFIGS: Mapping[str, ConfigDefault] = {
    "cleanup.policy": ConfigDefault("delete", ConfigType.LIST),
    "compression.type": ConfigDefault("producer", ConfigType.STRING),
    "delete.retention.ms": ConfigDefault("86400000", ConfigType.LONG),
    "file.delete.delay.ms": ConfigDefault("60000", ConfigType.LONG),
    "flush.messages": ConfigDefault("9223372036854775807", ConfigType.LONG),
    "flush.ms": ConfigDefault("9223372036854775807", ConfigType.LONG),
    "index.interval.bytes": ConfigDefault("4096", ConfigType.INT),
    "max.compaction.lag.ms": ConfigDefault("9223372036854775807", ConfigType.LONG),
    MAX_MESSAGE_BYTES: ConfigDefault("1048588", ConfigType.INT),
    "message.timestamp.type": ConfigDefault("CreateTime", ConfigType.STRING),
    "min.cleanable.dirty.ratio": ConfigDefault("0.5", ConfigType.DOUBLE),
    "min.compaction.lag.ms": ConfigDefault("0", ConfigType.LONG),
    "min.insync.replicas": ConfigDefault("1", ConfigType.INT),
    "preallocate": ConfigDefault("false", ConfigType.BOOLEAN),
    "retention.bytes": ConfigDefault("-1", ConfigType.LONG),
    "retention.ms": ConfigDefault("-1", ConfigType.LONG),
    "segment.bytes": ConfigDefault("1073741824", ConfigType.INT),
    "segment.index.bytes": ConfigDefault("10485760", ConfigType.INT),
    "segment.jitter.ms": ConfigDefault("0", ConfigType.LONG),
    "segment.ms": ConfigDefault("604800000", ConfigType.LONG),
    "unclean.leader.election.enable": ConfigDefault("false", ConfigType.BOOLEAN),
}

_NUMBERS = {ConfigType.INT: int, ConfigType.LONG: int, ConfigType.DOUBLE: float}


def check_topic_config(name: str, value: str | None) -> str:
    """Check one config of a topic to be created.

    Returns:
        The value.

    Raises:
        ApiError: INVALID_CONFIG for an unknown name, a null value or a value of the wrong type.
    """
    known = TOPIC_CONFIGS.get(name)
    if known is None:
        raise ApiError(ErrorCode.INVALID_CONFIG, f"unknown topic config name: {name}")
    if value is None:
        raise ApiError(ErrorCode.INVALID_CONFIG, f"null value not supported for {name}")
    convert = _NUMBERS.get(known.type)
    if convert is not None:
        try:
            convert(value)
        except ValueError:
            reason = f"invalid value {value[:80]!r} for {name}: not a number"
            raise ApiError(ErrorCode.INVALID_CONFIG, reason) from None
    return value
