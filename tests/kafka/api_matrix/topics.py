"""Topics and the cluster: Metadata, creation, deletion, growth, paging."""

from __future__ import annotations

from typing import Any

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import exercise, ok, only, same
from tests.kafka.api_matrix.tenant import PARTITIONS, TOPIC, Tenant

BY_ID_SINCE = 12


def _check_brokers(tenant: Tenant, brokers: list[Plain], node: str) -> None:
    told = {(each[node], each["host"], each["port"]) for each in brokers}
    assert told == tenant.addresses, told


@exercise(ApiKey.METADATA)
def metadata(tenant: Tenant, version: int) -> None:
    """One topic by name, everything, nothing, and one topic by id."""
    asked: dict[str, Any] = {"one": [{"name": TOPIC}], "all": [] if version == 0 else None}
    if version > 0:
        asked["none"] = []
    if version >= BY_ID_SINCE:
        asked["by id"] = [{"name": None, "topic_id": tenant.ids[TOPIC]}]
    for what, topics in asked.items():
        answer = ok(tenant.ask(ApiKey.METADATA, version, {"topics": topics}))
        _check_brokers(tenant, answer["brokers"], "node_id")
        names = [topic["name"] for topic in answer["topics"]]
        if what == "all":
            same(names, tenant.ids, "all topics")
        else:
            same(names, [] if what == "none" else [TOPIC], what)
        for topic in answer["topics"]:
            assert topic.get("topic_id", tenant.ids[topic["name"]]) == tenant.ids[topic["name"]]
            assert not topic.get("is_internal", False)
            if topic["name"] == TOPIC:
                assert len(topic["partitions"]) == PARTITIONS


def creation(topic: str, **more: Any) -> Plain:
    """A CreateTopics request for one topic."""
    configs = [{"name": "retention.ms", "value": "3600000"}]
    one = {"name": topic, "num_partitions": 1, "replication_factor": 1, "configs": configs}
    return {"topics": [one], "timeout_ms": 20000, **more}


@exercise(ApiKey.CREATE_TOPICS)
def create_topics(tenant: Tenant, version: int) -> None:
    """Only validated, really made, and a second time, which is refused in logical words."""
    topic = f"created-{version}"
    trial = ok(tenant.ask(ApiKey.CREATE_TOPICS, version, creation(topic, validate_only=True)))
    assert only(trial["topics"])["name"] == topic
    made = only(ok(tenant.ask(ApiKey.CREATE_TOPICS, version, creation(topic)))["topics"])
    assert made["name"] == topic
    again = only(tenant.ask(ApiKey.CREATE_TOPICS, version, creation(topic))["topics"])
    assert (again["name"], again["error_code"]) == (topic, ErrorCode.TOPIC_ALREADY_EXISTS)
    assert f"'{topic}'" in again["error_message"], again
    named = {"topics": [{"name": topic}]}
    listed = tenant.until(
        lambda: only(tenant.ask(ApiKey.METADATA, 10, named)["topics"]),
        lambda entry: entry["error_code"] == 0,
    )
    assert made.get("topic_id", listed["topic_id"]) == listed["topic_id"]
    tenant.ids[topic] = listed["topic_id"]


@exercise(ApiKey.DELETE_TOPICS)
def delete_topics(tenant: Tenant, version: int) -> None:
    """By name, and by id where the version can."""
    kinds = ["name", "id"] if version >= 6 else ["name"]
    for kind in kinds:
        topic = f"deleted-{version}-by-{kind}"
        topic_id = tenant.create(topic)
        one = {"name": topic} if kind == "name" else {"name": None, "topic_id": topic_id}
        values = {"topics": [one], "topic_names": [topic], "timeout_ms": 20000}
        entry = only(ok(tenant.ask(ApiKey.DELETE_TOPICS, version, values))["responses"])
        del tenant.ids[topic]
        assert entry["name"] == topic, entry
        assert entry.get("topic_id", topic_id) == topic_id
        _gone(tenant, topic)


def _gone(tenant: Tenant, topic: str) -> None:
    """Wait until no broker knows a topic any more."""
    named = {"topics": [{"name": topic}], "allow_auto_topic_creation": False}
    for node, _, _ in tenant.addresses:
        tenant.until(
            lambda node=node: only(tenant.ask(ApiKey.METADATA, 9, named, node)["topics"]),
            lambda entry: entry["error_code"] == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        )


@exercise(ApiKey.CREATE_PARTITIONS)
def create_partitions(tenant: Tenant, version: int) -> None:
    """From one to two, and not back to one."""
    topic = f"grown-{version}"
    tenant.create(topic)
    wanted = {"name": topic, "count": 2, "assignments": [{"broker_ids": [2]}]}
    values = {"topics": [wanted], "timeout_ms": 20000, "validate_only": False}
    grown = only(ok(tenant.ask(ApiKey.CREATE_PARTITIONS, version, values))["results"])
    assert grown["name"] == topic
    back = {**values, "topics": [{"name": topic, "count": 1, "assignments": None}]}
    refused = only(tenant.ask(ApiKey.CREATE_PARTITIONS, version, back)["results"])
    assert refused["error_code"] == ErrorCode.INVALID_PARTITIONS, refused
    assert refused["name"] == topic
    tenant.until(lambda: tenant.leaders(topic), lambda leaders: len(leaders) == 2)


@exercise(ApiKey.DESCRIBE_TOPIC_PARTITIONS)
def describe_topic_partitions(tenant: Tenant, version: int) -> None:
    """Named; all of them; and all of them page by page, each cursor leading on."""
    named = {"topics": [{"name": TOPIC}], "response_partition_limit": 2000}
    entry = only(ok(tenant.ask(ApiKey.DESCRIBE_TOPIC_PARTITIONS, version, named))["topics"])
    assert tenant.is_named(entry)
    assert len(entry["partitions"]) == PARTITIONS
    everything = {"topics": [], "response_partition_limit": 2000}
    answer = ok(tenant.ask(ApiKey.DESCRIBE_TOPIC_PARTITIONS, version, everything))
    same([topic["name"] for topic in answer["topics"]], tenant.ids, "all topics")
    assert answer["next_cursor"] is None
    same(paged(tenant, version, 2), tenant.ids, "all topics, page by page")


def paged(tenant: Tenant, version: int, limit: int) -> set[str]:
    """The names of all topics, `limit` partitions a page."""
    names: set[str] = set()
    cursor = None
    for _ in range(1000):
        values = {"topics": [], "response_partition_limit": limit, "cursor": cursor}
        answer = ok(tenant.ask(ApiKey.DESCRIBE_TOPIC_PARTITIONS, version, values))
        names |= {topic["name"] for topic in answer["topics"]}
        cursor = answer["next_cursor"]
        if cursor is None:
            return names
        assert cursor["topic_name"] in tenant.ids, cursor
    raise AssertionError("the pages do not end")


@exercise(ApiKey.DESCRIBE_CLUSTER)
def describe_cluster(tenant: Tenant, version: int) -> None:
    """The brokers, at the sidecar's addresses."""
    answer = ok(tenant.ask(ApiKey.DESCRIBE_CLUSTER, version, {}))
    _check_brokers(tenant, answer["brokers"], "broker_id")
    assert answer["controller_id"] in {node for node, _, _ in tenant.addresses}
