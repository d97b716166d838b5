"""Requests about a foreign group or transactional id, with all that may be known of it."""

from __future__ import annotations

from collections.abc import Callable

from codec.api_keys import ApiKey
from tests.kafka.api_matrix import acls, configs, groups
from tests.kafka.api_matrix.client import Answer
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.tenant import TOPIC, Tenant
from tests.kafka.attacks.siege import Victim

#: What is asked of a group or transactional id, as the attacker would have to know it.
Values = Callable[[Tenant, Victim, str], Plain]
GROUP_ATTACKS: dict[ApiKey, Values] = {}
TRANSACTION_ATTACKS: dict[ApiKey, Values] = {}

_PART: Plain = {"partition_index": 0, "committed_offset": 0, "committed_metadata": None}


def _named(tenant: Tenant, **fields: object) -> Plain:
    """The topic, which both have."""
    return {**tenant.named(), **fields}


def _classic(victim: Victim, group: str) -> Plain:
    return {**victim.classic.fields(), "group_id": group}


def _join(tenant: Tenant, victim: Victim, group: str) -> Plain:
    protocol = {"name": groups.PROTOCOL, "metadata": groups.subscription(TOPIC)}
    timeouts = {"session_timeout_ms": 30000, "rebalance_timeout_ms": 30000}
    member = {"group_id": group, "member_id": victim.classic.member_id}
    return {**member, **timeouts, "protocol_type": "consumer", "protocols": [protocol]}


def _sync(tenant: Tenant, victim: Victim, group: str) -> Plain:
    protocol = {"protocol_type": "consumer", "protocol_name": groups.PROTOCOL}
    return {**_classic(victim, group), **protocol, "assignments": []}


def _leave(tenant: Tenant, victim: Victim, group: str) -> Plain:
    leaving = [{"member_id": victim.classic.member_id, "reason": "pushed"}]
    return {"group_id": group, "member_id": victim.classic.member_id, "members": leaving}


def _commit(tenant: Tenant, victim: Victim, group: str) -> Plain:
    member = {"member_id": victim.classic.member_id, "generation_id_or_member_epoch": 1}
    return {"group_id": group, **member, "topics": [_named(tenant, partitions=[_PART])]}


def _offsets(tenant: Tenant, victim: Victim, group: str) -> Plain:
    # Everything, which versions 0 and 1 cannot ask for.
    named = [{"name": TOPIC, "partition_indexes": [0, 1, 2]}]
    several = [{"group_id": group, "topics": None}]
    return {"group_id": group, "topics": named, "groups": several}


def _delete_offsets(tenant: Tenant, victim: Victim, group: str) -> Plain:
    topic = {"name": TOPIC, "partitions": [{"partition_index": 0}, {"partition_index": 1}]}
    return {"group_id": group, "topics": [topic]}


def _beat(tenant: Tenant, victim: Victim, group: str) -> Plain:
    return {**victim.modern[0], "group_id": group}


def _sharing(tenant: Tenant, victim: Victim, group: str) -> Plain:
    return {**victim.sharer.fields(), "group_id": group}


def _session(tenant: Tenant, victim: Victim, group: str) -> Plain:
    sharer = victim.sharer
    member = {"group_id": group, "member_id": sharer.member_id}
    return {**member, "share_session_epoch": sharer.session_epoch + 1, "topics": []}


def _share_fetch(tenant: Tenant, victim: Victim, group: str) -> Plain:
    limits = {"max_wait_ms": 0, "min_bytes": 0, "max_records": 10, "batch_size": 10}
    return {**_session(tenant, victim, group), **limits}


def _described(tenant: Tenant, victim: Victim, group: str) -> Plain:
    return {"group_ids": [group], "include_authorized_operations": True}


def _share_offsets(tenant: Tenant, victim: Victim, group: str) -> Plain:
    return {"groups": [{"group_id": group, "topics": None}]}


def _altered_share_offsets(tenant: Tenant, victim: Victim, group: str) -> Plain:
    topic = {"topic_name": TOPIC, "partitions": [{"partition_index": 0, "start_offset": 1}]}
    return {"group_id": group, "topics": [topic]}


