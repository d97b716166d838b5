"""Which APIs the codec has layouts for. To add one, see codec.messages."""

from dataclasses import dataclass
from typing import cast

from codec.api_keys import FLEXIBLE_SINCE, ApiKey, is_flexible
from codec.errors import UnsupportedVersion
from codec.messages import (
    add_offsets_to_txn,
    add_partitions_to_txn,
    api_versions,
    create_partitions,
    create_topics,
    delete_groups,
    delete_records,
    delete_topics,
    describe_cluster,
    describe_configs,
    describe_groups,
    end_txn,
    fetch,
    find_coordinator,
    heartbeat,
    init_producer_id,
    join_group,
    leave_group,
    list_groups,
    list_offsets,
    metadata,
    offset_commit,
    offset_fetch,
    offset_for_leader_epoch,
    produce,
    sasl_authenticate,
    sasl_handshake,
    sync_group,
    txn_offset_commit,
)
from codec.schema import Message, Request, Response

_MODULES = (
    produce,
    fetch,
    list_offsets,
    metadata,
    offset_commit,
    offset_fetch,
    find_coordinator,
    join_group,
    heartbeat,
    leave_group,
    sync_group,
    describe_groups,
    list_groups,
    sasl_handshake,
    api_versions,
    create_topics,
    delete_topics,
    delete_records,
    init_producer_id,
    offset_for_leader_epoch,
    add_partitions_to_txn,
    add_offsets_to_txn,
    end_txn,
    txn_offset_commit,
    describe_configs,
    sasl_authenticate,
    create_partitions,
    delete_groups,
    describe_cluster,
)


@dataclass(frozen=True, slots=True)
class Api:
    """One API: its key, its versions (both ends inclusive), its two messages.

    `flexible_since` is above every version for an API that never became flexible.
    """

    key: ApiKey
    min_version: int
    max_version: int
    flexible_since: int
    request: type[Request]
    response: type[Response]


def _apis() -> dict[ApiKey, Api]:
    found: dict[ApiKey, dict[bool, type[Message]]] = {}
    for module in _MODULES:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Message) and "VERSIONS" in vars(value):
                found.setdefault(value.API_KEY, {})[value.IS_REQUEST] = value
    return {key: _api(key, pair) for key, pair in found.items()}


def _api(key: ApiKey, pair: dict[bool, type[Message]]) -> Api:
    versions = pair[True].VERSIONS
    return Api(
        key,
        versions.start,
        versions.stop - 1,
        FLEXIBLE_SINCE[key],
        cast(type[Request], pair[True]),
        cast(type[Response], pair[False]),
    )


SUPPORTED: dict[ApiKey, Api] = _apis()


def request_class(api_key: int) -> type[Request]:
    """The request of an API; UnsupportedVersion if the codec does not have it."""
    return _supported(api_key).request


def response_class(api_key: int) -> type[Response]:
    """The response of an API; UnsupportedVersion if the codec does not have it."""
    return _supported(api_key).response


def _supported(api_key: int) -> Api:
    api = SUPPORTED.get(cast(ApiKey, api_key))
    if api is None:
        raise UnsupportedVersion(f"no layout for API key {api_key}")
    return api


__all__ = ["SUPPORTED", "Api", "is_flexible", "request_class", "response_class"]
