"""Kafka's rule for the names of topics."""

import re

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError

MAX_TOPIC_NAME_LENGTH = 249
"""Longest topic name: a directory name of 255 characters less a partition suffix."""

_LEGAL = re.compile(r"[a-zA-Z0-9._-]+")


def check_topic_name(name: str) -> None:
    """Check that a topic may be called `name`.

    Raises:
        ApiError: INVALID_TOPIC_EXCEPTION.
    """
    if name in (".", ".."):
        reason = f"topic name cannot be '{name}'"
    elif len(name) > MAX_TOPIC_NAME_LENGTH:
        reason = f"topic name is longer than {MAX_TOPIC_NAME_LENGTH} characters"
    elif _LEGAL.fullmatch(name) is None:
        reason = "topic name must be of ASCII letters, digits, '.', '_' and '-', and not empty"
    else:
        return
    raise ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION, reason)
