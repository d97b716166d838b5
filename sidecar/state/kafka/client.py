"""What the reader, the writer and the administration of the topic have in common."""

from collections.abc import Mapping
from typing import Any, Final


class _Silent:
    """librdkafka logs every failed connection attempt; what matters is told by the store itself."""

    def log(self, level: int, text: str, *arguments: object) -> None:
        """Drop it."""


QUIET: Final[Mapping[str, Any]] = {"logger": _Silent(), "log.connection.close": False}


class Unreachable(Exception):
    """The cluster does not answer; ``str()`` says how."""
