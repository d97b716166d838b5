"""Requests on their way to the broker and responses on their way back, for one connection."""

from collections.abc import Callable
from copy import copy
from typing import Any, Final, NamedTuple

import codec
from codec.api_keys import ApiKey
from codec.schema import Response
from sidecar.dataplane.actions import Chunks
from sidecar.dataplane.tenancy.edits import EDITS
from sidecar.dataplane.tenancy.exchange import Exchange, decoded
from sidecar.dataplane.tenancy.fetch_sessions import FetchSessions
from sidecar.dataplane.tenancy.hooks import Advertise, Learning, ToLogical, ToPhysical
from sidecar.dataplane.tenancy.names import Names
from sidecar.dataplane.tenancy.topic_ids import Masks, TopicDirectory

_NEVER: Final = 1 << 15
_PRODUCE_IDS_SINCE: Final = 13
_MINIMUM_ADDRESS_VERSION: Final[dict[int, int]] = {
    # First response versions that carry broker addresses (KIP-951 for Produce and Fetch).
    ApiKey.METADATA: 0,
    ApiKey.FIND_COORDINATOR: 0,
    ApiKey.DESCRIBE_CLUSTER: 0,
    ApiKey.SHARE_FETCH: 0,
    ApiKey.SHARE_ACKNOWLEDGE: 0,
    ApiKey.PRODUCE: 10,
    ApiKey.FETCH: 16,
}
_NAMES_THEN_IDS: Final = frozenset(
    {ApiKey.METADATA, ApiKey.CREATE_TOPICS, ApiKey.DESCRIBE_TOPIC_PARTITIONS}
)
"""Responses in which a topic's name comes right before its id."""


class Mapped(NamedTuple):
    """A request for the broker.

    Args:
        body: with physical names.
        exchange: for `Tenancy.map_response`; None to pass the response untouched.
    """

    body: Chunks
    exchange: Exchange | None


class Tenancy:
    """The mapping of one connection.

    Args:
        names: those of its virtual cluster at this moment.
        advertise: the addresses clients are told.
        directory: which topic an id is of.
    """

    def __init__(
        self, names: Callable[[], Names], advertise: Advertise, directory: TopicDirectory
    ) -> None:
        self._names = names
        self._advertise = advertise
        self._directory = directory
        self.masks = Masks(directory.secret)
        self.fetch_sessions = FetchSessions()
        self.isolates = bool(names().prefix)
        """Whether names are mapped at all; if so, only messages that can be mapped may pass."""

    @property
    def names(self) -> Names:
        """As a request that comes now finds them."""
        return self._names()

    def passes(self, api_key: int, version: int) -> bool:
        """Whether neither the request nor its response holds anything to map."""
        return not self.isolates and version < _MINIMUM_ADDRESS_VERSION.get(api_key, _NEVER)

    def exchange(self, topic: bytes | None) -> Exchange:
        """The context for `map_response` of a request that was mapped and named this one topic."""
        exchange = Exchange(self._names(), self._directory, self.masks)
        if topic is not None:
            exchange.topic_bytes(topic)
        return exchange

    def logical_topic(self, topic_id: bytes) -> str | None:
        """The name of the topic with this id, if it is one of the client's own and known."""
        physical = self._directory.name(topic_id)
        logical = None if physical is None else self._names().logical_topic(physical)
        return None if logical is None else decoded(logical)

    def map_request(self, api_key: int, version: int, body: Any) -> Mapped | Response:
        """The request for the broker, or the response to it if it does not get that far.

        Raises:
            codec.CodecError: the body is malformed, or of an API that cannot be mapped.
        """
        exchange = Exchange(self._names(), self._directory, self.masks)
        if not self.isolates:
            needed = version >= _MINIMUM_ADDRESS_VERSION.get(api_key, _NEVER)
            return Mapped([body], exchange if needed else None)
        if api_key == ApiKey.FETCH:
            body = self.fetch_sessions.admitted(version, body)
            if isinstance(body, Response):
                return body
        edit = EDITS.get(api_key)
        if edit is not None and edit.request is not None:
            request = codec.decode_request(api_key, version, body)
            answer = edit.request(request, version, exchange)
            if answer is not None:
                return answer
            body = codec.encode(request, version)
        chunks = codec.rewrite_request(api_key, version, body, ToPhysical(exchange))
        return Mapped(chunks, exchange)

    def map_decoded(self, api_key: int, version: int, request: Any) -> Mapped:
        """As `map_request`, of a decoded request that comes in the place of one that was mapped.

        Records of a Produce are passed on as they are, and not copied.
        """
        if api_key != ApiKey.PRODUCE:
            mapped = self.map_request(api_key, version, codec.encode(request, version))
            if not isinstance(mapped, Mapped):
                raise codec.CodecError("a request that was mapped is answered when it is changed")
            return mapped
        exchange = Exchange(self._names(), self._directory, self.masks)
        if self.isolates:
            request = _physical_produce(request, version, exchange)
        return Mapped(
            codec.encode_chunks(request, version),
            None if self.passes(api_key, version) else exchange,
        )

    def map_response(self, api_key: int, version: int, body: Any, exchange: Exchange) -> Chunks:
        """Body with logical names and the sidecar's addresses; foreign names are left out.

        Raises:
            codec.CodecError: the body is malformed.
        """
        edit = EDITS.get(api_key) if self.isolates else None
        if self.isolates and api_key == ApiKey.FETCH:
            self.fetch_sessions.learn_from(version, body)
        if edit is not None and edit.response is not None:
            response = codec.decode_response(api_key, version, body)
            edit.response(response, version, exchange)
            body = codec.encode(response, version)
        kind = Learning if api_key in _NAMES_THEN_IDS else ToLogical
        hooks = kind(exchange, self._advertise)
        return codec.rewrite_response(api_key, version, body, hooks)


def _physical_produce(request: Any, version: int, exchange: Exchange) -> Any:
    """A decoded Produce request as the cluster names things; the original stays."""
    physical = copy(request)
    if physical.transactional_id is not None:
        physical.transactional_id = exchange.name(physical.transactional_id)
    physical.topic_data = []
    for topic in request.topic_data:
        renamed = copy(topic)
        if version < _PRODUCE_IDS_SINCE:
            renamed.name = exchange.topic(topic.name)
        else:
            renamed.topic_id = exchange.topic_id(topic.topic_id)
        physical.topic_data.append(renamed)
    return physical
