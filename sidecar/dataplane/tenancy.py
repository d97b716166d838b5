"""A virtual cluster's names: logical to the client, prefixed on the cluster, and back.

Most messages are rewritten wire to wire by the roles their fields have in the codec's tables; the
few whose names depend on another field are decoded, edited and encoded.
"""

from collections.abc import Callable
from typing import Any, Final

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.errors import DecodeError
from sidecar.dataplane.actions import Chunks

Advertise = Callable[[int, bytes, int], tuple[bytes, int]]
"""Node id, host and port of a broker to the host and port a client is told."""

NAME_LIMIT: Final = 100_000
"""Names in one request: renaming as many takes a quarter of a second, and everybody waits."""
_TOPIC_RESOURCE: Final = 2
_GROUP_RESOURCE: Final = 32
_NEVER: Final = 1 << 15
_MINIMUM_ADDRESS_VERSION: Final[dict[int, int]] = {
    # First response versions that carry broker addresses (KIP-951 for Produce and Fetch).
    ApiKey.METADATA: 0,
    ApiKey.FIND_COORDINATOR: 0,
    ApiKey.DESCRIBE_CLUSTER: 0,
    ApiKey.PRODUCE: 10,
    ApiKey.FETCH: 16,
}


class _Exchange:
    """What the request's mapping knows that the response's needs."""

    __slots__ = ("_lengths", "_prefix", "by_id", "names")

    def __init__(self, prefix: bytes) -> None:
        self._prefix = prefix
        self._lengths: list[int] | None = None
        self.names: dict[bytes, bytes] = {}
        """Physical to logical, of the names this request mentioned; complete before `restore`."""
        self.by_id = False
        """A Metadata request that asked for topics by id."""

    def restore(self, message: bytes) -> bytes:
        """Physical names quoted in a message, replaced by what the client called them.

        Looked up where the prefix stands: a response may hold as many messages as the request
        names, and trying each name on each message would stop everybody's traffic for minutes.
        """
        if not self.names:
            return message
        if self._lengths is None:
            self._lengths = sorted(set(map(len, self.names)), reverse=True)
        pieces = []
        done = 0
        start = message.find(self._prefix)
        while start >= 0:
            physical = self._name_at(message, start)
            if physical:
                pieces += [message[done:start], self.names[physical]]
                done = start + len(physical)
            start = message.find(self._prefix, max(done, start + 1))
        return b"".join([*pieces, message[done:]]) if pieces else message

    def _name_at(self, message: bytes, start: int) -> bytes | None:
        """The longest of the names that begins there."""
        room = len(message) - start
        for length in self._lengths or ():
            if length <= room and (name := message[start : start + length]) in self.names:
                return name
        return None


