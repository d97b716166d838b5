"""Requests about a topic that is not one's own, by name or by id: one function for each API."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from codec.api_keys import ApiKey
from tests.kafka.api_matrix import acls, configs, groups, modern_groups, share_groups, transactions
from tests.kafka.api_matrix.client import Answer
from tests.kafka.api_matrix.records import batch
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import ok
from tests.kafka.api_matrix.tenant import TOPIC, WAITING, Tenant
from tests.kafka.attacks.siege import Target

Attack = Callable[[Tenant, int, Target], Answer]
#: By API and what is tried; with the first version that can.
ATTACKS: dict[tuple[ApiKey, str], tuple[int, Attack]] = {}
OWN = "attackers"
NODE = 1


def attack(key: ApiKey, what: str = "", since: int = 0) -> Callable[[Attack], Attack]:
    """Register a function that tries a topic in the version it is given."""

    def register(function: Attack) -> Attack:
        assert (key, what) not in ATTACKS
        ATTACKS[key, what] = since, function
        return function

    return register


def _simple(key: ApiKey, values: Callable[[Target], Plain], what: str = "", since: int = 0) -> None:
    """An attack that is one request to the broker that leads the victim's partition 0."""

    def ask(tenant: Tenant, version: int, target: Target) -> Answer:
        return tenant.ask(key, version, values(target), NODE)

    attack(key, what, since)(ask)


def _both(target: Target, **more: object) -> Plain:
    """The topic in whichever way a version names it."""
    return {"name": target.name, "topic_id": target.topic_id, **more}


def _produce(target: Target) -> Plain:
    part = {"index": 0, "records": batch([b"an attack"])}
    return {"acks": -1, "timeout_ms": 5000, "topic_data": [_both(target, partition_data=[part])]}


def _fetch(target: Target, epoch: int) -> Plain:
    part = {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1 << 20}
    topic = {"topic": target.name, "topic_id": target.topic_id, "partitions": [part]}
    limits = {"max_wait_ms": 0, "min_bytes": 0, "max_bytes": 1 << 20}
    return {**limits, "session_id": 0, "session_epoch": epoch, "topics": [topic]}


def _partition(name: str, target: Target, **fields: object) -> Plain:
    return {"topics": [{name: target.name, "partitions": [fields]}]}


_simple(ApiKey.PRODUCE, _produce, since=3)
_simple(ApiKey.FETCH, partial(_fetch, epoch=-1), "sessionless")
_simple(ApiKey.FETCH, partial(_fetch, epoch=0), "session", since=7)
_simple(
    ApiKey.METADATA,
    lambda target: {"topics": [{"name": target.name}], "allow_auto_topic_creation": False},
    "by name",
    since=4,
)
_simple(
    ApiKey.METADATA,
    lambda target: {"topics": [{"name": None, "topic_id": target.topic_id}]},
    "by id",
    since=12,
)
_simple(
    ApiKey.LIST_OFFSETS,
    lambda t: {"replica_id": -1, **_partition("name", t, partition_index=0, timestamp=-2)},
)
_simple(
    ApiKey.OFFSET_FOR_LEADER_EPOCH,
    lambda t: {"replica_id": -1, **_partition("topic", t, partition=0, leader_epoch=0)},
)
_simple(
    ApiKey.DELETE_RECORDS,
    lambda t: {"timeout_ms": 5000, **_partition("name", t, partition_index=0, offset=-1)},
)
_simple(
    ApiKey.DELETE_TOPICS,
    lambda t: {"timeout_ms": 5000, "topic_names": [t.name], "topics": [{"name": t.name}]},
    "by name",
)
_simple(
    ApiKey.DELETE_TOPICS,
    lambda t: {"timeout_ms": 5000, "topics": [{"name": None, "topic_id": t.topic_id}]},
    "by id",
    since=6,
)
_simple(
    ApiKey.CREATE_PARTITIONS,
    lambda t: {"timeout_ms": 5000, "topics": [{"name": t.name, "count": 9, "assignments": None}]},
)
_simple(
    ApiKey.DESCRIBE_TOPIC_PARTITIONS,
    lambda t: {"topics": [{"name": t.name}], "response_partition_limit": 100},
)
_simple(
    ApiKey.DESCRIBE_PRODUCERS,
    lambda t: {"topics": [{"name": t.name, "partition_indexes": [0]}]},
)


def _configured(kind: int, target: Target, *values: Plain) -> Plain:
    one = {"resource_type": kind, "resource_name": target.name}
    return {"resources": [{**one, "configs": list(values)} if values else one]}


