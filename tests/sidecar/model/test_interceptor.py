"""Scopes, and which interceptors apply to whom in which order."""

import itertools
from typing import Any

import pytest

from sidecar.faults.leader_election import LeaderElection
from sidecar.model.errors import InvalidArgument
from sidecar.model.identity import ANONYMOUS, Identity
from sidecar.model.interceptor import MAX_DRAWS, MAX_PRIORITY, Interceptor, Scope, resolve

SA = Identity("sa", "teamA", frozenset({"dev", "ops"}))
GLOBAL = Scope()
CLUSTER = Scope(virtual_cluster="teamA")
GROUP = Scope(virtual_cluster="teamA", group="dev")
USER = Scope(virtual_cluster="teamA", username="sa")


def make(scope: Scope = GLOBAL, name: str = "x", priority: int = 100) -> Interceptor:
    fault = LeaderElection(rate_in_percent=50)
    return Interceptor(name=name, scope=scope, priority=priority, fault=fault)


@pytest.mark.parametrize(
    ("fields", "field", "description"),
    [
        (
            {"virtual_cluster": "team A"},
            "scope.virtual_cluster",
            "scope.virtual_cluster is 'team A', allowed are letters, digits, '.', '_' and '-'",
        ),
        (
            {"virtual_cluster": "a", "group": "x/y"},
            "scope.group",
            "scope.group is 'x/y', allowed are printable characters without '/'",
        ),
        (
            {"virtual_cluster": "a", "username": "x\n"},
            "scope.username",
            "scope.username is 'x\\n', allowed are printable characters without '/'",
        ),
        ({"group": "g"}, "scope.group", "scope.group needs scope.virtual_cluster beside it"),
        ({"username": "u"}, "scope.username", "scope.username needs scope.virtual_cluster beside"),
        (
            {"virtual_cluster": "a", "group": "g", "username": "u"},
            "scope.group",
            "scope.group and scope.username exclude each other",
        ),
    ],
)
def test_a_scope_that_means_nothing_is_refused(
    fields: dict[str, str], field: str, description: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        Scope(**fields)

    [violation] = refusal.value.violations
    assert violation.field == field
    assert violation.description.startswith(description)


@pytest.mark.parametrize(
    ("scope", "who", "covered"),
    [
        (GLOBAL, SA, True),
        (GLOBAL, ANONYMOUS, True),
        (CLUSTER, SA, True),
        (CLUSTER, Identity("sa", "teamB"), False),
        (CLUSTER, Identity("sa", "teamAB"), False),
        (CLUSTER, ANONYMOUS, False),
        (Scope(virtual_cluster="passthrough"), ANONYMOUS, True),
        (Scope(virtual_cluster="passthrough"), SA, False),
        (GROUP, SA, True),
        (GROUP, Identity("sa", "teamA", frozenset({"ops"})), False),
        (GROUP, Identity("sa", "teamA"), False),
        (GROUP, Identity("sa", "teamB", frozenset({"dev"})), False),
        (USER, SA, True),
        (USER, Identity("other", "teamA"), False),
        (USER, Identity("sa", "teamB"), False),
    ],
)
def test_a_scope_covers_whom_all_its_names_match(scope: Scope, who: Identity, covered: bool):
    assert scope.covers(who) is covered


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "name must not be empty"),
        ({"name": "a/b"}, "name is 'a/b', allowed are printable characters without '/'"),
        ({"priority": -1}, "priority is -1, allowed are 0 to 2147483647"),
        ({"priority": MAX_PRIORITY + 1}, "priority is 2147483648, allowed are 0 to 2147483647"),
    ],
)
def test_a_bad_interceptor_is_refused_by_field_value_and_range(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        make(**fields)

    assert str(refusal.value) == message
    assert refusal.value.violations[0].field == next(iter(fields))


@pytest.mark.parametrize("priority", [0, MAX_PRIORITY])
def test_the_ends_of_the_priority_range_are_allowed(priority: int) -> None:
    assert make(priority=priority).priority == priority


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_of_one_name_only_the_most_specific_scope_counts(order: tuple[int, ...]) -> None:
    by_rank = [make(scope) for scope in (GLOBAL, CLUSTER, GROUP, USER)]

    for highest in range(4):
        present = [by_rank[i] for i in order if i <= highest]
        assert resolve(present, SA) == (by_rank[highest],)


def test_a_more_specific_scope_that_does_not_cover_the_user_overrides_nothing() -> None:
    everywhere, for_other = make(GLOBAL), make(Scope(virtual_cluster="teamA", username="other"))

    assert resolve([everywhere, for_other], SA) == (everywhere,)
    assert resolve([for_other, everywhere], Identity("other", "teamA")) == (for_other,)


def test_several_groups_of_one_user_count_together() -> None:
    dev, ops = make(GROUP), make(Scope(virtual_cluster="teamA", group="ops"))

    assert resolve([ops, dev, make(CLUSTER)], SA) == (dev, ops)


def test_lower_priority_runs_first_and_names_break_ties() -> None:
    late, b, a, early = (
        make(name="a-late", priority=200),
        make(CLUSTER, name="b"),
        make(name="a"),
        make(USER, name="z-early", priority=1),
    )

    for order in itertools.permutations([late, b, a, early]):
        assert resolve(order, SA) == (early, a, b, late)


def test_different_names_in_different_scopes_all_apply() -> None:
    chosen = resolve([make(GLOBAL, "g"), make(CLUSTER, "c"), make(USER, "u")], SA)

    assert [item.name for item in chosen] == ["c", "g", "u"]


def test_a_username_scope_covers_the_other_names_of_a_user() -> None:
    who = Identity("CN=alice", "teamA", other_names=frozenset({"alice"}))

    assert Scope(virtual_cluster="teamA", username="alice").covers(who)
    assert Scope(virtual_cluster="teamA", username="CN=alice").covers(who)
    assert not Scope(virtual_cluster="teamA", username="bob").covers(who)


@pytest.mark.parametrize("draws", [(), (0,), (2**63 - 1, 3), tuple(range(MAX_DRAWS))])
def test_draws_that_an_interceptor_may_be_given(draws: tuple[int, ...]) -> None:
    assert drawn(draws).draws == draws


@pytest.mark.parametrize(
    ("draws", "words"),
    [
        ((3, -1), "draws has -1, allowed are 0 to 9223372036854775807"),
        ((2**63,), "draws has 9223372036854775808, allowed are 0 to"),
        (tuple(range(MAX_DRAWS + 1)), "draws has 10001 numbers, at most 10000 are allowed"),
    ],
)
def test_draws_that_it_may_not(draws: tuple[int, ...], words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        drawn(draws)


@pytest.mark.parametrize("own", [{"window_ms": 1}, {"draw": "PARTITION"}], ids=repr)
def test_a_fault_that_draws_for_itself_takes_none(own: dict[str, Any]) -> None:
    fault = LeaderElection(rate_in_percent=1, **own)
    with pytest.raises(InvalidArgument, match="draws is not empty, allowed with draws for"):
        Interceptor(name="n", scope=Scope(), priority=1, fault=fault, draws=(1,))


def drawn(draws: tuple[int, ...]) -> Interceptor:
    fault = LeaderElection(rate_in_percent=1)
    return Interceptor(name="n", scope=Scope(), priority=1, fault=fault, draws=draws)
