"""An attacker, a victim with something of everything, and a stranger; what must stay as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from codec.api_keys import ApiKey
from tests.kafka.api_matrix import acls, configs, groups, modern_groups, share_groups, transactions
from tests.kafka.api_matrix.data import fetch_request
from tests.kafka.api_matrix.offsets import commit
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import ok, only
from tests.kafka.api_matrix.tenant import PARTITIONS, RECORDS, TOPIC, Tenant
from tests.kafka.api_matrix.world import INTERNAL, topic_ids

ATTACKER, VICTIM = "siege-attacker-", "siege-victim-"
#: A topic and a group of nobody's virtual cluster, with a record and an offset.
OUTSIDE = "besieged-outsider"
CLASSIC, MODERN, COMMITTED, SHARED, TRANSACTION = "classic", "modern", "committed", "shared", "paid"
#: Milliseconds; the longest session of a group member. Transactions may take half of it.
LONG = 1_800_000
LATEST, EARLIEST = -1, -2


@dataclass
class Victim:
    """What the victim has, and goes on using."""

    tenant: Tenant
    classic: groups.Member
    modern: modern_groups.Beat
    sharer: share_groups.Sharer
    producer: transactions.Producer
    session_id: int
    session_epoch: int = 1

    def beat(self) -> None:
        """Go on being a member, before a session ends."""
        ok(self.tenant.ask(ApiKey.HEARTBEAT, 4, self.classic.fields(), self.classic.node))
        member, node = self.modern
        ok(self.tenant.ask(ApiKey.CONSUMER_GROUP_HEARTBEAT, 0, member, node))
        sharing = self.sharer.fields()
        ok(self.tenant.ask(ApiKey.SHARE_GROUP_HEARTBEAT, 1, sharing, self.sharer.node))

    def fetches(self) -> list[Any]:
        """Go on with the fetch session; the topics that have something new."""
        session = {"session_id": self.session_id, "session_epoch": self.session_epoch}
        request = fetch_request(self.tenant, 13, {}, **session)
        answer = ok(self.tenant.ask(ApiKey.FETCH, 13, request, node=2))
        assert answer["session_id"] == self.session_id
        self.session_epoch += 1
        return list(answer["responses"])


@dataclass
class Siege:
    """All three, and the attacker's own means."""

    attacker: Tenant
    victim: Victim
    outside: Tenant
    ids: dict[str, bytes]
    """Of all topics, by physical name."""

    def untouched(self) -> Plain:
        """All that the victim and the stranger have, as the cluster itself shows it."""
        names = [VICTIM + TOPIC, OUTSIDE]
        group_names = [VICTIM + each for each in (CLASSIC, MODERN, COMMITTED)] + [OUTSIDE]
        return {
            "topics": {
                name: topic_id
                for name, topic_id in topic_ids(self.outside).items()
                if name.startswith(VICTIM) or name == OUTSIDE
            },
            "offsets": {name: self._offsets(name) for name in names},
            "committed": {name: self._committed(name) for name in group_names},
            "classic group": self._group(),
            "modern group": self._modern_group(),
            "transaction": self._transaction(),
            "retention": [
                configs.described(self.outside, 4, configs.TOPIC_RESOURCE, name, "retention.ms")
                for name in names
            ],
            "entries": sorted(
                each
                for each in acls.described(self.outside, acls.wanted(acls.ANY, None))
                if each[1].startswith(VICTIM)
            ),
        }

    def _offsets(self, topic: str) -> list[int]:
        found = []
        for partition in range(PARTITIONS if topic != OUTSIDE else 1):
            for timestamp in (EARLIEST, LATEST):
                part = {"partition_index": partition, "timestamp": timestamp}
                values = {"replica_id": -1, "topics": [{"name": topic, "partitions": [part]}]}
                answer = ok(self.outside.ask(ApiKey.LIST_OFFSETS, 4, values, partition % 3 + 1))
                found.append(only(only(answer["topics"])["partitions"])["offset"])
        return found

    def _at(self, group: str, key: ApiKey, version: int, values: Plain) -> Plain:
        node = self.outside.coordinator(group, groups.GROUP)
        return dict(only(ok(self.outside.ask(key, version, values, node))["groups"]))

    def _committed(self, group: str) -> Any:
        values = {"groups": [{"group_id": group, "topics": None}]}
        return self._at(group, ApiKey.OFFSET_FETCH, 8, values)["topics"]

    def _group(self) -> Plain:
        values = {"groups": [VICTIM + CLASSIC]}
        return self._at(VICTIM + CLASSIC, ApiKey.DESCRIBE_GROUPS, 5, values)

    def _modern_group(self) -> Plain:
        values = {"group_ids": [VICTIM + MODERN]}
        found = self._at(VICTIM + MODERN, ApiKey.CONSUMER_GROUP_DESCRIBE, 1, values)
        return {**found, "members": [each["member_id"] for each in found["members"]]}

    def _transaction(self) -> Plain:
        name = VICTIM + TRANSACTION
        node = self.outside.coordinator(name, 1)
        values = {"transactional_ids": [name]}
        answer = ok(self.outside.ask(ApiKey.DESCRIBE_TRANSACTIONS, 0, values, node))
        return dict(only(answer["transaction_states"]))


