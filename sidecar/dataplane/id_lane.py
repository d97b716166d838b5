"""Fetch requests of a virtual cluster that name topics by id: nothing in them is replaced.

What has to be known is whether every id is of a topic of the client's own; if one is not, or is not
known to be, the session has to see the request; so with a fetch session that is not the client's.
Responses hold ids only, too, and say which session was given to who asked for one.

Layout: Kafka protocol, request header v2, Fetch v13-18.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any, Final

from sidecar.dataplane.fetch_walk import FetchForm
from sidecar.dataplane.heads import ID_SIZE, Cut, Unusual, Verdict, after_client_id, count, wait
from sidecar.dataplane.lanes import Splice
from sidecar.dataplane.tenancy.fetch_sessions import FIRST_EPOCH, FetchSessions, session_place

_SESSION: Final = Struct(">ii")
"""Session id and epoch, right before the topics."""
_PARTITION: Final = 4 + 4 + 8 + 4 + 8 + 4 + 1
"""A partition without tagged fields."""


class FetchIdLane:
    """Fetch requests of one version on one connection.

    Args:
        form: of the responses to those who ask for a fetch session.
        logical_topic: topic id to the name of a topic of the client's own, or None.
        sessions: those of the client.
        walked: whether all other responses are of this form too; else they pass untouched.
    """

    FIRST: Final = 13
    memory: Final = None

    def __init__(
        self,
        form: FetchForm,
        logical_topic: Callable[[bytes], str | None],
        sessions: FetchSessions,
        *,
        walked: bool,
    ) -> None:
        self._logical_topic = logical_topic
        self._allows = sessions.allows
        self._asking = Splice(0, 0, b"", True, form)
        self._splice = self._asking if walked else Splice(0, 0, b"", True, None)

    def __call__(self, buffer: Any, position: int, end: int, version: int) -> Splice | Verdict:
        try:
            epoch = self._check(buffer, position, end, version)
        except Cut:
            return wait(buffer, position, end)
        except Unusual:
            return Verdict.COLLECT
        return self._asking if epoch == FIRST_EPOCH else self._splice

    def _check(self, buffer: Any, position: int, end: int, version: int) -> int:
        """Walk the topics; the session's epoch.

        Raises:
            Cut, Unusual: see there; unusual is also an id that is not of one's own.
        """
        body = after_client_id(buffer, position, end, flexible=True)
        place = body + session_place(version)
        if place + _SESSION.size > end:
            raise Cut
        session_id, epoch = _SESSION.unpack_from(buffer, place)
        if not self._allows(session_id):
            raise Unusual
        topics, place = count(buffer, place + _SESSION.size, end, flexible=True)
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
        return int(epoch)
