"""Names of our own resources and the one special virtual cluster."""

import re
from typing import Final

from sidecar.model.errors import InvalidArgument

PASSTHROUGH: Final = "passthrough"
"""The virtual cluster without a prefix: it sees the physical cluster as it is."""

MAX_NAME_LENGTH: Final = 128
"""Characters; a vcluster name is also a topic-name prefix, and Kafka allows 249 in all."""

MAX_TOPIC_NAME_LENGTH: Final = 249
"""Characters Kafka allows in the name of a topic."""

MAX_PRINCIPAL_LENGTH: Final = 512
"""Characters; the distinguished names of certificates are longer than other names."""

_KAFKA_SAFE = re.compile(r"[A-Za-z0-9._-]+")
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f/]+")
_NO_CONTROL = re.compile(r"[^\x00-\x1f\x7f]+")
_KAFKA_WORDS: Final = "letters, digits, '.', '_' and '-'"


def virtual_cluster_name(value: str, field: str = "virtual_cluster") -> str:
    """Return `value` if it can prefix a Kafka topic name.

    One that begins with an underscore is reserved: names of internal topics do (such as
    ``__consumer_offsets``, ``_schemas``), and a client of ``_`` could reach them.

    Raises:
        InvalidArgument: it is empty, too long, reserved, or has a character Kafka forbids in topic
            names.
    """
    checked = _checked(value, field, _KAFKA_SAFE, _KAFKA_WORDS)
    if value.startswith("_"):
        raise InvalidArgument.of(
            field,
            f"{field} is {value!r}, names that begin with '_' are reserved:"
            " those of Kafka's internal topics do",
        )
    return checked


def topic_name(value: str, field: str) -> str:
    """Return `value` if Kafka allows it as the name of a topic.

    Raises:
        InvalidArgument: it is empty, above 249 characters, ``.`` or ``..``, or has a character
            Kafka forbids.
    """
    checked = _checked(value, field, _KAFKA_SAFE, _KAFKA_WORDS, MAX_TOPIC_NAME_LENGTH)
    if value in (".", ".."):
        raise InvalidArgument.of(field, f"{field} is {value!r}, Kafka allows neither '.' nor '..'")
    return checked


def resource_name(value: str, field: str) -> str:
    """Return `value` if it can name an interceptor, group or user.

    Raises:
        InvalidArgument: it is empty, too long, or has a slash or control character.
    """
    return _checked(value, field, _PRINTABLE, "printable characters without '/'")


def principal_name(value: str, field: str) -> str:
    """Return `value` if it can be what credentials call a user, such as a distinguished name.

    Raises:
        InvalidArgument: it is empty, above 512 characters, or has a control character.
    """
    return _checked(value, field, _NO_CONTROL, "printable characters", MAX_PRINCIPAL_LENGTH)


def _checked(
    value: str, field: str, allowed: re.Pattern[str], words: str, limit: int = MAX_NAME_LENGTH
) -> str:
    if not value:
        raise InvalidArgument.of(field, f"{field} must not be empty")
    if len(value) > limit:
        raise InvalidArgument.of(
            field, f"{field} has {len(value)} characters, at most {limit} are allowed"
        )
    if not allowed.fullmatch(value):
        raise InvalidArgument.of(field, f"{field} is {value!r}, allowed are {words}")
    return value
