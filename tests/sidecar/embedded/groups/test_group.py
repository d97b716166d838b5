"""The state machine of a classic consumer group, with time as an argument."""

from itertools import count

import pytest

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError
from sidecar.embedded.groups.group import Group, GroupState
from sidecar.embedded.groups.member import JoinRequest, JoinResult, SyncResult


def new_group() -> Group:
    ids = count(1)
    return Group("g", lambda client: f"{client}-{next(ids)}")


def wish(
    member_id: str = "",
    *protocols: str,
    metadata: bytes = b"m",
    kind: str = "consumer",
    require_member_id: bool = False,
) -> JoinRequest:
    names = protocols or ("range",)
    return JoinRequest(
        member_id,
        "c",
        "/127.0.0.1",
        10.0,
        60.0,
        kind,
        tuple((name, metadata) for name in names),
        require_member_id,
    )


def join(group: Group, request: JoinRequest, now: float = 0.0) -> list[JoinResult]:
    answers: list[JoinResult] = []
    group.join(request, now, answers.append)
    return answers


def sync(
    group: Group,
    member: str,
    assignments: dict[str, bytes] | None = None,
    generation: int | None = None,
    now: float = 0.0,
) -> list[SyncResult]:
    answers: list[SyncResult] = []
    chosen = group.generation if generation is None else generation
    group.sync(member, chosen, (None, None), assignments or {}, now, answers.append)
    return answers


def refusal(action: object) -> ErrorCode:
    with pytest.raises(ApiError) as caught:
        action()  # type: ignore[operator]
    return caught.value.code


def stable_pair() -> tuple[Group, str, str]:
    """A stable group of two; the first leads."""
    group = new_group()
    first = join(group, wish())[0].member_id
    sync(group, first, {first: b"all"})
    second = join(group, wish())
    again = join(group, wish(first))
    assert again[0].generation == second[0].generation == 2
    other = second[0].member_id
    waiting = sync(group, other)
    assert waiting == []
    assert sync(group, first, {first: b"A", other: b"B"})[0].assignment == b"A"
    assert waiting[0].assignment == b"B"
    assert group.state is GroupState.STABLE
    return group, first, other


def test_a_single_member_leads_at_once() -> None:
    group = new_group()
    (result,) = join(group, wish())
    assert result == JoinResult(
        ErrorCode.NONE, "c-1", 1, "consumer", "range", "c-1", (("c-1", b"m"),)
    )
    assert group.state is GroupState.COMPLETING_REBALANCE


def test_new_joiners_are_given_an_id_first_where_the_version_asks_for_it() -> None:
    group = new_group()
    (told,) = join(group, wish(require_member_id=True))
    assert (told.error, told.member_id) == (ErrorCode.MEMBER_ID_REQUIRED, "c-1")
    assert not group.members
    assert not group.is_idle
    (result,) = join(group, wish("c-1", require_member_id=True))
    assert result.error is ErrorCode.NONE


def test_a_member_id_that_was_never_used_is_forgotten() -> None:
    group = new_group()
    join(group, wish(require_member_id=True))
    group.expire(10.0)
    assert group.is_idle
    assert refusal(lambda: join(group, wish("c-1"))) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_second_member_waits_until_the_first_joins_again() -> None:
    stable_pair()


def test_only_the_leader_sees_the_others() -> None:
    group, first, other = stable_pair()
    leader, follower = join(group, wish(first)), join(group, wish(other))
    assert [name for name, _ in leader[0].members] == [first, other]
    assert follower[0].members == ()
    assert follower[0].leader == first


def test_heartbeats_tell_of_a_rebalance() -> None:
    group, first, other = stable_pair()
    group.heartbeat(first, 2, 1.0)
    join(group, wish())
    for member in (first, other):
        code = refusal(lambda member=member: group.heartbeat(member, 2, 1.0))
        assert code is ErrorCode.REBALANCE_IN_PROGRESS


def test_wrong_generation_and_unknown_member() -> None:
    group, first, _ = stable_pair()
    assert refusal(lambda: group.heartbeat(first, 1, 0.0)) is ErrorCode.ILLEGAL_GENERATION
    assert refusal(lambda: group.heartbeat("x", 2, 0.0)) is ErrorCode.UNKNOWN_MEMBER_ID
    assert refusal(lambda: sync(group, first, generation=1)) is ErrorCode.ILLEGAL_GENERATION
    assert refusal(lambda: group.leave("x", 0.0)) is ErrorCode.UNKNOWN_MEMBER_ID
    assert refusal(lambda: join(group, wish("x"))) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_follower_that_joins_again_unchanged_does_not_disturb() -> None:
    group, _, other = stable_pair()
    (result,) = join(group, wish(other))
    assert result.generation == 2
    assert group.state is GroupState.STABLE


