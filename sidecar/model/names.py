"""Names of our own resources and the one special virtual cluster."""

import re
from typing import Final

from sidecar.model.errors import InvalidArgument

PASSTHROUGH: Final = "passthrough"
"""The virtual cluster without a prefix: it sees the physical cluster as it is."""

MAX_NAME_LENGTH: Final = 128
"""Characters; a vcluster name is also a topic-name prefix, and Kafka allows 249 in all."""

_KAFKA_SAFE = re.compile(r"[A-Za-z0-9._-]+")
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f/]+")


def virtual_cluster_name(value: str, field: str = "virtual_cluster") -> str:
    """Return `value` if it can prefix a Kafka topic name.

    Raises:
        InvalidArgument: it is empty, too long, or has a character Kafka forbids in topic names.
    """
    return _checked(value, field, _KAFKA_SAFE, "letters, digits, '.', '_' and '-'")


def resource_name(value: str, field: str) -> str:
    """Return `value` if it can name an interceptor, group or user.

    Raises:
        InvalidArgument: it is empty, too long, or has a slash or control character.
    """
    return _checked(value, field, _PRINTABLE, "printable characters without '/'")


def _checked(value: str, field: str, allowed: re.Pattern[str], words: str) -> str:
    if not value:
        raise InvalidArgument.of(field, f"{field} must not be empty")
    if len(value) > MAX_NAME_LENGTH:
        raise InvalidArgument.of(
            field, f"{field} has {len(value)} characters, at most {MAX_NAME_LENGTH} are allowed"
        )
    if not allowed.fullmatch(value):
        raise InvalidArgument.of(field, f"{field} is {value!r}, allowed are {words}")
    return value