_RETENTION: Plain = {"name": "retention.ms", "value": "1"}
_simple(ApiKey.DESCRIBE_CONFIGS, partial(_configured, configs.TOPIC_RESOURCE))
_simple(ApiKey.ALTER_CONFIGS, lambda t: _configured(configs.TOPIC_RESOURCE, t, _RETENTION))
_simple(
    ApiKey.INCREMENTAL_ALTER_CONFIGS,
    lambda t: _configured(configs.TOPIC_RESOURCE, t, {**_RETENTION, "config_operation": 0}),
)
for _pattern in (acls.ANY_PATTERN, acls.MATCH, acls.LITERAL, acls.PREFIXED):
    for _key in (ApiKey.DESCRIBE_ACLS, ApiKey.DELETE_ACLS):

        def _filter(target: Target, key: ApiKey = _key, pattern: int = _pattern) -> Plain:
            wanted = acls.wanted(acls.TOPIC, target.name, pattern)
            return wanted if key is ApiKey.DESCRIBE_ACLS else {"filters": [wanted]}

        _simple(_key, _filter, f"pattern type {_pattern}", since=1)


def _patient(tenant: Tenant, key: ApiKey, version: int, values: Plain, node: int) -> Answer:
    """As ask, repeated while the first partition asks for patience."""

    def waits(answer: Answer) -> bool:
        topics = answer.body.get("topics") or []
        return any(p.get("error_code") in WAITING for t in topics for p in t["partitions"])

    return tenant.until(
        lambda: tenant.ask(key, version, values, node), lambda answer: not waits(answer)
    )


@attack(ApiKey.OFFSET_COMMIT)
def offset_commit(tenant: Tenant, version: int, target: Target) -> Answer:
    """For a group of the attacker's."""
    part = {"partition_index": 0, "committed_offset": 1, "committed_metadata": None}
    values = {"group_id": OWN, "member_id": "", "topics": [_both(target, partitions=[part])]}
    node = tenant.coordinator(OWN, groups.GROUP)
    return _patient(tenant, ApiKey.OFFSET_COMMIT, version, values, node)


@attack(ApiKey.OFFSET_FETCH)
def offset_fetch(tenant: Tenant, version: int, target: Target) -> Answer:
    """Of a group of the attacker's."""
    wanted = {"name": target.name, "partition_indexes": [0]}
    several = [{"group_id": OWN, "topics": [{**wanted, "topic_id": target.topic_id}]}]
    values = {"group_id": OWN, "topics": [wanted], "groups": several}
    return tenant.ask(ApiKey.OFFSET_FETCH, version, values, tenant.coordinator(OWN, groups.GROUP))


@attack(ApiKey.OFFSET_DELETE)
def offset_delete(tenant: Tenant, version: int, target: Target) -> Answer:
    """Of a group of the attacker's."""
    values = {"group_id": OWN, **_partition("name", target, partition_index=0)}
    return tenant.ask(ApiKey.OFFSET_DELETE, version, values, tenant.coordinator(OWN, groups.GROUP))


@attack(ApiKey.ADD_PARTITIONS_TO_TXN)
def add_partitions_to_txn(tenant: Tenant, version: int, target: Target) -> Answer:
    """To a transaction of the attacker's."""
    made = transactions.producer(tenant, OWN)
    topics = [{"name": target.name, "partitions": [0]}]
    values = {
        "v3_and_below_transactional_id": OWN,
        "v3_and_below_producer_id": made.producer_id,
        "v3_and_below_producer_epoch": made.epoch,
        "v3_and_below_topics": topics,
    }
    return tenant.ask(ApiKey.ADD_PARTITIONS_TO_TXN, version, values, made.node)


@attack(ApiKey.TXN_OFFSET_COMMIT)
def txn_offset_commit(tenant: Tenant, version: int, target: Target) -> Answer:
    """In a transaction of the attacker's."""
    made = transactions.producer(tenant, OWN)
    part = {"partition_index": 0, "committed_offset": 1, "committed_metadata": None}
    topic = {"name": target.name, "partitions": [part]}
    values = {**made.fields(), "group_id": OWN, "generation_id": -1, "topics": [topic]}
    node = tenant.coordinator(OWN, groups.GROUP)
    return _patient(tenant, ApiKey.TXN_OFFSET_COMMIT, version, values, node)


@attack(ApiKey.CONSUMER_GROUP_HEARTBEAT)
def consumer_group_heartbeat(tenant: Tenant, version: int, target: Target) -> Answer:
    """Subscribed to, and then said to be owned, by a member that has the attacker's own topic."""
    group = f"{OWN}-{version}"
    names = [TOPIC, target.name]
    member, node = modern_groups.joined(tenant, group, version, subscribed_topic_names=names)
    owned = [
        {"topic_id": tenant.ids[TOPIC], "partitions": [0, 1, 2]},
        {"topic_id": target.topic_id, "partitions": [0]},
    ]
    values = {**member, "topic_partitions": owned}
    answer = tenant.ask(ApiKey.CONSUMER_GROUP_HEARTBEAT, version, values, node)
    modern_groups.left(tenant, member, version, node)
    answer.body.pop("member_id"), answer.body.pop("member_epoch")
    return answer


