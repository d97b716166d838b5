"""JoinGroup, SyncGroup, DescribeGroups: topics in what the members of consumer groups tell others.

What a group's type is, requests or responses say; only "consumer" means a layout that is known, and
other types ("connect", ...) pass as they are. So does what cannot be read: all that a broker reads
is read (see codec.consumer_protocol), and members get back what they gave.

SyncGroup says the type from version 5 on only. Before, whatever reads as an assignment is taken for
one, since a broker may take it for one when the group goes over to KIP-848, and would then assign
the topics named in it: they must be the client's own. What other types put there does not read as
one; if it ever did, only names made of the characters of topics are changed in it, and the
response changes them back.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from codec.errors import DecodeError
from codec.primitives import Buffer
from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.exchange import Exchange

CONSUMER: Final = "consumer"
MEMBERS_NAME_LIMIT: Final = 250_000
"""Topics in the blobs of one message: as many take a third of a second, and everybody waits."""

_Rename = Callable[[bytes], bytes | None]
_TOPIC: Final = re.compile(rb"[a-zA-Z0-9._-]+")


class _Topics:
    """The renaming of topics in the blobs of one message; each distinct one is looked up once."""

    def __init__(self, rename: _Rename) -> None:
        self._rename = rename
        self._renamed: dict[bytes, bytes | None] = {}
        self._left = MEMBERS_NAME_LIMIT
        self._failure: DecodeError | None = None

    def subscription(self, blob: Buffer) -> Buffer:
        """A subscription with other topics, or what cannot be read, as it is.

        Raises:
            DecodeError: the message has too many names.
        """
        # Few connections need it.
        from codec.consumer_protocol import rewrite_subscription

        return self._unless_unreadable(rewrite_subscription, blob)

    def assignment(self, blob: Buffer) -> Buffer:
        """As `subscription`, of an assignment."""
        from codec.consumer_protocol import rewrite_assignment

        return self._unless_unreadable(rewrite_assignment, blob)

    def _unless_unreadable(
        self, rewrite: Callable[[Buffer, _Rename], Buffer], blob: Buffer
    ) -> Buffer:
        try:
            return rewrite(blob, self._topic)
        except DecodeError:
            if self._failure is not None:
                raise
            return blob

    def _topic(self, name: bytes) -> bytes | None:
        self._left -= 1
        try:
            if self._left < 0:
                raise DecodeError(f"its members name more than {MEMBERS_NAME_LIMIT} topics")
            if name not in self._renamed:
                self._renamed[name] = self._rename(name)
        except DecodeError as error:
            # Must not pass for a blob that cannot be read, which would go on unmapped.
            self._failure = error
            raise
        return self._renamed[name]


def _possible(rename: _Rename) -> _Rename:
    """The same for what can be a topic's name; anything else stays."""
    return lambda name: rename(name) if _TOPIC.fullmatch(name) else name


def _join_request(request: Any, version: int, exchange: Exchange) -> None:
    # Responses say it from version 7 on.
    exchange.kept = request.protocol_type
    if request.protocol_type == CONSUMER:
        topics = _Topics(exchange.topic_bytes)
        for protocol in request.protocols:
            protocol.metadata = topics.subscription(protocol.metadata)


def _join_response(response: Any, version: int, exchange: Exchange) -> None:
    if exchange.kept == CONSUMER:
        topics = _Topics(exchange.names.logical_topic)
        for member in response.members:
            member.metadata = topics.subscription(member.metadata)


def _sync_topics(protocol_type: str | None, rename: _Rename) -> _Topics | None:
    """For blobs of this type; None if they hold no names of topics."""
    if protocol_type is None:
        return _Topics(_possible(rename))
    return _Topics(rename) if protocol_type == CONSUMER else None


def _sync_request(request: Any, version: int, exchange: Exchange) -> None:
    topics = _sync_topics(request.protocol_type, exchange.topic_bytes)
    if topics is not None:
        for member in request.assignments:
            member.assignment = topics.assignment(member.assignment)


def _sync_response(response: Any, version: int, exchange: Exchange) -> None:
    topics = _sync_topics(response.protocol_type, exchange.names.logical_topic)
    if topics is not None:
        response.assignment = topics.assignment(response.assignment)


def _describe_response(response: Any, version: int, exchange: Exchange) -> None:
    topics = _Topics(exchange.names.logical_topic)
    for group in response.groups:
        if group.protocol_type == CONSUMER:
            for member in group.members:
                member.member_metadata = topics.subscription(member.member_metadata)
                member.member_assignment = topics.assignment(member.member_assignment)


JOIN_GROUP: Final = Edit(_join_request, _join_response)
SYNC_GROUP: Final = Edit(_sync_request, _sync_response)
DESCRIBE_GROUPS: Final = Edit(response=_describe_response)
