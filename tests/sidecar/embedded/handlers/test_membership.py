"""Joining, syncing, beating and leaving over sockets."""

from functools import partial

import pytest

from codec.error_codes import ErrorCode
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from codec.messages.join_group import JoinGroupRequest, JoinGroupResponse
from codec.messages.leave_group import LeaveGroupRequest, LeaveGroupResponse
from codec.messages.sync_group import SyncGroupRequest, SyncGroupResponse

GROUP = "g"


@pytest.fixture
def wire(running):
    """Connections to the group's coordinator."""
    return partial(running.wire, running.cluster.coordinator_of(GROUP).node_id)


def join_request(member_id="", metadata=b"m", session=10_000):
    protocol = JoinGroupRequest.JoinGroupRequestProtocol(name="range", metadata=metadata)
    return JoinGroupRequest(
        group_id=GROUP,
        session_timeout_ms=session,
        rebalance_timeout_ms=10_000,
        member_id=member_id,
        protocol_type="consumer",
        protocols=[protocol],
    )


def join(connection, version=5, member_id="", **more):
    answer = connection.ask(join_request(member_id, **more), version, JoinGroupResponse)
    if answer.error_code == ErrorCode.MEMBER_ID_REQUIRED:
        assert version >= 4
        return join(connection, version, answer.member_id, **more)
    return answer


def sync_request(member_id, generation, **assignments):
    kind = SyncGroupRequest.SyncGroupRequestAssignment
    return SyncGroupRequest(
        group_id=GROUP,
        generation_id=generation,
        member_id=member_id,
        assignments=[kind(member_id=k, assignment=v) for k, v in assignments.items()],
    )


def beat(connection, member_id, generation, version=3):
    wish = HeartbeatRequest(group_id=GROUP, generation_id=generation, member_id=member_id)
    return connection.ask(wish, version, HeartbeatResponse).error_code


@pytest.mark.parametrize("version", range(10))
def test_every_version_joins(wire, version):
    answer = join(wire(), version)
    assert (answer.error_code, answer.generation_id, answer.protocol_name) == (0, 1, "range")
    assert answer.leader == answer.member_id
    assert answer.member_id.startswith("test-")
    assert [bytes(member.metadata) for member in answer.members] == [b"m"]


@pytest.mark.parametrize("version", range(6))
def test_every_version_syncs(wire, version):
    connection = wire()
    member = join(connection).member_id
    wish = sync_request(member, 1)
    wish.assignments = [SyncGroupRequest.SyncGroupRequestAssignment(member_id=member)]
    wish.assignments[0].assignment = b"all"
    answer = connection.ask(wish, version, SyncGroupResponse)
    assert (answer.error_code, bytes(answer.assignment)) == (0, b"all")
    for heartbeat_version in range(5):
        assert beat(connection, member, 1, heartbeat_version) == 0


def test_two_members_rebalance_over_two_connections(wire):
    first, second = wire(), wire()
    leader = join(first).member_id
    assert first.ask(sync_request(leader, 1), 3, SyncGroupResponse).error_code == 0
    given = second.ask(join_request(), 5, JoinGroupResponse).member_id
    second.send(join_request(given), 5)
    while (code := beat(first, leader, 1)) == ErrorCode.NONE:
        pass  # The second connection's request may not have been read yet.
    assert code == ErrorCode.REBALANCE_IN_PROGRESS
    again = join(first, member_id=leader)
    other = second.receive()
    assert again.generation_id == other.generation_id == 2
    assert {member.member_id for member in again.members} == {leader, given}
    assert other.members == []
    second.send(sync_request(given, 2), 3)
    wish = sync_request(leader, 2)
    kind = SyncGroupRequest.SyncGroupRequestAssignment
    wish.assignments = [kind(member_id=leader, assignment=b"A")]
    wish.assignments.append(kind(member_id=given, assignment=b"B"))
    assert bytes(first.ask(wish, 3, SyncGroupResponse).assignment) == b"A"
    assert bytes(second.receive().assignment) == b"B"


def test_a_silent_member_is_dropped(start):
    running = start(min_session_timeout_ms=1)
    connection = running.wire(running.cluster.coordinator_of(GROUP).node_id)
    member = join(connection, session=300).member_id
    first_beat = beat(connection, member, 1)
    assert first_beat == 0
    parked = running.wire(running.cluster.coordinator_of(GROUP).node_id)
    other = join(parked, session=9000)
    assert (other.error_code, other.generation_id) == (0, 2)
    assert beat(connection, member, 1) == ErrorCode.UNKNOWN_MEMBER_ID


@pytest.mark.parametrize("version", range(6))
def test_every_version_leaves(wire, version):
    connection = wire()
    member = join(connection).member_id
    kind = LeaveGroupRequest.MemberIdentity
    wish = LeaveGroupRequest(group_id=GROUP, member_id=member)
    if version >= 3:
        wish = LeaveGroupRequest(
            group_id=GROUP, members=[kind(member_id=member), kind(member_id="x")]
        )
    answer = connection.ask(wish, version, LeaveGroupResponse)
    assert answer.error_code == 0
    if version >= 3:
        assert [each.error_code for each in answer.members] == [0, ErrorCode.UNKNOWN_MEMBER_ID]
    assert beat(connection, member, 1) == ErrorCode.UNKNOWN_MEMBER_ID


def test_the_wrong_broker_is_not_the_coordinator(running):
    other = running.wire(running.cluster.coordinator_of(GROUP).node_id % 3 + 1)
    assert join(other).error_code == ErrorCode.NOT_COORDINATOR
    assert beat(other, "m", 1) == ErrorCode.NOT_COORDINATOR
    assert other.ask(sync_request("m", 1), 3, SyncGroupResponse).error_code == 16
    leave = LeaveGroupRequest(group_id=GROUP, member_id="m")
    assert other.ask(leave, 2, LeaveGroupResponse).error_code == 16


def test_versions_without_null_protocol_can_carry_an_error(wire):
    for version in range(10):
        answer = join(wire(), version, member_id="nobody")
        assert answer.error_code == ErrorCode.UNKNOWN_MEMBER_ID
