"""Whose a topic id is.

From some versions on requests name topics by id only (Produce and Fetch 13, OffsetCommit 10, ...,
KIP-516), and ids are no secret kept from other virtual clusters by their length alone. An id that
is not of a topic of the client's own is replaced, on its way to the broker, by one that no topic
has: so the broker answers UNKNOWN_TOPIC_ID wherever and however it does for an id nobody knows.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from codec.schema import ZERO_UUID

MAX_TOPICS: Final = 200_000
"""Ids kept in mind, 150 bytes each; the oldest goes first, and is asked for again when needed."""
MAX_MASKED: Final = 10_000
"""Ids of others that one connection may try."""


class TopicDirectory:
    """Which topic an id is of; shared by the connections of a process.

    It learns from answers on their way to clients, and what it does not know the sidecar asks a
    broker for. An id never comes to mean another topic, so nothing here grows old.

    Args:
        secret: makes masks that clients cannot foresee; 0 to 64 bytes.
    """

    def __init__(self, secret: bytes = b"") -> None:
        self.secret = secret
        self._names: dict[bytes, bytes] = {}
        self.knows: Callable[[bytes], bool] = self._names.__contains__
        """Whether it is known which topic an id is of."""

    def learn(self, topic_id: bytes, name: bytes) -> None:
        """Take note of a topic's id and physical name."""
        names = self._names
        if topic_id not in names and topic_id != ZERO_UUID:
            if len(names) >= MAX_TOPICS:
                del names[next(iter(names))]
            names[topic_id] = name

    def name(self, topic_id: bytes) -> bytes | None:
        """The physical name, if it is known."""
        return self._names.get(topic_id)


class Masks:
    """The ids of others that one connection has sent, and what the broker saw in their place.

    Args:
        secret: makes masks that clients cannot foresee.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._originals: dict[bytes, bytes] = {}

    def __len__(self) -> int:
        return len(self._originals)

    @property
    def full(self) -> bool:
        """Whether the connection has tried too many."""
        return len(self._originals) > MAX_MASKED

    def mask(self, topic_id: bytes) -> bytes:
        """An id that no topic has; the same for the same id."""
        masked = blake2b(topic_id, digest_size=16, key=self._secret).digest()
        if not self.full:
            self._originals[masked] = topic_id
        return masked

    def original(self, topic_id: bytes) -> bytes:
        """What the client calls a masked id; any other as it is."""
        return self._originals.get(topic_id, topic_id)
