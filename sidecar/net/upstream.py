"""The questions the sidecar asks brokers for itself."""

from collections.abc import Iterable
from typing import Any, Final

import gevent

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.metadata import MetadataRequest
from sidecar import __version__
from sidecar.dataplane.addresses import Broker
from sidecar.dataplane.versions import Features, Range, features_of
from sidecar.net.dialing import CLIENT_ID, Dialer, ask

_ANSWER_TIMEOUT: Final = 10.0
"""Seconds to wait for an answer to a question of our own."""
_API_VERSIONS: Final = 4
"""Tells every feature; older brokers answer that they do not know it (KIP-511)."""
_METADATA_VERSION: Final = 1
"""Knows the controller, and brokers of any age speak it."""
_METADATA_BY_ID: Final = 12
"""Whoever speaks of topics by id speaks this (Kafka 3.1)."""
_TOPIC_VERSION: Final = 4
"""The first that can ask for a topic without creating it."""


def ask_versions(dial: Dialer, host: str, port: int) -> tuple[dict[int, Range], Features]:
    """The API versions a broker speaks, and the features of its cluster.

    Raises:
        OSError: not reachable, or no answer in time.
        codec.CodecError: the answer is not Kafka's.
    """
    request = ApiVersionsRequest(
        client_software_name=CLIENT_ID, client_software_version=__version__
    )
    response = _ask(dial, host, port, ApiKey.API_VERSIONS, _API_VERSIONS, request)
    if response.error_code == ErrorCode.UNSUPPORTED_VERSION:
        response = _ask(dial, host, port, ApiKey.API_VERSIONS, 0, ApiVersionsRequest())
    ranges = {entry.api_key: (entry.min_version, entry.max_version) for entry in response.api_keys}
    return ranges, features_of(response)


def ask_brokers(dial: Dialer, host: str, port: int) -> list[Broker]:
    """The brokers of the cluster a broker belongs to, without any topic.

    Raises:
        OSError: not reachable, or no answer in time.
        codec.CodecError: the answer is not Kafka's.
    """
    version = _METADATA_VERSION
    response = _ask(dial, host, port, ApiKey.METADATA, version, MetadataRequest(topics=[]))
    return [Broker(broker.node_id, broker.host, broker.port) for broker in response.brokers]


def ask_topics(
    dial: Dialer, host: str, port: int, topic_ids: Iterable[bytes]
) -> dict[bytes, bytes]:
    """Id to name of those topics that the cluster has.

    Raises:
        OSError: not reachable, or no answer in time.
        codec.CodecError: the answer is not Kafka's.
    """
    topic = MetadataRequest.MetadataRequestTopic
    request = MetadataRequest(
        topics=[topic(topic_id=topic_id, name=None) for topic_id in topic_ids],
        allow_auto_topic_creation=False,
    )
    response = _ask(dial, host, port, ApiKey.METADATA, _METADATA_BY_ID, request)
    return {t.topic_id: t.name.encode() for t in response.topics if t.name is not None}


def ask_topic(dial: Dialer, host: str, port: int, name: str) -> bool | None:
    """Whether the cluster of a broker has a topic; None when the broker cannot say.

    Raises:
        OSError: not reachable, or no answer in time.
        codec.CodecError: the answer is not Kafka's.
    """
    wanted = MetadataRequest(
        topics=[MetadataRequest.MetadataRequestTopic(name=name)], allow_auto_topic_creation=False
    )
    response = _ask(dial, host, port, ApiKey.METADATA, _TOPIC_VERSION, wanted)
    [topic] = response.topics
    return _EXISTS.get(topic.error_code)


_EXISTS: Final = {
    ErrorCode.NONE: True,
    ErrorCode.LEADER_NOT_AVAILABLE: True,
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: False,
    ErrorCode.INVALID_TOPIC_EXCEPTION: False,
}


def _ask(dial: Dialer, host: str, port: int, api_key: ApiKey, version: int, request: Any) -> Any:
    with (
        dial(host, port) as sock,
        gevent.Timeout(_ANSWER_TIMEOUT, TimeoutError("no answer")),
    ):
        return ask(sock, api_key, version, request)
