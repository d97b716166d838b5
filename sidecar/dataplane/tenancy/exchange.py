"""One request and its response: what the mapping of the one knows that the other's needs."""

from typing import Any, Final

from codec.errors import DecodeError
from codec.schema import ZERO_UUID
from sidecar.dataplane.tenancy.names import Names
from sidecar.dataplane.tenancy.topic_ids import Masks, TopicDirectory

NAME_LIMIT: Final = 100_000
"""Names in one request: renaming as many takes a quarter of a second, and everybody waits."""
_MAX_STRAYS: Final = 20
_IN_NAMES: Final = frozenset(
    bytes([c]) for c in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
)
"""What topics are called with."""


class Exchange:
    """A request and its response in one virtual cluster.

    Args:
        names: as they are spelled when the request comes.
        directory: which topic an id is of.
        masks: those of the connection.
    """

    __slots__ = (
        "_known",
        "_left",
        "_lengths",
        "_strays",
        "directory",
        "kept",
        "masks",
        "names",
        "unknown",
    )

    def __init__(self, names: Names, directory: TopicDirectory, masks: Masks) -> None:
        self.names = names
        self.directory = directory
        self.masks = masks
        self.unknown: set[bytes] = set()
        """Topic ids in the request that the directory does not know."""
        self.kept: Any = None
        """What the edit of a request leaves for that of its response."""
        self._known: dict[bytes, bytes] = {}
        self._strays: dict[bytes, bytes] = {}
        """Aliases, which do not begin with the prefix; as many as can be tried on a message."""
        self._left = NAME_LIMIT
        self._lengths: list[int] | None = None

    # Names on their way to the broker.

    def topic_bytes(self, name: bytes) -> bytes:
        """The physical name of a topic the request names; remembered.

        Raises:
            DecodeError: the request has too many names.
        """
        return self._remembered(self.names.physical_topic(name), name)

    def name_bytes(self, name: bytes) -> bytes:
        """As `topic_bytes`, of a group or transactional id."""
        return self._remembered(self.names.physical(name), name)

    def topic_pattern(self, pattern: bytes) -> bytes:
        """As `topic_bytes`, of an expression over topics; brokers quote those they refuse."""
        physical = self.names.physical_pattern(pattern)
        return self._remembered(physical, pattern) if pattern else pattern

    def topic(self, name: str) -> str:
        """As `topic_bytes`, decoded."""
        return decoded(self.topic_bytes(encoded(name)))

    def name(self, name: str) -> str:
        """As `name_bytes`, decoded."""
        return decoded(self.name_bytes(encoded(name)))

    def topic_id(self, topic_id: bytes) -> bytes:
        """The id of a topic of one's own, or a mask for one that is not, or is not known to be."""
        if topic_id == ZERO_UUID:
            return topic_id
        physical = self.directory.name(topic_id)
        if physical is None:
            self.unknown.add(topic_id)
            return self.masks.mask(topic_id)
        logical = self.names.logical_topic(physical)
        if logical is None:
            return self.masks.mask(topic_id)
        self._remembered(physical, logical)
        return topic_id

    def _remembered(self, physical: bytes, logical: bytes) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise DecodeError(f"it has more than {NAME_LIMIT} names")
        self._known[physical] = logical
        if len(self._strays) < _MAX_STRAYS and not physical.startswith(self.names.prefix):
            self._strays[physical] = logical
        return physical

    # Names on their way to the client.

    def logical_topic(self, name: str) -> str | None:
        """A topic as the client calls it; None if it is not its own."""
        logical = self.names.logical_topic(encoded(name))
        return None if logical is None else decoded(logical)

    def logical_name(self, name: str) -> str | None:
        """As `logical_topic`, of a group or transactional id."""
        logical = self.names.logical(encoded(name))
        return None if logical is None else decoded(logical)

    def restore(self, message: bytes) -> bytes:
        """A message for people with the request's names as the client spelled them.

        Looked up where the prefix stands: a response may hold as many messages as the request
        names, and trying each name on each message would stop everybody's traffic for minutes.
        """
        prefix = self.names.prefix
        if not self._known or not prefix:
            return message
        for stray, alias in self._strays.items():
            message = message.replace(stray, alias)
        if self._lengths is None:
            self._lengths = sorted(set(map(len, self._known)), reverse=True)
        pieces = []
        done = 0
        start = message.find(prefix)
        while start >= 0:
            # Not inside a word, which may hold a short prefix.
            physical = (
                None if message[start - 1 : start] in _IN_NAMES else self._name_at(message, start)
            )
            if physical:
                pieces += [message[done:start], self._known[physical]]
                done = start + len(physical)
            start = message.find(prefix, max(done, start + 1))
        return b"".join([*pieces, message[done:]]) if pieces else message

    def _name_at(self, message: bytes, start: int) -> bytes | None:
        """The longest of the names that begins there."""
        room = len(message) - start
        for length in self._lengths or ():
            if length <= room and (name := message[start : start + length]) in self._known:
                return name
        return None


def encoded(text: str) -> bytes:
    """As the codec writes strings, bytes that are not UTF-8 included."""
    return text.encode("utf-8", "surrogateescape")


def decoded(text: bytes) -> str:
    """As the codec reads strings."""
    return text.decode("utf-8", "surrogateescape")
