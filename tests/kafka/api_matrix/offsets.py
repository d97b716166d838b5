"""Committed offsets, and who keeps them."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from codec.api_keys import ApiKey
from tests.kafka.api_matrix.groups import GROUP
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import exercise, ok, only, same
from tests.kafka.api_matrix.tenant import TOPIC, WAITING, Tenant

TRANSACTION, SHARE = 1, 2
METADATA_TEXT = "a note"


def commit(tenant: Tenant, group: str, offset: int, version: int = 9) -> int:
    """Commit an offset for partition 1 as a client without membership; the coordinator's node."""
    node = tenant.coordinator(group, GROUP)
    part = {"partition_index": 1, "committed_offset": offset, "committed_metadata": METADATA_TEXT}
    topic = {**tenant.named(), "partitions": [part]}
    values = {"group_id": group, "member_id": "", "topics": [topic]}
    answer = tenant.until(
        lambda: tenant.ask(ApiKey.OFFSET_COMMIT, version, values, node),
        lambda found: only(only(found["topics"])["partitions"])["error_code"] not in WAITING,
    )
    assert tenant.is_named(only(ok(answer)["topics"]))
    return node


@exercise(ApiKey.OFFSET_COMMIT)
def offset_commit(tenant: Tenant, version: int) -> None:
    """Without membership; read back."""
    group = f"committed-{version}"
    node = commit(tenant, group, version, version)
    assert _fetched(tenant, group, 9, node, everything=False) == version


@exercise(ApiKey.OFFSET_FETCH)
def offset_fetch(tenant: Tenant, version: int) -> None:
    """The partition that was committed; and all there are, for versions that can ask so."""
    group = f"fetched-{version}"
    node = commit(tenant, group, 3)
    assert _fetched(tenant, group, version, node, everything=False) == 3
    if version >= 2:
        assert _fetched(tenant, group, version, node, everything=True) == 3


def _fetched(tenant: Tenant, group: str, version: int, node: int, *, everything: bool) -> int:
    wanted = [{**tenant.named(), "partition_indexes": [1]}]
    topics = None if everything else wanted
    single: Plain = {"group_id": group, "topics": None if topics is None else _names(wanted)}
    values = {**single, "groups": [{"group_id": group, "topics": topics}], "require_stable": True}
    answer = ok(tenant.ask(ApiKey.OFFSET_FETCH, version, values, node))
    if version >= 8:
        found = only(answer["groups"])
        assert found["group_id"] == group
    else:
        found = answer.body
    entry = only(found["topics"])
    assert tenant.is_named(entry)
    part = only(entry["partitions"])
    assert part["metadata"] == METADATA_TEXT
    return int(part["committed_offset"])


def _names(topics: list[Plain]) -> list[Plain]:
    """The layout up to version 7, which has names only."""
    return [{key: value for key, value in each.items() if key != "topic_id"} for each in topics]


@exercise(ApiKey.FIND_COORDINATOR)
def find_coordinator(tenant: Tenant, version: int) -> None:
    """Of a group, a transactional id and a share group's partition, as the version allows."""
    share_key = f"shared:{_kafka_uuid(tenant.ids[TOPIC])}:0"
    keys = {GROUP: "some-group", TRANSACTION: "some-id", SHARE: share_key}
    newest = {GROUP: 0, TRANSACTION: 1, SHARE: 6}
    for kind, key in keys.items():
        if version >= newest[kind]:
            _find(tenant, version, kind, key)


def _find(tenant: Tenant, version: int, kind: int, key: str) -> None:
    values = {"key": key, "key_type": kind, "coordinator_keys": [key]}
    answer = tenant.until(
        lambda: tenant.ask(ApiKey.FIND_COORDINATOR, version, values),
        lambda answer: (answer["coordinators"][0] if version >= 4 else answer)["error_code"] == 0,
    )
    place = only(answer["coordinators"]) if version >= 4 else answer.body
    assert place.get("key", key) == key, place
    assert (place["node_id"], place["host"], place["port"]) in tenant.addresses, place


def _kafka_uuid(raw: bytes) -> str:
    """A topic id in Kafka's spelling."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


@exercise(ApiKey.OFFSET_DELETE)
def offset_delete(tenant: Tenant, version: int) -> None:
    """One committed offset; nothing is left."""
    group = f"forgotten-{version}"
    node = commit(tenant, group, 2)
    topic = {"name": TOPIC, "partitions": [{"partition_index": 1}]}
    values = {"group_id": group, "topics": [topic]}
    entry = only(ok(tenant.ask(ApiKey.OFFSET_DELETE, version, values, node))["topics"])
    assert tenant.is_named(entry)
    left = {"groups": [{"group_id": group, "topics": None}]}
    answer = tenant.ask(ApiKey.OFFSET_FETCH, 8, left, node)
    same([topic["name"] for topic in only(answer["groups"])["topics"]], [], "offsets left")
