"""All groups of a cluster, with a clock that is told the time."""

import pytest

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError
from sidecar.embedded.groups.coordinator import CommittedOffset, GroupCoordinator
from sidecar.embedded.groups.member import JoinRequest
from sidecar.embedded.settings import Settings


class Time:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def groups(time):
    return GroupCoordinator(Settings(), time)


def wish(member_id="", session=10.0):
    protocols = (("range", b""),)
    return JoinRequest(member_id, "c", "/h", session, 60.0, "consumer", protocols, False)


def join(groups, name="g"):
    answers = []
    groups.join(name, wish(), answers.append)
    return answers[0]


def code(action):
    with pytest.raises(ApiError) as caught:
        action()
    return caught.value.code


def test_names_and_sessions_are_checked(groups):
    def refused(name, request):
        return code(lambda: groups.join(name, request, print))

    assert refused("", wish()) is ErrorCode.INVALID_GROUP_ID
    assert refused("g", wish(session=5.9)) is ErrorCode.INVALID_SESSION_TIMEOUT
    assert refused("g", wish(session=1801)) is ErrorCode.INVALID_SESSION_TIMEOUT
    assert refused("g", wish("nobody")) is ErrorCode.UNKNOWN_MEMBER_ID
    assert list(groups.groups()) == []


def test_unknown_groups_have_no_members(groups):
    assert code(lambda: groups.heartbeat("g", "m", 1)) is ErrorCode.UNKNOWN_MEMBER_ID
    assert code(lambda: groups.leave("g", "m")) is ErrorCode.UNKNOWN_MEMBER_ID
    assert code(lambda: groups.heartbeat("", "m", 1)) is ErrorCode.INVALID_GROUP_ID
    assert code(lambda: groups.sync("g", "m", 1, (None, None), {}, print)) is (
        ErrorCode.UNKNOWN_MEMBER_ID
    )


def test_offsets_of_members_and_of_nobody(groups):
    groups.commit("free", "", -1, {("t", 0): CommittedOffset(5)})
    groups.commit("free", "", -1, {("t", 1): CommittedOffset(6)})
    assert groups.offsets("free") == {("t", 0): CommittedOffset(5), ("t", 1): CommittedOffset(6)}
    assert groups.offsets("none") == {}
    assert code(lambda: groups.commit("new", "m", 1, {})) is ErrorCode.ILLEGAL_GENERATION
    assert code(lambda: groups.commit("", "", -1, {})) is ErrorCode.INVALID_GROUP_ID


def test_deletion_needs_an_empty_group(groups):
    member = join(groups).member_id
    assert code(lambda: groups.delete("g")) is ErrorCode.NON_EMPTY_GROUP
    assert code(lambda: groups.delete("x")) is ErrorCode.GROUP_ID_NOT_FOUND
    groups.leave("g", member)
    groups.delete("g")
    assert groups.find("g") is None


def test_dead_members_and_groups_that_hold_nothing_go(groups, time):
    join(groups, "passing")
    keeper = join(groups, "keeper")
    groups.sync("keeper", keeper.member_id, 1, (None, None), {}, lambda _: None)
    groups.commit("keeper", keeper.member_id, 1, {("t", 0): CommittedOffset(1)})
    time.now = 9.0
    groups.expire()
    assert len(list(groups.groups())) == 2
    time.now = 10.0
    groups.expire()
    assert [group.group_id for group in groups.groups()] == ["keeper"]
    assert groups.offsets("keeper")
