"""Records and what is known of them: Produce, Fetch, ListOffsets, DeleteRecords, epochs."""

from __future__ import annotations

from codec.api_keys import ApiKey
from tests.kafka.api_matrix.client import Answer
from tests.kafka.api_matrix.records import batch
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import exercise, ok, only
from tests.kafka.api_matrix.tenant import RECORDS, TOPIC, Tenant

LATEST, EARLIEST = -1, -2
#: Timestamps with a meaning, and the first version that knows them: KIP-734, KIP-405, KIP-1005.
SPECIAL_TIMESTAMPS = {LATEST: 1, EARLIEST: 1, -3: 7, -4: 8, -5: 9, -6: 11}


@exercise(ApiKey.PRODUCE)
def produce(tenant: Tenant, version: int) -> None:
    """Two records into a topic of this version."""
    topic = f"produced-{version}"
    tenant.create(topic)
    part = {"index": 0, "records": batch([tenant.marker] * 2)}
    data = [{**tenant.named(topic), "partition_data": [part]}]
    values = {"acks": -1, "timeout_ms": 10000, "topic_data": data}
    for expected in (0, 2):
        answer = ok(tenant.ask(ApiKey.PRODUCE, version, values, node=1))
        entry = only(answer["responses"])
        assert tenant.is_named(entry, topic)
        assert only(entry["partition_responses"])["base_offset"] == expected


def fetch_request(
    tenant: Tenant, version: int, partitions: dict[int, int], **session: int
) -> Plain:
    """A Fetch of `partitions` (to the offset to begin at) of the common topic."""
    wanted = [
        {"partition": partition, "fetch_offset": offset, "partition_max_bytes": 1 << 20}
        for partition, offset in partitions.items()
    ]
    topic = {"topic": TOPIC, "topic_id": tenant.ids[TOPIC], "partitions": wanted}
    limits = {"max_wait_ms": 20, "min_bytes": 1, "max_bytes": 1 << 20}
    return {**limits, "topics": [topic] if wanted else [], **session}


def _records(tenant: Tenant, answer: Answer) -> int:
    """How many markers an answer holds, all of them under the right name."""
    total = 0
    for entry in answer["responses"]:
        assert tenant.is_named(entry)
        total += sum((part["records"] or b"").count(tenant.marker) for part in entry["partitions"])
    return total


@exercise(ApiKey.FETCH)
def fetch(tenant: Tenant, version: int) -> None:
    """Without a session; then with one: full, unchanged, and with the partition given up."""
    sessionless = fetch_request(tenant, version, {1: 0}, session_id=0, session_epoch=-1)
    assert _records(tenant, ok(tenant.ask(ApiKey.FETCH, version, sessionless, node=2))) == RECORDS
    if version < 7:
        return
    first = fetch_request(tenant, version, {1: 2}, session_id=0, session_epoch=0)
    answer = ok(tenant.ask(ApiKey.FETCH, version, first, node=2))
    assert _records(tenant, answer) >= RECORDS - 2
    session = answer["session_id"]
    assert session > 0
    moved = fetch_request(tenant, version, {1: RECORDS}, session_id=session, session_epoch=1)
    assert _records(tenant, ok(tenant.ask(ApiKey.FETCH, version, moved, node=2))) == 0
    unchanged = fetch_request(tenant, version, {}, session_id=session, session_epoch=2)
    assert ok(tenant.ask(ApiKey.FETCH, version, unchanged, node=2))["responses"] == []
    rewound = fetch_request(tenant, version, {1: 0}, session_id=session, session_epoch=3)
    assert _records(tenant, ok(tenant.ask(ApiKey.FETCH, version, rewound, node=2))) == RECORDS
    gone = {"topic": TOPIC, "topic_id": tenant.ids[TOPIC], "partitions": [1]}
    forgetting = fetch_request(tenant, version, {}, session_id=session, session_epoch=4)
    forgetting["forgotten_topics_data"] = [gone]
    answer = ok(tenant.ask(ApiKey.FETCH, version, forgetting, node=2))
    assert answer["responses"] == []
    closing = fetch_request(tenant, version, {}, session_id=session, session_epoch=-1)
    ok(tenant.ask(ApiKey.FETCH, version, closing, node=2))


@exercise(ApiKey.LIST_OFFSETS)
def list_offsets(tenant: Tenant, version: int) -> None:
    """All timestamps with a meaning that the version knows."""
    for timestamp, since in SPECIAL_TIMESTAMPS.items():
        if version < since:
            continue
        part = {"partition_index": 1, "timestamp": timestamp}
        topics = [{"name": TOPIC, "partitions": [part]}]
        values = {"replica_id": -1, "topics": topics, "timeout_ms": 5000}
        entry = only(ok(tenant.ask(ApiKey.LIST_OFFSETS, version, values, node=2))["topics"])
        assert tenant.is_named(entry)
        offset = only(entry["partitions"])["offset"]
        if timestamp in (LATEST, EARLIEST):
            assert offset == {LATEST: RECORDS, EARLIEST: 0}[timestamp]


@exercise(ApiKey.DELETE_RECORDS)
def delete_records(tenant: Tenant, version: int) -> None:
    """All but one record of a topic of this version."""
    topic = f"shortened-{version}"
    tenant.create(topic)
    tenant.produce(topic, [tenant.marker] * RECORDS)
    part = {"partition_index": 0, "offset": RECORDS - 1}
    values = {"topics": [{"name": topic, "partitions": [part]}], "timeout_ms": 10000}
    entry = only(ok(tenant.ask(ApiKey.DELETE_RECORDS, version, values, node=1))["topics"])
    assert tenant.is_named(entry, topic)
    assert only(entry["partitions"])["low_watermark"] == RECORDS - 1


@exercise(ApiKey.OFFSET_FOR_LEADER_EPOCH)
def offset_for_leader_epoch(tenant: Tenant, version: int) -> None:
    """The end of the first epoch."""
    part = {"partition": 2, "current_leader_epoch": -1, "leader_epoch": 0}
    values = {"replica_id": -1, "topics": [{"topic": TOPIC, "partitions": [part]}]}
    answer = ok(tenant.ask(ApiKey.OFFSET_FOR_LEADER_EPOCH, version, values, node=3))
    entry = only(answer["topics"])
    assert tenant.is_named(entry)
    assert only(entry["partitions"])["end_offset"] == RECORDS
