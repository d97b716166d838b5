"""The compiled interceptors: who draws, in which order, from where on."""

from collections.abc import Sequence

import pytest

from codec.api_keys import ApiKey
from sidecar.dataplane.pipeline import Pipeline, Stage
from sidecar.faults.draws import draw
from sidecar.model.identity import ANONYMOUS, Identity
from sidecar.model.interceptor import Interceptor, Scope
from sidecar.model.snapshot import Snapshot
from sidecar.model.user_mapping import UserMapping
from tests.support.sessions import TENANT, interceptor, snapshot


def stages(pipeline: Pipeline, who: Identity = ANONYMOUS) -> Sequence[Stage]:
    return pipeline.chains(who).get(ApiKey.PRODUCE, ())


def names(pipeline: Pipeline, who: Identity) -> list[str]:
    return [stage.interceptor.name for stage in stages(pipeline, who)]


def drawn(pipeline: Pipeline, count: int) -> list[tuple[int, bool]]:
    [stage] = stages(pipeline)
    return [stage.draw() for _ in range(count)]


def expected(item: Interceptor, first: int, count: int) -> list[tuple[int, bool]]:
    share = item.fault.rate_in_percent / 100
    return [(n, draw(item.seed, n) < share) for n in range(first, first + count)]


def test_only_produce_is_looked_at_and_only_where_someone_asked_for_it() -> None:
    assert set(Pipeline(snapshot(interceptor())).chains(ANONYMOUS)) == {ApiKey.PRODUCE}
    assert Pipeline(Snapshot()).chains(ANONYMOUS) == {}


def test_a_chain_holds_only_what_covers_the_client() -> None:
    pipeline = Pipeline(
        snapshot(
            interceptor(name="global"),
            interceptor(name="mine", scope=Scope(virtual_cluster="teamA")),
            interceptor(name="theirs", scope=Scope(virtual_cluster="teamB")),
            interceptor(name="group", scope=Scope(virtual_cluster="teamA", group="team")),
        )
    )

    assert names(pipeline, TENANT) == ["global", "group", "mine"]
    assert names(pipeline, Identity("sa", "teamB")) == ["global", "theirs"]
    assert names(pipeline, ANONYMOUS) == ["global"]


def test_user_mappings_decide_about_scopes_of_groups_and_usernames() -> None:
    user = Scope(virtual_cluster="teamA", username="alice")
    items = (
        interceptor(name="group", scope=Scope(virtual_cluster="teamA", group="dev")),
        interceptor(name="user", scope=user),
    )
    mapping = UserMapping("teamA", "alice", "CN=alice", frozenset({"dev"}))
    client = Identity("CN=alice", "teamA")
    before = Pipeline(Snapshot(1, items))
    after = Pipeline(Snapshot(2, items, user_mappings=(mapping,)), before)

    assert names(before, client) == []
    assert names(after, client) == ["group", "user"]
    assert names(after, Identity("CN=bob", "teamA")) == []
    assert names(after, Identity("CN=alice", "teamB")) == []


def test_lower_priority_stands_first_in_the_chain() -> None:
    pipeline = Pipeline(
        snapshot(
            interceptor(name="a", priority=3),
            interceptor(name="b", priority=1),
            interceptor(name="c", priority=2),
        )
    )

    assert names(pipeline, ANONYMOUS) == ["b", "c", "a"]


def test_draws_are_numbered_from_0_and_depend_on_the_seed() -> None:
    item = interceptor(50, seed=42)

    assert drawn(Pipeline(snapshot(item)), 20) == expected(item, 0, 20)


def test_draws_go_on_when_something_else_changes() -> None:
    item = interceptor(50, seed=42)
    first = Pipeline(snapshot(item))
    drawn(first, 5)

    second = Pipeline(snapshot(interceptor(name="other", priority=200), item), first)
    by_name = {stage.interceptor.name: stage for stage in stages(second)}

    assert by_name["simulate"].draw() == expected(item, 5, 1)[0]
    assert by_name["other"].draw()[0] == 0


def test_draws_go_on_over_a_change_that_keeps_the_uid() -> None:
    first = Pipeline(snapshot(interceptor(50)))
    drawn(first, 3)

    second = Pipeline(snapshot(interceptor(50, priority=1)), first)

    assert [n for n, _ in drawn(second, 2)] == [3, 4]


def test_a_replaced_interceptor_starts_anew() -> None:
    first = Pipeline(snapshot(interceptor(50, uid="old")))
    drawn(first, 3)

    second = Pipeline(snapshot(interceptor(50, uid="new")), first)

    assert [n for n, _ in drawn(second, 2)] == [0, 1]


def test_an_interceptor_that_was_gone_for_a_while_starts_anew() -> None:
    first = Pipeline(snapshot(interceptor(50)))
    drawn(first, 3)

    third = Pipeline(snapshot(interceptor(50)), Pipeline(Snapshot(), first))

    assert [n for n, _ in drawn(third, 1)] == [0]


def test_all_clients_of_an_interceptor_draw_from_one_sequence() -> None:
    pipeline = Pipeline(snapshot(interceptor(50)))

    numbers = [
        stages(pipeline, who)[0].draw()[0]
        for who in (ANONYMOUS, TENANT, Identity("b", "teamB"), TENANT)
    ]

    assert numbers == [0, 1, 2, 3]


@pytest.mark.parametrize("rate", [0.001, 100])
def test_draws_that_are_given_strike_and_no_others(rate: float) -> None:
    pipeline = Pipeline(snapshot(interceptor(rate, draws=(1, 4))))
    [stage] = pipeline.chains(ANONYMOUS)[ApiKey.PRODUCE]

    assert [stage.draw() for _ in range(6)] == [(n, n in (1, 4)) for n in range(6)]
