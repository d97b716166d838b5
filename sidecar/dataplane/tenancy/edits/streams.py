"""StreamsGroupHeartbeat: what it says about topics that another member's request named.

A group's topology comes with the request of the member that joins first. Every later heartbeat may
tell which of its topics are missing or have the wrong number of partitions, in text, and so what
the request at hand holds is of no use to find their names.
"""

import re
from typing import Any, Final

from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.exchange import Exchange

_NAME: Final = re.compile(r"[a-zA-Z0-9._-]*[a-zA-Z0-9_-]")
"""What can be a topic's name, without the full stop of a sentence."""
_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        """Source topics are missing. and additional topics. Internal topics are missing: Missing
        source topics: Existing topic has different number of partitions: expected, found. Following
        topics do not have the same number of partitions: Number of partitions of repartition topic
        doesn't match number of partitions of the source topic. Number of partitions is not set for
        topic: must be set for topic. All topics in the copartition group had undefined partition
        number: No partition count for source topic. No source topics found for subtopology. Topic
        is not in the topology. Topic not found in metadata image. The member's topology epoch is
        behind the group's topology epoch. encountered a fatal error and requested a shutdown for
        the entire application. Assignment delayed due to the configured initial rebalance delay,
        assignment interval. Streams group member""",
    )
)
"""Kafka's own, which may begin as the virtual cluster's name does."""


def _logical(text: str, exchange: Exchange) -> str:
    """The text with its topics as the clients call them."""

    def shown(match: re.Match[str]) -> str:
        logical = None if match[0] in _WORDS else exchange.logical_topic(match[0])
        return match[0] if logical is None else logical

    return _NAME.sub(shown, text)


def _response(response: Any, version: int, exchange: Exchange) -> None:
    for status in response.status or ():
        status.status_detail = _logical(status.status_detail, exchange)
    if response.error_message:
        response.error_message = _logical(response.error_message, exchange)


STREAMS_GROUP_HEARTBEAT: Final = Edit(response=_response)
