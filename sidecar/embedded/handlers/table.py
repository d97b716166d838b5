"""The explicit table of what a broker answers: API, versions, handler."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from codec import Message
from codec.api_keys import ApiKey
from codec.messages.api_versions import ApiVersionsRequest, ApiVersionsResponse
from codec.registry import SUPPORTED
from sidecar.embedded.handlers import (
    api_versions,
    configs,
    fetch,
    group_admin,
    group_offsets,
    membership,
    metadata,
    offsets,
    produce,
    producer_ids,
    topic_admin,
)
from sidecar.embedded.handlers.context import Context


@dataclass(frozen=True, slots=True)
class Handler:
    """What answers an API, and in which versions (both ends inclusive)."""

    min_version: int
    max_version: int
    handle: Callable[[Any, Context], Message | None]
    """Takes the decoded request; None means that the request has no response."""
    advertised_from: int | None = None
    """Lowest version offered, where that is lower than what is served."""


def _api_versions(request: ApiVersionsRequest, context: Context) -> ApiVersionsResponse:
    return api_versions.api_versions(request, context.version, OFFERED)


HANDLERS: Mapping[ApiKey, Handler] = {
    # Kafka 4 offers Produce from 0 and serves it from 3: librdkafka before 2.3 takes a higher
    # minimum for a broker that cannot store compressed batches (KAFKA-18659).
    ApiKey.PRODUCE: Handler(3, 13, produce.produce, advertised_from=0),
    ApiKey.FETCH: Handler(4, 18, fetch.fetch),
    ApiKey.LIST_OFFSETS: Handler(1, 10, offsets.list_offsets),
    ApiKey.METADATA: Handler(0, 13, metadata.metadata),
    ApiKey.OFFSET_COMMIT: Handler(2, 10, group_offsets.offset_commit),
    ApiKey.OFFSET_FETCH: Handler(1, 10, group_offsets.offset_fetch),
    ApiKey.FIND_COORDINATOR: Handler(0, 6, group_admin.find_coordinator),
    ApiKey.JOIN_GROUP: Handler(0, 9, membership.join_group),
    ApiKey.HEARTBEAT: Handler(0, 4, membership.heartbeat),
    ApiKey.LEAVE_GROUP: Handler(0, 5, membership.leave_group),
    ApiKey.SYNC_GROUP: Handler(0, 5, membership.sync_group),
    ApiKey.DESCRIBE_GROUPS: Handler(0, 6, group_admin.describe_groups),
    ApiKey.LIST_GROUPS: Handler(0, 5, group_admin.list_groups),
    ApiKey.API_VERSIONS: Handler(0, 4, _api_versions),
    ApiKey.CREATE_TOPICS: Handler(2, 7, topic_admin.create_topics),
    ApiKey.DELETE_TOPICS: Handler(1, 6, topic_admin.delete_topics),
    ApiKey.INIT_PRODUCER_ID: Handler(0, 5, producer_ids.init_producer_id),
    ApiKey.OFFSET_FOR_LEADER_EPOCH: Handler(2, 4, offsets.offset_for_leader_epoch),
    ApiKey.DESCRIBE_CONFIGS: Handler(1, 4, configs.describe_configs),
    ApiKey.CREATE_PARTITIONS: Handler(0, 3, topic_admin.create_partitions),
    ApiKey.DELETE_GROUPS: Handler(0, 2, group_admin.delete_groups),
    ApiKey.DESCRIBE_CLUSTER: Handler(0, 2, metadata.describe_cluster),
}

OFFERED: Mapping[ApiKey, tuple[int, int]] = {
    key: (
        handler.min_version if handler.advertised_from is None else handler.advertised_from,
        handler.max_version,
    )
    for key, handler in HANDLERS.items()
}
"""Versions as ApiVersions tells them."""


def unreadable(offered: Mapping[ApiKey, tuple[int, int]]) -> list[str]:
    """The APIs of `offered` whose versions the codec cannot all read; empty if all is well."""
    return [
        key.name
        for key, (low, high) in offered.items()
        if key not in SUPPORTED
        or not SUPPORTED[key].min_version <= low <= high <= SUPPORTED[key].max_version
    ]