def _settled_in(tenant: Tenant) -> Victim:
    """Give the victim one of everything."""
    tenant.prepare()
    configs.set_config(tenant, configs.TOPIC_RESOURCE, TOPIC, "retention.ms", "86400000")
    acls.create(tenant, [acls.entry(acls.TOPIC, TOPIC), acls.entry(acls.GROUP, CLASSIC)])
    commit(tenant, COMMITTED, 3)
    classic = groups.join(tenant, CLASSIC, session_timeout_ms=LONG)
    groups.sync(tenant, classic)
    modern = modern_groups.joined(tenant, MODERN, 0, subscribed_topic_names=[TOPIC])
    sharer = share_groups.joined(tenant, SHARED)
    producer = transactions.ongoing(tenant, TRANSACTION, timeout_ms=LONG // 2)
    asking = fetch_request(tenant, 13, {1: 0}, session_id=0, session_epoch=0)
    answer = ok(tenant.ask(ApiKey.FETCH, 13, asking, node=2))
    session_id = answer["session_id"]
    assert session_id > 0
    victim = Victim(tenant, classic, modern, sharer, producer, session_id)
    # From here on records are new again and again: whoever goes on with the session gets them.
    rewound = fetch_request(tenant, 13, {1: 0}, session_id=session_id, session_epoch=1)
    ok(tenant.ask(ApiKey.FETCH, 13, rewound, node=2))
    victim.session_epoch = 2
    return victim


def _commit_outside(outside: Tenant) -> None:
    """An offset of a group of nobody's virtual cluster."""
    node = outside.coordinator(OUTSIDE, groups.GROUP)
    part = {"partition_index": 0, "committed_offset": 2, "committed_metadata": None}
    topics = [{"name": OUTSIDE, "partitions": [part]}]
    values = {"group_id": OUTSIDE, "member_id": "", "topics": topics}

    def code() -> int:
        answer = outside.ask(ApiKey.OFFSET_COMMIT, 8, values, node)
        return int(only(only(answer["topics"])["partitions"])["error_code"])

    outside.until(code, lambda found: found == 0)


@contextlib.contextmanager
def siege(attacker: Tenant, victim: Tenant, outside: Tenant) -> Iterator[Siege]:
    """Prepare all three; close their connections at the end."""
    try:
        outside.learn_brokers()
        outside.create(OUTSIDE)
        outside.produce(OUTSIDE, [outside.marker] * RECORDS)
        _commit_outside(outside)
        attacker.prepare()
        settled = _settled_in(victim)
        attacker.forbidden = [victim.marker, outside.marker]
        yield Siege(attacker, settled, outside, topic_ids(outside))
    finally:
        for each in (attacker, victim, outside):
            each.close()


@dataclass(frozen=True)
class Target:
    """A topic that is not the attacker's, or one that nobody has."""

    name: str
    topic_id: bytes


def nobody(like: str) -> Target:
    """What no cluster has, with a name of the same length."""
    return Target((uuid4().hex * 3)[: len(like)], uuid4().bytes)


TOPICS = (VICTIM + TOPIC, OUTSIDE, *INTERNAL)