def _forgotten_share_offsets(tenant: Tenant, victim: Victim, group: str) -> Plain:
    return {"group_id": group, "topics": [{"topic_name": TOPIC}]}


def _accessible(tenant: Tenant, victim: Victim, group: str) -> Plain:
    return acls.wanted(acls.GROUP, group, acls.MATCH)


def _inaccessible(tenant: Tenant, victim: Victim, group: str) -> Plain:
    return {"filters": [_accessible(tenant, victim, group)]}


def _config(tenant: Tenant, victim: Victim, group: str) -> Plain:
    one = {"resource_type": configs.GROUP_RESOURCE, "resource_name": group}
    return {"resources": [{**one, "configuration_keys": ["share.auto.offset.reset"]}]}


GROUP_ATTACKS.update(
    {
        ApiKey.DESCRIBE_GROUPS: lambda tenant, victim, group: {"groups": [group]},
        ApiKey.DELETE_GROUPS: lambda tenant, victim, group: {"groups_names": [group]},
        ApiKey.JOIN_GROUP: _join,
        ApiKey.SYNC_GROUP: _sync,
        ApiKey.HEARTBEAT: lambda tenant, victim, group: _classic(victim, group),
        ApiKey.LEAVE_GROUP: _leave,
        ApiKey.OFFSET_COMMIT: _commit,
        ApiKey.OFFSET_FETCH: _offsets,
        ApiKey.OFFSET_DELETE: _delete_offsets,
        ApiKey.CONSUMER_GROUP_HEARTBEAT: _beat,
        ApiKey.CONSUMER_GROUP_DESCRIBE: _described,
        ApiKey.SHARE_GROUP_HEARTBEAT: _sharing,
        ApiKey.SHARE_GROUP_DESCRIBE: _described,
        ApiKey.SHARE_FETCH: _share_fetch,
        ApiKey.SHARE_ACKNOWLEDGE: _session,
        ApiKey.STREAMS_GROUP_DESCRIBE: _described,
        ApiKey.DESCRIBE_SHARE_GROUP_OFFSETS: _share_offsets,
        ApiKey.ALTER_SHARE_GROUP_OFFSETS: _altered_share_offsets,
        ApiKey.DELETE_SHARE_GROUP_OFFSETS: _forgotten_share_offsets,
        ApiKey.DESCRIBE_ACLS: _accessible,
        ApiKey.DELETE_ACLS: _inaccessible,
        ApiKey.DESCRIBE_CONFIGS: _config,
    }
)


def _adding(tenant: Tenant, victim: Victim, name: str) -> Plain:
    made = victim.producer
    return {
        "v3_and_below_transactional_id": name,
        "v3_and_below_producer_id": made.producer_id,
        "v3_and_below_producer_epoch": made.epoch,
        "v3_and_below_topics": [{"name": TOPIC, "partitions": [0]}],
    }


def _producing(victim: Victim, name: str) -> Plain:
    return {**victim.producer.fields(), "transactional_id": name}


TRANSACTION_ATTACKS.update(
    {
        ApiKey.DESCRIBE_TRANSACTIONS: lambda tenant, victim, name: {"transactional_ids": [name]},
        ApiKey.ADD_PARTITIONS_TO_TXN: _adding,
        ApiKey.ADD_OFFSETS_TO_TXN: lambda tenant, victim, name: {
            **_producing(victim, name),
            "group_id": "attackers",
        },
        ApiKey.END_TXN: lambda tenant, victim, name: {
            **_producing(victim, name),
            "committed": False,
        },
    }
)


def ask(tenant: Tenant, key: ApiKey, version: int, values: Plain, name: str, kind: int) -> Answer:
    """Send it to who would coordinate a group (0) or transactional id (1) of that name."""
    return tenant.settled(key, version, values, tenant.coordinator(name, kind))


def forget(tenant: Tenant, group: str) -> None:
    """Delete what an attack may have made: a group of the attacker's own, of this name."""
    values = {"groups_names": [group]}
    tenant.ask(ApiKey.DELETE_GROUPS, 2, values, tenant.coordinator(group, groups.GROUP))
