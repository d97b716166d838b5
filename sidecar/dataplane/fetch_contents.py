"""What a client's fetch sessions are about (KIP-227), so that a Fetch that names nothing is known.

With a session a client names its partitions once, and then only what changes; a broker keeps the
rest in mind, and so does this. It knows the sessions that began while somebody looked; others stay
unknown, and a Fetch of one is what it says and no more.

Layout: Kafka protocol, Fetch v7-18.
"""

from copy import copy
from typing import Any, Final

from sidecar.faults.base import Place

MAX_SESSIONS: Final = 4
"""Of one connection; a client has one to each broker."""
MAX_PARTITIONS: Final = 10_000
"""Of one session; larger ones are unknown."""
_NO_SESSION: Final = 0
_FIRST_EPOCH: Final = 0
_LAST_EPOCH: Final = -1

Contents = dict[Place, tuple[Any, Any]]
"""By topic and partition: the topic and the partition as the client last named them."""


class FetchContents:
    """Those of one connection. Its requests and responses have to be told in order."""

    def __init__(self) -> None:
        self._sessions: dict[int, Contents] = {}

    def forget(self) -> None:
        """Requests went by that nobody looked at: what was known may not hold any more."""
        self._sessions.clear()

    def asked(self, request: Any) -> tuple[Any, Contents | None]:
        """A decoded Fetch request with names comes.

        Returns the request as one that names all it is about, as far as that is known, and what the
        session has that it asks for, for `given`; None if it asks for none.
        """
        session_id, epoch = request.session_id, request.session_epoch
        if epoch in (_FIRST_EPOCH, _LAST_EPOCH):
            self._sessions.pop(session_id, None)  # it ends, whether another begins or not
            begins = epoch == _FIRST_EPOCH
            return request, _changed({}, request) if begins else None
        contents = self._sessions.get(session_id)
        if contents is None:
            return request, None
        if any(not topic.topic for topic in request.forgotten_topics_data or ()):
            del self._sessions[session_id]  # of a topic nobody knows by this id
            return request, None
        contents = _changed(contents, request)
        if len(contents) > MAX_PARTITIONS:
            del self._sessions[session_id]
            return request, None
        self._sessions[session_id] = contents
        whole = copy(request)
        whole.topics = _topics(contents)
        # Nothing is left for anybody to wonder about.
        whole.session_epoch = _FIRST_EPOCH
        return whole, None

    def given(self, session_id: int, contents: Contents) -> None:
        """The broker has given a session to a client that asked for it, or none (0)."""
        if session_id == _NO_SESSION or len(contents) > MAX_PARTITIONS:
            return
        if len(self._sessions) >= MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[session_id] = contents


def _changed(contents: Contents, request: Any) -> Contents:
    """With what a request adds and without what it forgets."""
    forgotten = {
        (topic.topic, index)
        for topic in request.forgotten_topics_data or ()
        for index in topic.partitions or ()
    }
    named = {
        (topic.topic, part.partition): (topic, part)
        for topic in request.topics or ()
        for part in topic.partitions or ()
    }
    if not forgotten and not named:
        return contents
    kept = {place: each for place, each in contents.items() if place not in forgotten}
    return kept | named


def _topics(contents: Contents) -> list[Any]:
    """The topics of a request that names all of it."""
    by_name: dict[str, Any] = {}
    for (name, _), (topic, part) in contents.items():
        whole = by_name.get(name)
        if whole is None:
            whole = by_name[name] = copy(topic)
            whole.partitions = []
        whole.partitions.append(part)
    return list(by_name.values())
