"""Share groups (KIP-932): membership, records shared out and acknowledged, offsets managed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from codec.api_keys import ApiKey
from tests.kafka.api_matrix.client import Answer
from tests.kafka.api_matrix.configs import GROUP_RESOURCE, described, set_config
from tests.kafka.api_matrix.groups import GROUP
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import exercise, ok, only, same
from tests.kafka.api_matrix.tenant import RECORDS, TOPIC, Tenant

HEARTBEAT = 1
LAG_SINCE = 1
LEAVE = -1
NOT_READ = -1
ACCEPT = 1
RESET = "share.auto.offset.reset"


@dataclass
class Sharer:
    """A member of a share group, with a share session at broker 1."""

    group: str
    member_id: str
    member_epoch: int
    node: int
    session_epoch: int = 0

    def fields(self) -> Plain:
        """What its heartbeats say of it."""
        return {
            "group_id": self.group,
            "member_id": self.member_id,
            "member_epoch": self.member_epoch,
        }


def joined(tenant: Tenant, group: str) -> Sharer:
    """A member that has been assigned the common topic, in a group that reads from the start."""
    tenant.renew(1)  # a share session belongs to a connection
    set_config(tenant, GROUP_RESOURCE, group, RESET, "earliest")
    # The partition's leader learns of it later than others, and would begin at the end.
    tenant.until(
        lambda: described(tenant, 4, GROUP_RESOURCE, group, RESET, node=1),
        lambda value: value == "earliest",
    )
    member = Sharer(group, str(uuid4()), 0, tenant.coordinator(group, GROUP))
    first = {**member.fields(), "subscribed_topic_names": [TOPIC]}
    answer = tenant.settled(ApiKey.SHARE_GROUP_HEARTBEAT, HEARTBEAT, first, member.node)
    member.member_epoch = ok(answer)["member_epoch"]

    def beat() -> Answer:
        told = ok(tenant.ask(ApiKey.SHARE_GROUP_HEARTBEAT, HEARTBEAT, member.fields(), member.node))
        member.member_epoch = told["member_epoch"]
        return told

    while not (answer["assignment"] or {}).get("topic_partitions"):
        answer = tenant.until(beat, lambda told: bool(told["assignment"]))
    assert only(answer["assignment"]["topic_partitions"])["topic_id"] == tenant.ids[TOPIC]
    return member


def left(tenant: Tenant, member: Sharer) -> None:
    """Leave the group."""
    values = {**member.fields(), "member_epoch": LEAVE}
    ok(tenant.ask(ApiKey.SHARE_GROUP_HEARTBEAT, HEARTBEAT, values, member.node))


def _partition(tenant: Tenant, acknowledged: list[Plain]) -> list[Plain]:
    part = {"partition_index": 0, "acknowledgement_batches": acknowledged}
    return [{"topic_id": tenant.ids[TOPIC], "partitions": [part]}]


def _fetch(tenant: Tenant, member: Sharer, version: int, acknowledged: list[Plain]) -> Any:
    values = {
        "group_id": member.group,
        "member_id": member.member_id,
        "share_session_epoch": member.session_epoch,
        "max_wait_ms": 200,
        "min_bytes": 1,
        "max_records": 500,
        "batch_size": 500,
        "topics": _partition(tenant, acknowledged),
    }
    answer = ok(tenant.ask(ApiKey.SHARE_FETCH, version, values, node=1))
    member.session_epoch += 1
    for endpoint in answer["node_endpoints"]:
        place = (endpoint["node_id"], endpoint["host"], endpoint["port"])
        assert place in tenant.addresses, place
    return answer


def acquired(tenant: Tenant, member: Sharer, version: int) -> list[Plain]:
    """Fetch until records come; the batches to acknowledge."""
    answer = tenant.until(
        lambda: _fetch(tenant, member, version, []),
        lambda told: any(p["acquired_records"] for t in told["responses"] for p in t["partitions"]),
    )
    entry = only(answer["responses"])
    assert entry["topic_id"] == tenant.ids[TOPIC]
    part = only(entry["partitions"])
    assert part["records"].count(tenant.marker) == RECORDS
    ranges = [(each["first_offset"], each["last_offset"]) for each in part["acquired_records"]]
    return [
        {"first_offset": first, "last_offset": last, "acknowledge_types": [ACCEPT]}
        for first, last in ranges
    ]


@exercise(ApiKey.SHARE_GROUP_HEARTBEAT)
def share_group_heartbeat(tenant: Tenant, version: int) -> None:
    """Join, get the topic, leave."""
    assert version == HEARTBEAT
    left(tenant, joined(tenant, f"sharing-{version}"))


@exercise(ApiKey.SHARE_GROUP_DESCRIBE)
def share_group_describe(tenant: Tenant, version: int) -> None:
    """A group with one member."""
    member = joined(tenant, f"share-described-{version}")
    values = {"group_ids": [member.group], "include_authorized_operations": True}
    answer = ok(tenant.ask(ApiKey.SHARE_GROUP_DESCRIBE, version, values, member.node))
    entry = only(answer["groups"])
    assert entry["group_id"] == member.group
    one = only(entry["members"])
    assert one["subscribed_topic_names"] == [TOPIC]
    given = only(one["assignment"]["topic_partitions"])
    assert tenant.is_named(given)
    left(tenant, member)


@exercise(ApiKey.SHARE_FETCH)
def share_fetch(tenant: Tenant, version: int) -> None:
    """All records of a partition, acknowledged with the next fetch."""
    member = joined(tenant, f"share-fetched-{version}")
    batches = acquired(tenant, member, version)
    answer = _fetch(tenant, member, version, batches)
    part = only(only(answer["responses"])["partitions"])
    assert not part["acquired_records"], part
    left(tenant, member)


@exercise(ApiKey.SHARE_ACKNOWLEDGE)
def share_acknowledge(tenant: Tenant, version: int) -> None:
    """All records of a partition, acknowledged on their own; the group has moved behind them."""
    member = joined(tenant, f"acknowledged-{version}")
    batches = acquired(tenant, member, 1)
    values = {
        "group_id": member.group,
        "member_id": member.member_id,
        "share_session_epoch": member.session_epoch,
        "topics": _partition(tenant, batches),
    }
    answer = ok(tenant.ask(ApiKey.SHARE_ACKNOWLEDGE, version, values, node=1))
    assert only(answer["responses"])["topic_id"] == tenant.ids[TOPIC]
    _consumed_all(tenant, member)
    left(tenant, member)


def _emptied(tenant: Tenant, group: str) -> int:
    """A share group that had a member, and so has offsets; the coordinator's node."""
    member = joined(tenant, group)
    left(tenant, member)
    return member.node


