"""The fast lane: what to do with a frame from its first bytes, so that the rest is never touched.

A plan says for each API and version whether frames pass as they are, have a name replaced near
their beginning (Produce and Fetch of a single topic, the traffic there is most of), or must be
collected whole for the session. The relay walks a shared receive buffer and asks here; lanes take
that buffer, the position of a frame's size field, and the end of what has arrived.

Layouts: Kafka protocol, Produce v3-13, Fetch v4-12.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any, Final, NamedTuple, Protocol

from codec.api_keys import ApiKey
from codec.registry import is_flexible
from codec.schema import ZERO_UUID
from sidecar.dataplane.fetch_walk import FetchForm
from sidecar.dataplane.heads import (
    BODY_OFFSET,
    INT16,
    INT32,
    Cut,
    Unusual,
    Verdict,
    after_client_id,
    count,
    length_of,
    single_topic,
    single_topic_id,
    text_of,
    topic_bytes,
    wait,
)
from sidecar.dataplane.ordering import ReplyForm
from sidecar.dataplane.tenancy import Exchange, Names
from sidecar.dataplane.tenancy.fetch_sessions import (
    FIRST_EPOCH,
    NO_SESSION,
    FetchSessions,
)
from sidecar.dataplane.tenancy.fetch_sessions import SINCE as SESSIONS_SINCE


class Splice(NamedTuple):
    """How to pass a request: `length` bytes at offset `at` are replaced by `new`.

    Args:
        at: offset in the frame, size field included; 0: nothing is replaced.
        answered: whether there will be a response (not with acks=0).
        form: of the response; None to pass it untouched.
        passes: whether nothing of this is to be done: it is answered, and passes as it is.
    """

    at: int
    length: int
    new: bytes
    answered: bool
    form: ReplyForm | FetchForm | None
    passes: bool = False


class Beginning(NamedTuple):
    """What a Produce request of one topic begins with, after its correlation id.

    Args:
        raw: the bytes, from the client id to the topic's name.
        topic: as the client calls it.
        size: offset in the frame at which the partitions begin.
        topic_id: what stands in the name's place from v13 on.
        reply_at, reply_size: of the usual response, see `ordering.Heeded`.
    """

    version: int
    raw: bytes
    client_id: str | None
    acks: int
    topic: str
    size: int
    topic_id: bytes = ZERO_UUID
    reply_at: int = 0
    reply_size: int = 0


class Splicer(Protocol):
    """Knows the requests of one API on one connection."""

    def __call__(self, buffer: Any, position: int, end: int, version: int) -> Splice | Verdict:
        """What to do with the request whose size field is at `position`."""


Plan = dict[int, Splicer | None]
"""By ``api key << 16 | version``: None to pass; no entry to collect."""

PARTITION_HEAD: Final = 80
"""Bytes behind a Produce's only topic that hold the head of its partition and of its batch."""
_REPLY_OFFSET: Final = 8
"""Where a response goes on after size and correlation id."""
_FETCH_FIXED: Final = 17
"""Fetch v4-12 before its session or topics: replica id, max wait, min and max bytes, isolation."""
_FETCH_SESSION: Final = Struct(">ii")
"""Fetch session and its epoch, from v7 on."""
_NEVER: Final = 1 << 31
"""More bytes than a frame can have."""
_PRODUCE_ENDPOINTS_SINCE: Final = 10
_PRODUCE_IDS_SINCE: Final = 13
_FETCH_PARTITION: Final = {
    # Bytes of a partition in a Fetch request without tagged fields.
    **dict.fromkeys((7, 8), 4 + 8 + 8 + 4),
    **dict.fromkeys((9, 10, 11), 4 + 4 + 8 + 8 + 4),
    12: 4 + 4 + 8 + 4 + 8 + 4 + 1,
}
_SINGLE_PARTITION: Final = {
    # Bytes of a Produce response after its only topic's name, if it has one partition, no record
    # errors, no message and no tagged fields.
    **dict.fromkeys((3, 4), 4 + 4 + 2 + 8 + 8 + 4),
    **dict.fromkeys((5, 6, 7), 4 + 4 + 2 + 8 + 8 + 8 + 4),
    8: 4 + 4 + 2 + 8 + 8 + 8 + 4 + 2 + 4,
    **dict.fromkeys((9, 10, 11, 12, 13), 1 + 4 + 2 + 8 + 8 + 8 + 1 + 1 + 1 + 1 + 4 + 1),
}


