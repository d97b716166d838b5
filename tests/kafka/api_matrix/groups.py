"""Classic consumer groups: membership, and what is told of them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import exercise, ok, only
from tests.kafka.api_matrix.tenant import PARTITIONS, TOPIC, Tenant

GROUP = 0
PROTOCOL = "range"
#: Opaque to Kafka, and to everything between: must come back as it went.
USER_DATA = b"\x00\x01user data"
LEADER_VERSION = 9


def _text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


def subscription(*topics: str) -> bytes:
    """ConsumerProtocolSubscription, version 1, with the topics owned as well."""
    listed = struct.pack(">i", len(topics)) + b"".join(map(_text, topics))
    owned = b"".join(_text(topic) + struct.pack(">ii", 1, 0) for topic in topics)
    data = struct.pack(">i", len(USER_DATA)) + USER_DATA
    return struct.pack(">h", 1) + listed + data + struct.pack(">i", len(topics)) + owned


def assignment(topic: str) -> bytes:
    """ConsumerProtocolAssignment, version 1, of all partitions of one topic."""
    partitions = struct.pack(f">i{PARTITIONS}i", PARTITIONS, *range(PARTITIONS))
    data = struct.pack(">i", len(USER_DATA)) + USER_DATA
    return struct.pack(">hi", 1, 1) + _text(topic) + partitions + data


@dataclass(frozen=True)
class Member:
    """The only member of a group, its leader."""

    group: str
    member_id: str
    generation: int
    node: int

    def fields(self) -> Plain:
        """What its requests say of it, whichever spelling the version has."""
        return {"group_id": self.group, "generation_id": self.generation} | {
            "member_id": self.member_id
        }


def join(
    tenant: Tenant,
    group: str,
    version: int = LEADER_VERSION,
    *,
    session_timeout_ms: int = 30000,
) -> Member:
    """Join `group`, with a JoinGroup of `version`; the metadata must come back untouched."""
    node = tenant.coordinator(group, GROUP)
    metadata = subscription(TOPIC)
    values = {
        "group_id": group,
        "session_timeout_ms": session_timeout_ms,
        "rebalance_timeout_ms": 30000,
        "member_id": "",
        "protocol_type": "consumer",
        "protocols": [{"name": PROTOCOL, "metadata": metadata}],
    }
    answer = tenant.settled(ApiKey.JOIN_GROUP, version, values, node)
    if answer["error_code"] == ErrorCode.MEMBER_ID_REQUIRED:
        values["member_id"] = answer["member_id"]
        answer = tenant.settled(ApiKey.JOIN_GROUP, version, values, node)
    ok(answer)
    member = only(answer["members"])
    assert answer["leader"] == answer["member_id"] == member["member_id"]
    assert member["metadata"] == metadata, member["metadata"]
    return Member(group, answer["member_id"], answer["generation_id"], node)


def sync(tenant: Tenant, member: Member, version: int = 5) -> None:
    """Hand out the assignment with a SyncGroup of `version`; it must come back untouched."""
    given = assignment(TOPIC)
    values = {
        **member.fields(),
        "protocol_type": "consumer",
        "protocol_name": PROTOCOL,
        "assignments": [{"member_id": member.member_id, "assignment": given}],
    }
    answer = ok(tenant.settled(ApiKey.SYNC_GROUP, version, values, member.node))
    assert answer["assignment"] == given, answer["assignment"]


def leave(tenant: Tenant, member: Member, version: int = 5) -> None:
    """Leave with a LeaveGroup of `version`."""
    leaving = {"member_id": member.member_id, "reason": "the exercise is over"}
    values = {"group_id": member.group, "member_id": member.member_id, "members": [leaving]}
    ok(tenant.ask(ApiKey.LEAVE_GROUP, version, values, member.node))


def stable(tenant: Tenant, group: str) -> Member:
    """A group with one member that has its assignment."""
    member = join(tenant, group)
    sync(tenant, member)
    return member


@exercise(ApiKey.JOIN_GROUP)
def join_group(tenant: Tenant, version: int) -> None:
    """As the only member."""
    leave(tenant, join(tenant, f"joined-{version}", version))


@exercise(ApiKey.SYNC_GROUP)
def sync_group(tenant: Tenant, version: int) -> None:
    """As leader, whose assignment for itself comes back."""
    member = join(tenant, f"synced-{version}")
    sync(tenant, member, version)
    leave(tenant, member)


@exercise(ApiKey.HEARTBEAT)
def heartbeat(tenant: Tenant, version: int) -> None:
    """Of a stable group."""
    member = stable(tenant, f"beating-{version}")
    ok(tenant.ask(ApiKey.HEARTBEAT, version, member.fields(), member.node))
    leave(tenant, member)


@exercise(ApiKey.LEAVE_GROUP)
def leave_group(tenant: Tenant, version: int) -> None:
    """Of a stable group; a heartbeat afterwards is a stranger's."""
    member = stable(tenant, f"left-{version}")
    leave(tenant, member, version)
    late = tenant.ask(ApiKey.HEARTBEAT, 4, member.fields(), member.node)
    assert late["error_code"] == ErrorCode.UNKNOWN_MEMBER_ID, late


@exercise(ApiKey.DESCRIBE_GROUPS)
def describe_groups(tenant: Tenant, version: int) -> None:
    """A stable group, with the bytes of subscription and assignment as the member sent them."""
    group = f"described-{version}"
    member = stable(tenant, group)
    values = {"groups": [group], "include_authorized_operations": True}
    entry = only(ok(tenant.ask(ApiKey.DESCRIBE_GROUPS, version, values, member.node))["groups"])
    assert (entry["group_id"], entry["group_state"]) == (group, "Stable")
    one = only(entry["members"])
    assert one["member_metadata"] == subscription(TOPIC), one
    assert one["member_assignment"] == assignment(TOPIC), one
    leave(tenant, member)


@exercise(ApiKey.LIST_GROUPS)
def list_groups(tenant: Tenant, version: int) -> None:
    """A stable group is listed, and nothing physical: that is searched for in every answer."""
    group = f"listed-{version}"
    member = stable(tenant, group)
    filters = {"states_filter": ["Stable"], "types_filter": ["classic"]}
    for values in ({}, filters):
        answer = ok(tenant.ask(ApiKey.LIST_GROUPS, version, values, member.node))
        assert group in [each["group_id"] for each in answer["groups"]], answer
    leave(tenant, member)


@exercise(ApiKey.DELETE_GROUPS)
def delete_groups(tenant: Tenant, version: int) -> None:
    """An empty group; and once more, when it is gone."""
    group = f"dropped-{version}"
    member = stable(tenant, group)
    leave(tenant, member)
    values = {"groups_names": [group]}
    entry = only(ok(tenant.ask(ApiKey.DELETE_GROUPS, version, values, member.node))["results"])
    assert entry["group_id"] == group
    again = tenant.ask(ApiKey.DELETE_GROUPS, version, values, member.node)["results"]
    assert only(again)["error_code"] == ErrorCode.GROUP_ID_NOT_FOUND, again
