"""Groups of KIP-848, whose members the coordinator assigns to, and of KIP-1071 (Streams)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from codec.api_keys import ApiKey
from tests.kafka.api_matrix.groups import GROUP
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import exercise, ok, only
from tests.kafka.api_matrix.tenant import PARTITIONS, TOPIC, Tenant

LEAVE = -1
Beat = tuple[Plain, int]


def joined(tenant: Tenant, group: str, version: int, **subscribed: Any) -> Beat:
    """A member of a KIP-848 group with all partitions of the topic: its fields, and the node."""
    node = tenant.coordinator(group, GROUP)
    member = {"group_id": group, "member_id": str(uuid4())}
    first = {**member, "member_epoch": 0, "rebalance_timeout_ms": 30000, "topic_partitions": []}
    answer = tenant.settled(ApiKey.CONSUMER_GROUP_HEARTBEAT, version, {**first, **subscribed}, node)
    member["member_id"] = ok(answer)["member_id"]

    def beat() -> Any:
        again = {**member, "member_epoch": answer["member_epoch"]}
        return ok(tenant.ask(ApiKey.CONSUMER_GROUP_HEARTBEAT, version, again, node))

    while not (answer["assignment"] or {}).get("topic_partitions"):
        answer = tenant.until(beat, lambda told: bool(told["assignment"]))
    given = only(answer["assignment"]["topic_partitions"])
    assert given == {"topic_id": tenant.ids[TOPIC], "partitions": list(range(PARTITIONS))}, given
    owned = {**member, "member_epoch": answer["member_epoch"], "topic_partitions": [given]}
    answer = ok(tenant.ask(ApiKey.CONSUMER_GROUP_HEARTBEAT, version, owned, node))
    return {**member, "member_epoch": answer["member_epoch"]}, node


def left(tenant: Tenant, member: Plain, version: int, node: int) -> None:
    """Leave a KIP-848 group."""
    leaving = {**member, "member_epoch": LEAVE}
    ok(tenant.ask(ApiKey.CONSUMER_GROUP_HEARTBEAT, version, leaving, node))


@exercise(ApiKey.CONSUMER_GROUP_HEARTBEAT)
def consumer_group_heartbeat(tenant: Tenant, version: int) -> None:
    """Subscribed by name, and from version 1 on by a regular expression that fits this topic."""
    member, node = joined(tenant, f"new-{version}", version, subscribed_topic_names=[TOPIC])
    left(tenant, member, version, node)
    if version >= 1:
        for number, pattern in enumerate(("or[d]ers", "^orders$", "nothing|orders")):
            group = f"regex-{version}-{number}"
            member, node = joined(tenant, group, version, subscribed_topic_regex=pattern)
            left(tenant, member, version, node)


@exercise(ApiKey.CONSUMER_GROUP_DESCRIBE)
def consumer_group_describe(tenant: Tenant, version: int) -> None:
    """One member by name and one by pattern, which is told as it was given."""
    pattern = "ord(ers|inals)"
    subscriptions: list[Plain] = [{"subscribed_topic_names": [TOPIC]}]
    subscriptions += [{"subscribed_topic_regex": pattern}]
    for number, subscribed in enumerate(subscriptions):
        group = f"new-described-{version}-{number}"
        member, node = joined(tenant, group, 1, **subscribed)
        values = {"group_ids": [group], "include_authorized_operations": True}
        answer = ok(tenant.ask(ApiKey.CONSUMER_GROUP_DESCRIBE, version, values, node))
        entry = only(answer["groups"])
        assert entry["group_id"] == group
        one = only(entry["members"])
        assert one["subscribed_topic_names"] == subscribed.get("subscribed_topic_names", []), one
        assert (one["subscribed_topic_regex"] or None) == subscribed.get("subscribed_topic_regex")
        for each in ("assignment", "target_assignment"):
            given = only(one[each]["topic_partitions"])
            assert (given["topic_name"], given["topic_id"]) == (TOPIC, tenant.ids[TOPIC]), given
        left(tenant, member, 1, node)


def topology() -> Plain:
    """One subtopology that reads the common topic and keeps a changelog."""
    changelog = {"name": "app-store-changelog", "partitions": 0, "replication_factor": 1}
    return {
        "epoch": 0,
        "subtopologies": [
            {
                "subtopology_id": "0",
                "source_topics": [TOPIC],
                "state_changelog_topics": [changelog],
            }
        ],
    }


def _streams_member(tenant: Tenant, group: str) -> Beat:
    """A member of a Streams group with all tasks."""
    node = tenant.coordinator(group, GROUP)
    member: Plain = {"group_id": group, "member_id": str(uuid4())}
    tasks: Plain = {"active_tasks": [], "standby_tasks": [], "warmup_tasks": []}
    first = {
        **member,
        **tasks,
        "member_epoch": 0,
        "rebalance_timeout_ms": 30000,
        "topology": topology(),
        "process_id": "process",
        "client_tags": [],
    }
    answer = ok(tenant.settled(ApiKey.STREAMS_GROUP_HEARTBEAT, 0, first, node))

    def beat() -> Any:
        again = {**member, "member_epoch": answer["member_epoch"]}
        return ok(tenant.ask(ApiKey.STREAMS_GROUP_HEARTBEAT, 0, again, node))

    while not answer["active_tasks"]:
        answer = tenant.until(beat, lambda told: bool(told["active_tasks"]))
    given = only(answer["active_tasks"])
    assert sorted(given["partitions"]) == list(range(PARTITIONS)), given
    return {**member, "member_epoch": answer["member_epoch"]}, node


def _streams_leave(tenant: Tenant, member: Plain, node: int) -> None:
    leaving = {**member, "member_epoch": LEAVE}
    ok(tenant.ask(ApiKey.STREAMS_GROUP_HEARTBEAT, 0, leaving, node))


@exercise(ApiKey.STREAMS_GROUP_HEARTBEAT)
def streams_group_heartbeat(tenant: Tenant, version: int) -> None:
    """Join, get all tasks, leave; the changelog topic comes into being under its logical name."""
    member, node = _streams_member(tenant, f"streaming-{version}")
    wanted = {"topics": [{"name": "app-store-changelog"}]}
    entry = tenant.until(
        lambda: only(tenant.ask(ApiKey.METADATA, 10, wanted)["topics"]),
        lambda entry: entry["error_code"] == 0,
    )
    tenant.ids[entry["name"]] = entry["topic_id"]
    _streams_leave(tenant, member, node)


@exercise(ApiKey.STREAMS_GROUP_DESCRIBE)
def streams_group_describe(tenant: Tenant, version: int) -> None:
    """The topology as it was given."""
    group = f"streaming-described-{version}"
    member, node = _streams_member(tenant, group)
    values = {"group_ids": [group], "include_authorized_operations": True}
    entry = only(ok(tenant.ask(ApiKey.STREAMS_GROUP_DESCRIBE, version, values, node))["groups"])
    assert entry["group_id"] == group
    told = only(entry["topology"]["subtopologies"])
    given = topology()["subtopologies"][0]
    assert told["source_topics"] == given["source_topics"]
    changelog = only(told["state_changelog_topics"])
    assert changelog["name"] == given["state_changelog_topics"][0]["name"]
    _streams_leave(tenant, member, node)