class Tenancy:
    """The mapping of one virtual cluster.

    Args:
        prefix: what stands before physical names; empty maps addresses only.
        advertise: the addresses clients are told.
    """

    def __init__(self, prefix: str, advertise: Advertise) -> None:
        self._prefix = prefix.encode()
        self._text_prefix = prefix
        self._advertise = advertise

    @property
    def isolates(self) -> bool:
        """Whether names are mapped at all; if so, only messages that can be mapped may pass."""
        return bool(self._prefix)

    @property
    def prefix(self) -> bytes:
        """What stands before physical names; empty where names are not mapped."""
        return self._prefix

    def passes(self, api_key: int, version: int) -> bool:
        """Whether neither the request nor its response holds anything to map."""
        return not self._prefix and version < _MINIMUM_ADDRESS_VERSION.get(api_key, _NEVER)

    def exchange(self, name: bytes) -> Any:
        """The context for `map_response` of a request that named one topic, and was mapped."""
        exchange = _Exchange(self._prefix)
        exchange.names[self._prefix + name] = name
        return exchange

    def map_request(self, api_key: int, version: int, body: Any) -> tuple[Chunks, Any]:
        """Body with physical names, and the context for `map_response` (None: pass it untouched).

        Raises:
            codec.CodecError: the body is malformed, or of an API that cannot be mapped.
        """
        exchange = _Exchange(self._prefix)
        if not self._prefix:
            needed = version >= _MINIMUM_ADDRESS_VERSION.get(api_key, _NEVER)
            return [body], exchange if needed else None
        special = _SPECIAL_REQUESTS.get(api_key)
        if special is not None:
            return special(self, version, body, exchange), exchange
        hooks = _ToPhysical(self._prefix, exchange.names)
        return codec.rewrite_request(api_key, version, body, hooks), exchange

    def map_response(self, api_key: int, version: int, body: Any, exchange: Any) -> Chunks:
        """Body with logical names and the sidecar's addresses; foreign names are left out.

        Raises:
            codec.CodecError: the body is malformed.
        """
        if self._prefix:
            if api_key == ApiKey.DESCRIBE_CONFIGS:
                return self._describe_configs_response(version, body, exchange)
            if api_key == ApiKey.FIND_COORDINATOR:
                return self._find_coordinator_response(version, body, exchange)
            if exchange.by_id:
                return self._metadata_by_id_response(version, body)
        hooks = _ToLogical(self._prefix, exchange, self._advertise)
        return codec.rewrite_response(api_key, version, body, hooks)

    # Messages whose names depend on another field.

    def _physical(self, name: str, exchange: _Exchange) -> str:
        physical = self._text_prefix + name
        exchange.names[_encoded(physical)] = _encoded(name)
        return physical

    def _logical(self, name: str) -> str:
        return name.removeprefix(self._text_prefix)

    def _find_coordinator_request(self, version: int, body: Any, exchange: _Exchange) -> Chunks:
        # Group, transactional id and share key ("group:topic id:partition") all begin with a name.
        request: Any = codec.decode_request(ApiKey.FIND_COORDINATOR, version, body)
        if version >= 4:
            request.coordinator_keys = [
                self._physical(key, exchange) for key in request.coordinator_keys
            ]
        else:
            request.key = self._physical(request.key, exchange)
        return codec.encode_chunks(request, version)

    def _find_coordinator_response(self, version: int, body: Any, exchange: _Exchange) -> Chunks:
        response: Any = codec.decode_response(ApiKey.FIND_COORDINATOR, version, body)
        for place in response.coordinators if version >= 4 else [response]:
            host, port = self._advertise(place.node_id, _encoded(place.host), place.port)
            place.host, place.port = host.decode(), port
            if version >= 4:
                place.key = self._logical(place.key)
            if place.error_message:
                place.error_message = exchange.restore(_encoded(place.error_message)).decode(
                    errors="surrogateescape"
                )
        return codec.encode_chunks(response, version)

    def _describe_configs_request(self, version: int, body: Any, exchange: _Exchange) -> Chunks:
        request: Any = codec.decode_request(ApiKey.DESCRIBE_CONFIGS, version, body)
        for resource in request.resources:
            if resource.resource_type in (_TOPIC_RESOURCE, _GROUP_RESOURCE):
                resource.resource_name = self._physical(resource.resource_name, exchange)
        return codec.encode_chunks(request, version)

    def _describe_configs_response(self, version: int, body: Any, exchange: _Exchange) -> Chunks:
        response: Any = codec.decode_response(ApiKey.DESCRIBE_CONFIGS, version, body)
        for result in response.results:
            if result.resource_type in (_TOPIC_RESOURCE, _GROUP_RESOURCE):
                result.resource_name = self._logical(result.resource_name)
            if result.error_message:
                result.error_message = exchange.restore(_encoded(result.error_message)).decode(
                    errors="surrogateescape"
                )
        return codec.encode_chunks(response, version)

    def _metadata_request(self, version: int, body: Any, exchange: _Exchange) -> Chunks:
        if version >= 10:
            request: Any = codec.decode_request(ApiKey.METADATA, version, body)
            exchange.by_id = any(topic.name is None for topic in request.topics or ())
        hooks = _ToPhysical(self._prefix, exchange.names)
        return codec.rewrite_request(ApiKey.METADATA, version, body, hooks)

    def _metadata_by_id_response(self, version: int, body: Any) -> Chunks:
        response: Any = codec.decode_response(ApiKey.METADATA, version, body)
        for broker in response.brokers:
            host, port = self._advertise(broker.node_id, _encoded(broker.host), broker.port)
            broker.host, broker.port = host.decode(), port
        for topic in response.topics:
            if topic.name is None:
                continue
            if topic.name.startswith(self._text_prefix):
                topic.name = self._logical(topic.name)
            else:
                # Another tenant's: as unknown as one that does not exist.
                topic.error_code = ErrorCode.UNKNOWN_TOPIC_ID
                topic.name = None if version >= 12 else ""
                topic.partitions = []
        return codec.encode_chunks(response, version)


_SPECIAL_REQUESTS: Final[dict[int, Callable[[Tenancy, int, Any, _Exchange], Chunks]]] = {
    ApiKey.FIND_COORDINATOR: Tenancy._find_coordinator_request,
    ApiKey.DESCRIBE_CONFIGS: Tenancy._describe_configs_request,
    ApiKey.METADATA: Tenancy._metadata_request,
}


class _ToPhysical:
    """Hooks of a request: every name gets the prefix, and is remembered."""

    __slots__ = ("_left", "_names", "_prefix")

    def __init__(self, prefix: bytes, names: dict[bytes, bytes]) -> None:
        self._prefix = prefix
        self._names = names
        self._left = NAME_LIMIT

    def topic(self, name: bytes) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise DecodeError(f"it has more than {NAME_LIMIT} names")
        physical = self._prefix + name
        self._names[physical] = name
        return physical

    group = topic
    transactional_id = topic

    def topic_id(self, topic_id: bytes) -> bytes:
        return topic_id

    topic_pattern = topic_id
    transactional_id_pattern = topic_id

    def broker(self, node_id: int, host: bytes, port: int) -> tuple[bytes, int]:
        return host, port

    def text(self, message: bytes) -> bytes:
        return message


class _ToLogical:
    """Hooks of a response: the prefix goes, foreign names go, addresses lead to the sidecar."""

    __slots__ = ("_prefix", "broker", "text")

    def __init__(self, prefix: bytes, exchange: _Exchange, advertise: Advertise) -> None:
        self._prefix = prefix
        self.broker = advertise
        self.text = exchange.restore

    def topic(self, name: bytes) -> bytes | None:
        return name[len(self._prefix) :] if name.startswith(self._prefix) else None

    group = topic
    transactional_id = topic

    def topic_id(self, topic_id: bytes) -> bytes:
        return topic_id

    topic_pattern = topic_id
    transactional_id_pattern = topic_id


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