_LIMITS: Plain = {"max_wait_ms": 0, "min_bytes": 0, "max_records": 10, "batch_size": 10}
_sharers: dict[Tenant, share_groups.Sharer] = {}
_emptied: dict[Tenant, share_groups.Sharer] = {}


def _sharer(tenant: Tenant) -> share_groups.Sharer:
    """A member of a share group, the same for all attacks: it takes a second to become one."""
    if tenant not in _sharers:
        _sharers[tenant] = share_groups.joined(tenant, f"{OWN}-shared")
    member = _sharers[tenant]
    ok(tenant.ask(ApiKey.SHARE_GROUP_HEARTBEAT, 1, member.fields(), member.node))
    return member


def _shared(member: share_groups.Sharer, topic_id: bytes, epoch: int, *batches: Plain) -> Plain:
    parts: list[Plain] = [{"partition_index": 0, "acknowledgement_batches": list(batches)}]
    return {
        "group_id": member.group,
        "member_id": member.member_id,
        "share_session_epoch": epoch,
        "topics": [{"topic_id": topic_id, "partitions": parts}],
    }


@attack(ApiKey.SHARE_FETCH)
def share_fetch(tenant: Tenant, version: int, target: Target) -> Answer:
    """In a new share session of the attacker's."""
    values = _shared(_sharer(tenant), target.topic_id, 0)
    return tenant.ask(ApiKey.SHARE_FETCH, version, {**values, **_LIMITS}, NODE)


@attack(ApiKey.SHARE_ACKNOWLEDGE)
def share_acknowledge(tenant: Tenant, version: int, target: Target) -> Answer:
    """Records that the attacker's session was never given."""
    member = _sharer(tenant)
    first = {**_shared(member, tenant.ids[TOPIC], 0), **_LIMITS}
    ok(tenant.ask(ApiKey.SHARE_FETCH, 1, first, NODE))
    accepted = [share_groups.ACCEPT]
    batch_of_one = {"first_offset": 0, "last_offset": 0, "acknowledge_types": accepted}
    values = _shared(member, target.topic_id, 1, batch_of_one)
    return tenant.ask(ApiKey.SHARE_ACKNOWLEDGE, version, values, NODE)


def _of_share_group(key: ApiKey, values: Callable[[Target], Plain]) -> None:
    """An attack on the offsets of a share group of the attacker's, which has been used."""

    def ask(tenant: Tenant, version: int, target: Target) -> Answer:
        if tenant not in _emptied:
            _emptied[tenant] = share_groups.joined(tenant, f"{OWN}-emptied")
            share_groups.left(tenant, _emptied[tenant])
        return tenant.ask(key, version, values(target), _emptied[tenant].node)

    attack(key)(ask)


_of_share_group(
    ApiKey.DESCRIBE_SHARE_GROUP_OFFSETS,
    lambda t: {
        "groups": [
            {
                "group_id": f"{OWN}-emptied",
                "topics": [{"topic_name": t.name, "partitions": [0]}],
            }
        ]
    },
)
_of_share_group(
    ApiKey.ALTER_SHARE_GROUP_OFFSETS,
    lambda t: {
        "group_id": f"{OWN}-emptied",
        "topics": [
            {"topic_name": t.name, "partitions": [{"partition_index": 0, "start_offset": 1}]}
        ],
    },
)
_of_share_group(
    ApiKey.DELETE_SHARE_GROUP_OFFSETS,
    lambda t: {"group_id": f"{OWN}-emptied", "topics": [{"topic_name": t.name}]},
)


@attack(ApiKey.STREAMS_GROUP_HEARTBEAT)
def streams_group_heartbeat(tenant: Tenant, version: int, target: Target) -> Answer:
    """As the source of a topology."""
    topology = modern_groups.topology()
    topology["subtopologies"][0] |= {"source_topics": [target.name], "state_changelog_topics": []}
    group = f"{OWN}-streams-{target.name}"
    member = {"group_id": group, "member_id": "a-member", "member_epoch": 0}
    values = {
        **member,
        "active_tasks": [],
        "standby_tasks": [],
        "warmup_tasks": [],
        "rebalance_timeout_ms": 30000,
        "topology": topology,
        "process_id": "process",
        "client_tags": [],
    }
    node = tenant.coordinator(group, groups.GROUP)
    answer = tenant.settled(ApiKey.STREAMS_GROUP_HEARTBEAT, version, values, node)
    tenant.ask(
        ApiKey.STREAMS_GROUP_HEARTBEAT,
        version,
        {**member, "member_epoch": modern_groups.LEAVE},
        node,
    )
    return answer