def test_a_follower_with_new_metadata_starts_a_rebalance() -> None:
    group, first, other = stable_pair()
    assert join(group, wish(other, metadata=b"new")) == []
    (result,) = join(group, wish(first))
    assert result.members == ((first, b"m"), (other, b"new"))


def test_leaving_starts_a_rebalance_and_the_last_one_empties_the_group() -> None:
    group, first, other = stable_pair()
    group.leave(first, 0.0)
    assert group.state is GroupState.PREPARING_REBALANCE
    (result,) = join(group, wish(other))
    assert (result.leader, result.generation) == (other, 3)
    group.leave(other, 0.0)
    assert group.state is GroupState.EMPTY
    assert group.is_idle


def test_a_parked_sync_is_told_when_the_group_changes() -> None:
    group, first, other = stable_pair()
    join(group, wish(other, metadata=b"new"))
    join(group, wish(first))
    parked = sync(group, other)
    join(group, wish())
    assert parked[0].error is ErrorCode.REBALANCE_IN_PROGRESS


def test_sync_during_the_joining_phase_is_refused() -> None:
    group, first, _ = stable_pair()
    join(group, wish())
    assert refusal(lambda: sync(group, first)) is ErrorCode.REBALANCE_IN_PROGRESS


def test_sync_with_another_protocol_is_refused() -> None:
    group, first, _ = stable_pair()
    with pytest.raises(ApiError) as caught:
        group.sync(first, 2, ("consumer", "sticky"), {}, 0.0, lambda _: None)
    assert caught.value.code is ErrorCode.INCONSISTENT_GROUP_PROTOCOL


def test_a_silent_member_is_dropped_after_its_session() -> None:
    group, first, other = stable_pair()
    group.heartbeat(other, 2, 5.0)
    group.expire(9.9)
    assert len(group.members) == 2
    group.expire(10.0)
    assert list(group.members) == [other]
    assert group.state is GroupState.PREPARING_REBALANCE
    assert refusal(lambda: group.heartbeat(first, 2, 10.0)) is ErrorCode.UNKNOWN_MEMBER_ID


def test_who_does_not_join_in_time_is_left_behind() -> None:
    group, first, other = stable_pair()
    waiting = join(group, wish(first))
    for second in range(1, 60):
        assert (
            refusal(lambda now=second: group.heartbeat(other, 2, now))
            is ErrorCode.REBALANCE_IN_PROGRESS
        )
        group.expire(float(second))
    assert waiting == []
    group.expire(60.0)
    assert waiting[0].generation == 3
    assert list(group.members) == [first]


def test_who_does_not_sync_in_time_is_dropped() -> None:
    group, first, other = stable_pair()
    join(group, wish(first))
    join(group, wish(other))
    sync(group, first, {first: b"A"})
    for second in range(1, 60):
        group.heartbeat(other, 3, float(second))
        group.heartbeat(first, 3, float(second))
    group.expire(60.0)
    assert list(group.members) == [first]


def test_assignors_must_have_one_in_common() -> None:
    group = new_group()
    join(group, wish("", "range", "sticky"))
    code = refusal(lambda: join(group, wish("", "roundrobin")))
    assert code is ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    code = refusal(lambda: join(group, wish("", "range", kind="connect")))
    assert code is ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    assert refusal(lambda: join(new_group(), wish(kind=""))) is (
        ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    )


def test_the_common_assignor_most_members_want_wins() -> None:
    group = new_group()
    first = join(group, wish("", "range", "sticky"))[0].member_id
    others = [join(group, wish("", "sticky", "range")) for _ in range(2)]
    join(group, wish(first, "range", "sticky"))
    assert {answers[0].protocol for answers in others} == {"sticky"}


def test_commits_of_members_and_of_those_who_assign_themselves() -> None:
    group, first, _ = stable_pair()
    group.check_commit(first, 2, 0.0)
    assert refusal(lambda: group.check_commit(first, 1, 0.0)) is ErrorCode.ILLEGAL_GENERATION
    assert refusal(lambda: group.check_commit("", -1, 0.0)) is ErrorCode.UNKNOWN_MEMBER_ID
    new_group().check_commit("", -1, 0.0)
    joining = new_group()
    (result,) = join(joining, wish())
    code = refusal(lambda: joining.check_commit(result.member_id, 1, 0.0))
    assert code is ErrorCode.REBALANCE_IN_PROGRESS