class ProduceLane:
    """Produce requests of a connection. Remembers the beginning of the last one: most are alike.

    Args:
        names: how topics are spelled on the cluster; None where that is as clients do.
        context: makes what `Tenancy.map_response` needs where a response is not of the usual form.
        logical_topic: topic id to the name of a topic of the client's own, or None.
        judged: whether somebody decides about them; then those of several topics are collected.
    """

    FIRST: Final = 3
    """From here on a partition has one record batch, behind a transactional id."""
    LAST: Final = 13

    def __init__(
        self,
        names: Names | None,
        context: Callable[[bytes | None], Exchange],
        logical_topic: Callable[[bytes], str | None],
        *,
        judged: bool,
    ) -> None:
        self._names = names
        self._context = context
        self._logical_topic = logical_topic
        self._whole = names is not None or judged
        self.version = -1
        """Of the last request, whose beginning (from the client id on) is `raw`."""
        self.raw = b""
        self.beginning = Beginning(-1, b"", None, 0, "", 0)
        self.splice = Splice(0, 0, b"", True, None)
        """What is done with requests that begin like it."""

    def __call__(self, buffer: Any, position: int, end: int, version: int) -> Splice | Verdict:
        if version != self.version or not buffer.startswith(self.raw, position + BODY_OFFSET):
            try:
                self._learn(buffer, position, end, version)
            except Cut:
                return wait(buffer, position, end)
            except Unusual:
                return Verdict.COLLECT
        elif position + BODY_OFFSET + len(self.raw) > end:
            return wait(buffer, position, end)  # it matched bytes of an earlier read
        return self.splice

    def _learn(self, buffer: Any, position: int, end: int, version: int) -> None:
        """Read a request up to its topic's name or id."""
        flexible = is_flexible(ApiKey.PRODUCE, version)
        body = after_client_id(buffer, position, end, flexible)
        length, text = length_of(buffer, body, end, flexible)
        if length >= 0 and self._names is not None:
            raise Unusual  # a transactional id, to be renamed as well
        acks = text + max(length, 0)
        begin = position + BODY_OFFSET
        if not self._whole and count(buffer, acks + 6, end, flexible)[0] != 1:
            self._learn_acks(bytes(buffer[begin : acks + 2]), version)
            return
        by_id = version >= _PRODUCE_IDS_SINCE
        single = single_topic_id if by_id else single_topic
        start, stop = single(buffer, acks + 6, end, flexible)
        topic = bytes(buffer[start:stop])
        raw = bytes(buffer[begin:stop])
        (needed_acks,) = INT16.unpack_from(buffer, acks)
        (id_length,) = INT16.unpack_from(raw)
        client_id = None if id_length < 0 else text_of(raw[2 : 2 + id_length])
        answered = needed_acks != 0
        beginning = Beginning(version, raw, client_id, needed_acks, "", stop - position)
        if by_id:
            self._learn_id(beginning, topic, answered)
        else:
            head = bytes(buffer[begin : acks + 6])
            self._learn_name(beginning, topic, head, flexible, answered)
        self.version, self.raw = version, raw

    def _learn_name(
        self, beginning: Beginning, name: bytes, head: bytes, flexible: bool, answered: bool
    ) -> None:
        """Requests whose topic has a name; `head` is what is before the topics."""
        physical = self._names.physical_topic(name) if self._names is not None else name
        new = head + topic_bytes(physical, flexible)
        version = beginning.version
        form = None
        tags = b"\0" if flexible else b""
        old = tags + topic_bytes(physical, flexible)
        if answered and (self._names is not None or version >= _PRODUCE_ENDPOINTS_SINCE):
            form = self._form(old, tags + topic_bytes(name, flexible), version, name)
        at = BODY_OFFSET if self._names is not None else 0
        self.splice = Splice(at, len(beginning.raw), new, answered, form, answered and form is None)
        reply_at, reply_size = _reply(old, version)
        self.beginning = beginning._replace(
            topic=text_of(name), reply_at=reply_at, reply_size=reply_size
        )

    def _learn_id(self, beginning: Beginning, topic_id: bytes, answered: bool) -> None:
        """Requests whose topic has an id, which stays as it is."""
        topic = self._logical_topic(topic_id) if self._whole else ""
        if topic is None:
            raise Unusual
        same = b"\0\x02" + topic_id
        form = self._form(same, same, beginning.version, None) if answered else None
        self.splice = Splice(0, 0, b"", answered, form)
        reply_at, reply_size = _reply(same, beginning.version)
        self.beginning = beginning._replace(
            topic=topic, topic_id=topic_id, reply_at=reply_at, reply_size=reply_size
        )

    def _learn_acks(self, raw: bytes, version: int) -> None:
        """A request of several topics, of which only has to be known whether it is answered."""
        answered = raw[-2:] != b"\0\0"
        form = None
        if answered and version >= _PRODUCE_ENDPOINTS_SINCE:
            # No response is of this form: all are collected, and looked through for addresses.
            context = self._context(None)
            form = ReplyForm(0, b"", b"", _NEVER, 0, 0, ApiKey.PRODUCE, version, context)
        self.version, self.raw = version, raw
        self.splice = Splice(0, 0, b"", answered, form, answered and form is None)

    def _form(self, old: bytes, new: bytes, version: int, topic: bytes | None) -> ReplyForm:
        """Of responses that have `old`, for which clients are shown `new`, behind their ids."""
        size = 4 + len(old) + _SINGLE_PARTITION[version]
        least = _REPLY_OFFSET - 4 + len(old)
        context = self._context(topic)
        return ReplyForm(_REPLY_OFFSET, old, new, least, size, 0, ApiKey.PRODUCE, version, context)


