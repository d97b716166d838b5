"""Requests and responses as faults are shown them: decoded, and with the names of their topics.

Layouts: Kafka protocol; Produce and Fetch name topics by id from v13 on (KIP-516).
"""

from collections.abc import Callable
from typing import Any, Final

import codec
from codec.api_keys import ApiKey
from codec.headers import RequestHeader

READ_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of a request that is read field by field; every connection waits while that goes on."""
BLOBS: Final = frozenset({ApiKey.PRODUCE, ApiKey.JOIN_GROUP, ApiKey.SYNC_GROUP})
"""APIs whose requests are large for what they carry, of which little or nothing is read."""
MAX_ASKED: Final = 1000
"""Topics of answers that one connection has a broker asked about."""
_IDS_SINCE: Final[dict[int, int]] = {ApiKey.PRODUCE: 13, ApiKey.FETCH: 13}
"""APIs that name topics by id from these versions on."""


class TopicNames:
    """Knows the topics of one client.

    Args:
        logical_topic: topic id to the name of a topic of the client's own, or None.
    """

    def __init__(self, logical_topic: Callable[[bytes], str | None]) -> None:
        self._logical_topic = logical_topic
        self._asked: set[bytes] = set()
        """Topic ids of answers that a broker was asked about."""

    def read(self, header: RequestHeader, data: Any) -> Any | None:
        """The request with names, or None where it cannot be read: then the broker decides."""
        request = _read(header, data)
        if request is not None and by_id(header):
            for topic in _topics_of(header, request):
                name = self._logical_topic(topic.topic_id)
                if name is None:
                    return None
                _set_name(topic, name)
            for topic in getattr(request, "forgotten_topics_data", None) or ():
                topic.topic = self._logical_topic(topic.topic_id) or ""
        return request

    def unknown(self, header: RequestHeader, data: Any) -> set[bytes]:
        """Ids in a request whose names are not known."""
        request = _read(header, data)
        topics = _topics_of(header, request) if request is not None else ()
        return {t.topic_id for t in topics if self._logical_topic(t.topic_id) is None}

    def name(self, header: RequestHeader, response: Any) -> frozenset[bytes]:
        """Give the topics of a response their names; one that has none known stays without.

        Returns those of them that a broker has not been asked about: a fetch session may be older
        than the interceptor that asks, and its requests do not repeat what it is about.
        """
        unknown = set[bytes]()
        if by_id(header):
            for topic in response.responses or ():
                name = self._logical_topic(topic.topic_id)
                _set_name(topic, name or "")
                if name is None and topic.topic_id not in self._asked:
                    unknown.add(topic.topic_id)
        if len(self._asked) + len(unknown) > MAX_ASKED:
            return frozenset()
        self._asked |= unknown
        return frozenset(unknown)


def by_id(header: RequestHeader) -> bool:
    """Whether the message names topics by id."""
    return header.api_version >= _IDS_SINCE.get(header.api_key, 1 << 15)


def _read(header: RequestHeader, data: Any) -> Any | None:
    if header.body_start is None:
        return None
    if len(data) > READ_LIMIT and header.api_key not in BLOBS:
        return None
    try:
        return codec.decode_request(header.api_key, header.api_version, data, header.body_start)
    except codec.CodecError:
        return None


def _topics_of(header: RequestHeader, request: Any) -> Any:
    """The topics of a decoded Produce or Fetch request."""
    if header.api_key == ApiKey.PRODUCE:
        return request.topic_data or ()
    return request.topics or ()


def _set_name(topic: Any, name: str) -> None:
    """Fetch calls it `topic`, Produce `name`."""
    if hasattr(topic, "topic"):
        topic.topic = name
    else:
        topic.name = name
