"""Fetch requests of a virtual cluster that name topics by id: nothing in them is replaced.

What has to be known is whether every id is of a topic of the client's own; if one is not, or is not
known to be, the session has to see the request. Responses hold ids only, too.

Layout: Kafka protocol, request header v2, Fetch v13-18.
"""

from collections.abc import Callable
from typing import Any, Final

from sidecar.dataplane.fetch_walk import FetchForm
from sidecar.dataplane.heads import ID_SIZE, Cut, Unusual, Verdict, after_client_id, count, wait
from sidecar.dataplane.lanes import Splice

_FIXED: Final = 21
"""Bytes before the topics: max wait, min and max bytes, isolation level, session id and epoch."""
_REPLICA_ID: Final = 4
_REPLICA_ID_UNTIL: Final = 14
"""From v15 on it is a tagged field at the end, and consumers leave it out."""
_PARTITION: Final = 4 + 4 + 8 + 4 + 8 + 4 + 1
"""A partition without tagged fields."""


class FetchIdLane:
    """Fetch requests of one version on one connection.

    Args:
        form: of their responses; None to pass them untouched.
        logical_topic: topic id to the name of a topic of the client's own, or None.
    """

    FIRST: Final = 13
    memory: Final = None

    def __init__(
        self, form: FetchForm | None, logical_topic: Callable[[bytes], str | None]
    ) -> None:
        self._logical_topic = logical_topic
        self._splice = Splice(0, 0, b"", True, form)

    def __call__(self, buffer: Any, position: int, end: int, version: int) -> Splice | Verdict:
        try:
            self._check(buffer, position, end, version)
        except Cut:
            return wait(buffer, position, end)
        except Unusual:
            return Verdict.COLLECT
        return self._splice

    def _check(self, buffer: Any, position: int, end: int, version: int) -> None:
        """Walk the topics.

        Raises:
            Cut, Unusual: see there; unusual is also an id that is not of one's own.
        """
        place = after_client_id(buffer, position, end, flexible=True) + _FIXED
        if version <= _REPLICA_ID_UNTIL:
            place += _REPLICA_ID
        topics, place = count(buffer, place, end, flexible=True)
        for _ in range(topics):
            if place + ID_SIZE > end:
                raise Cut
            if self._logical_topic(bytes(buffer[place : place + ID_SIZE])) is None:
                raise Unusual
            partitions, place = count(buffer, place + ID_SIZE, end, flexible=True)
            after = place + max(0, partitions) * _PARTITION
            if after >= end:
                raise Cut
            if any(buffer[place + _PARTITION - 1 : after : _PARTITION]) or buffer[after]:
                raise Unusual  # tagged fields
            place = after + 1