def _reply(head: bytes, version: int) -> tuple[int, int]:
    """Of a response with this between its correlation id and the only topic's partitions: where
    the first of them stands in the frame, and the usual size of the frame."""
    count_size = 1 if is_flexible(ApiKey.PRODUCE, version) else 4
    return _REPLY_OFFSET + len(head) + count_size, 4 + len(head) + _SINGLE_PARTITION[version]


class PassLane:
    """Requests that pass as they are, and have something done to their responses."""

    memory: Final = None

    def __init__(self, form: FetchForm | None) -> None:
        self._splice = Splice(0, 0, b"", True, form)

    def __call__(self, buffer: Any, position: int, end: int, version: int) -> Splice | Verdict:
        return self._splice


class FetchMemory(NamedTuple):
    """A Fetch of one partition of one topic: others are handled alike that differ in numbers only.

    Args:
        size: of the frame, without its size field.
        topics_at, rest_at: offsets in the frame of `topics` and `rest`.
        client_id: the bytes from the client id to the header's end.
        session: its fetch session, and without one the epoch too, which asks for one or does not.
        topics: from the topic count up to the partition.
        rest: from the partition's tags on: nothing forgotten, the rack.
    """

    size: int
    client_id: bytes
    session: bytes
    topics_at: int
    topics: bytes
    rest_at: int
    rest: bytes


class FetchLane:
    """Fetch requests of a connection, with names.

    Args:
        names, context: as for `ProduceLane`.
        fetch_sessions: those of the client.
    """

    FIRST: Final = 4
    LAST: Final = 12
    """Later versions name topics by id."""

    def __init__(
        self,
        names: Names,
        context: Callable[[bytes | None], Exchange],
        fetch_sessions: FetchSessions,
    ) -> None:
        self._names = names
        self._context = context
        self._allows = fetch_sessions.allows
        self.memory: FetchMemory | None = None
        """Of the last request; None if others are not to be taken for alike."""

    def __call__(self, buffer: Any, position: int, end: int, version: int) -> Splice | Verdict:
        self.memory = None
        try:
            return self._learn(buffer, position, end, version)
        except Cut:
            return wait(buffer, position, end)
        except Unusual:
            return Verdict.COLLECT

    def _learn(self, buffer: Any, position: int, end: int, version: int) -> Splice:
        """Read a request but for its partitions; remember it if it is one of one partition."""
        flexible = is_flexible(ApiKey.FETCH, version)
        sessions = version >= SESSIONS_SINCE
        body = after_client_id(buffer, position, end, flexible)
        topics = body + _FETCH_FIXED
        session = self._session(buffer, topics, end) if sessions else b""
        topics += _FETCH_SESSION.size if sessions else 0
        start, stop = single_topic(buffer, topics, end, flexible)
        if sessions:
            _nothing_forgotten(buffer, stop, end, version, flexible)
        name = bytes(buffer[start:stop])
        new = topic_bytes(self._names.physical_topic(name), flexible)
        old = topic_bytes(name, flexible)
        at = _REPLY_OFFSET + flexible + 4 + (6 if sessions else 0)
        tags = _REPLY_OFFSET if flexible else 0
        context = self._context(name)
        least = at - 4 + len(new)
        form = ReplyForm(at, new, old, least, 0, tags, ApiKey.FETCH, version, context)
        partitions, first = count(buffer, stop, end, flexible)
        (size,) = INT32.unpack_from(buffer, position)
        whole = position + 4 + size
        if sessions and partitions == 1 and end >= whole:
            after = first + _FETCH_PARTITION[version] - flexible
            self.memory = FetchMemory(
                size,
                bytes(buffer[position + BODY_OFFSET : body]),
                session,
                topics - position,
                bytes(buffer[topics:first]),
                after - position,
                bytes(buffer[after:whole]),
            )
        return Splice(topics - position, stop - topics, new, True, form)

    def _session(self, buffer: Any, place: int, end: int) -> bytes:
        """Check the session; what others have to have in its place to be alike.

        Raises:
            Unusual: it is not the client's, or is asked for: the response is to be looked at.
        """
        if place + _FETCH_SESSION.size > end:
            raise Cut
        session_id, epoch = _FETCH_SESSION.unpack_from(buffer, place)
        if epoch == FIRST_EPOCH or not self._allows(session_id):
            raise Unusual
        size = _FETCH_SESSION.size if session_id == NO_SESSION else _FETCH_SESSION.size // 2
        return bytes(buffer[place : place + size])


def _nothing_forgotten(buffer: Any, position: int, end: int, version: int, flexible: bool) -> None:
    """Check that no forgotten topics follow the only topic's partitions: they have names too."""
    size = _FETCH_PARTITION[version]
    partitions, position = count(buffer, position, end, flexible)
    if partitions < 0:
        raise Unusual
    after = position + partitions * size
    if after + (2 if flexible else 4) > end:
        raise Cut
    if flexible:
        tags = bytes(buffer[position + size - 1 : after : size])
        if any(tags) or buffer[after] or buffer[after + 1] != 1:
            raise Unusual
    elif INT32.unpack_from(buffer, after)[0]:
        raise Unusual
