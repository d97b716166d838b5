"""FindCoordinator, ListGroups, DescribeGroups and DeleteGroups over a socket."""

import pytest

from codec.error_codes import ErrorCode
from codec.messages.delete_groups import DeleteGroupsRequest, DeleteGroupsResponse
from codec.messages.describe_groups import DescribeGroupsRequest, DescribeGroupsResponse
from codec.messages.find_coordinator import FindCoordinatorRequest, FindCoordinatorResponse
from codec.messages.join_group import JoinGroupRequest, JoinGroupResponse
from codec.messages.list_groups import ListGroupsRequest, ListGroupsResponse
from codec.messages.sync_group import SyncGroupRequest, SyncGroupResponse

GROUP = "g"


@pytest.fixture
def wire(running):
    """A connection to the group's coordinator."""
    return running.wire(running.cluster.coordinator_of(GROUP).node_id)


@pytest.fixture
def member(wire):
    """The one member of a stable group."""
    kind = JoinGroupRequest.JoinGroupRequestProtocol
    wish = JoinGroupRequest(
        group_id=GROUP,
        session_timeout_ms=10_000,
        protocol_type="consumer",
        protocols=[kind(name="range", metadata=b"wish")],
    )
    member_id = wire.ask(wish, 3, JoinGroupResponse).member_id
    part = SyncGroupRequest.SyncGroupRequestAssignment(member_id=member_id, assignment=b"part")
    sync = SyncGroupRequest(
        group_id=GROUP, generation_id=1, member_id=member_id, assignments=[part]
    )
    assert wire.ask(sync, 0, SyncGroupResponse).error_code == 0
    return member_id


@pytest.mark.parametrize("version", range(7))
def test_every_version_finds_the_coordinator(running, version):
    expected = running.cluster.coordinator_of(GROUP)
    wish = FindCoordinatorRequest(key=GROUP, coordinator_keys=[GROUP])
    found = running.wire().ask(wish, version, FindCoordinatorResponse)
    if version >= 4:
        (found,) = found.coordinators
        assert found.key == GROUP
    assert (found.node_id, found.host, found.port) == (
        expected.node_id,
        expected.host,
        expected.port,
    )
    assert found.error_code == 0


@pytest.mark.parametrize(
    ("kind", "key", "code"), [(0, "", 24), (1, "x", 53), (2, "x", 42), (9, "x", 42)]
)
def test_other_coordinators_do_not_exist(running, kind, key, code):
    wish = FindCoordinatorRequest(key=key, key_type=kind, coordinator_keys=[key])
    old = running.wire().ask(wish, 3, FindCoordinatorResponse)
    new = running.wire().ask(wish, 4, FindCoordinatorResponse).coordinators[0]
    for found in (old, new):
        assert (found.error_code, found.node_id, found.host, found.port) == (code, -1, "", -1)


@pytest.mark.parametrize("version", range(6))
def test_groups_are_listed_by_their_coordinator_only(running, wire, member, version):
    (group,) = wire.ask(ListGroupsRequest(), version, ListGroupsResponse).groups
    assert (group.group_id, group.protocol_type) == (GROUP, "consumer")
    if version >= 4:
        assert group.group_state == "Stable"
    other = running.wire(running.cluster.coordinator_of(GROUP).node_id % 3 + 1)
    assert other.ask(ListGroupsRequest(), version, ListGroupsResponse).groups == []


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"states_filter": ["stable"]}, 1),
        ({"states_filter": ["Empty", "Dead"]}, 0),
        ({"types_filter": ["Classic"]}, 1),
        ({"types_filter": ["consumer"]}, 0),
    ],
)
def test_filters(wire, member, filters, count):
    answer = wire.ask(ListGroupsRequest(**filters), 5, ListGroupsResponse)
    assert len(answer.groups) == count


@pytest.mark.parametrize("version", range(7))
def test_every_version_describes(wire, member, version):
    wish = DescribeGroupsRequest(groups=[GROUP, "x"])
    known, _ = wire.ask(wish, version, DescribeGroupsResponse).groups
    assert (known.group_state, known.protocol_type, known.protocol_data) == (
        "Stable",
        "consumer",
        "range",
    )
    (described,) = known.members
    assert (described.member_id, described.client_id) == (member, "test")
    assert described.client_host == "/127.0.0.1"
    assert bytes(described.member_metadata) == b"wish"
    assert bytes(described.member_assignment) == b"part"


def test_a_group_that_is_not_there(running):
    wish = DescribeGroupsRequest(groups=["x"])
    wire = running.wire(running.cluster.coordinator_of("x").node_id)
    (old,) = wire.ask(wish, 5, DescribeGroupsResponse).groups
    assert (old.error_code, old.group_state) == (0, "Dead")
    (new,) = wire.ask(wish, 6, DescribeGroupsResponse).groups
    assert (new.error_code, new.error_message) == (69, "Group x not found.")


@pytest.mark.parametrize("version", range(3))
def test_every_version_deletes(running, wire, member, version):
    wish = DeleteGroupsRequest(groups_names=[GROUP])
    (refused,) = wire.ask(wish, version, DeleteGroupsResponse).results
    assert refused.error_code == ErrorCode.NON_EMPTY_GROUP
    running.on_hub(lambda cluster: cluster.groups.leave(GROUP, member))
    (deleted,) = wire.ask(wish, version, DeleteGroupsResponse).results
    assert (deleted.group_id, deleted.error_code) == (GROUP, 0)
    (gone,) = wire.ask(wish, version, DeleteGroupsResponse).results
    assert gone.error_code == ErrorCode.GROUP_ID_NOT_FOUND


def test_the_wrong_broker(running):
    other = running.wire(running.cluster.coordinator_of(GROUP).node_id % 3 + 1)
    wish = DeleteGroupsRequest(groups_names=[GROUP])
    assert other.ask(wish, 2, DeleteGroupsResponse).results[0].error_code == 16
    wish = DescribeGroupsRequest(groups=[GROUP])
    assert other.ask(wish, 5, DescribeGroupsResponse).groups[0].error_code == 16