def _offsets(tenant: Tenant, group: str, version: int, node: int, *, everything: bool) -> Any:
    topics = None if everything else [{"topic_name": TOPIC, "partitions": [0]}]
    values = {"groups": [{"group_id": group, "topics": topics}]}
    answer = ok(tenant.ask(ApiKey.DESCRIBE_SHARE_GROUP_OFFSETS, version, values, node))
    entry = only(answer["groups"])
    assert entry["group_id"] == group
    for topic in entry["topics"]:
        assert tenant.is_named(topic)
    return entry["topics"]


def _consumed_all(tenant: Tenant, member: Sharer) -> None:
    """Wait until the group is said to lag no more; its start offset is written down later."""
    tenant.until(
        lambda: _offsets(tenant, member.group, LAG_SINCE, member.node, everything=False),
        lambda topics: [p["lag"] for t in topics for p in t["partitions"]] == [0],
    )


def _start(topics: Any) -> int:
    """The start offset of partition 0, the only one that is consumed."""
    parts = [p for topic in topics for p in topic["partitions"] if p["partition_index"] == 0]
    return int(only(parts)["start_offset"])


@exercise(ApiKey.DESCRIBE_SHARE_GROUP_OFFSETS)
def describe_share_group_offsets(tenant: Tenant, version: int) -> None:
    """Of one partition, and of all there are."""
    group = f"share-offsets-{version}"
    node = _emptied(tenant, group)
    for everything in (False, True):
        topics = _offsets(tenant, group, version, node, everything=everything)
        assert _start(topics) == NOT_READ, topics


@exercise(ApiKey.ALTER_SHARE_GROUP_OFFSETS)
def alter_share_group_offsets(tenant: Tenant, version: int) -> None:
    """Back to record 2, which is then told."""
    group = f"share-altered-{version}"
    node = _emptied(tenant, group)
    part = {"partition_index": 0, "start_offset": 2}
    topics = [{"topic_name": TOPIC, "partitions": [part]}]
    values = {"group_id": group, "topics": topics}
    answer = ok(tenant.ask(ApiKey.ALTER_SHARE_GROUP_OFFSETS, version, values, node))
    assert tenant.is_named(only(answer["responses"]))
    told = _offsets(tenant, group, 0, node, everything=False)
    assert _start(told) == 2, told


@exercise(ApiKey.DELETE_SHARE_GROUP_OFFSETS)
def delete_share_group_offsets(tenant: Tenant, version: int) -> None:
    """Of the only topic; then none is told."""
    group = f"share-deleted-{version}"
    node = _emptied(tenant, group)
    values = {"group_id": group, "topics": [{"topic_name": TOPIC}]}
    answer = ok(tenant.ask(ApiKey.DELETE_SHARE_GROUP_OFFSETS, version, values, node))
    assert tenant.is_named(only(answer["responses"]))
    same(_offsets(tenant, group, 0, node, everything=True), [], "offsets left")
