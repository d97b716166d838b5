"""No two virtual clusters that stand side by side can share a physical name."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.virtual_clusters import conflict, conflicts

NAMES = st.text("aA._-", min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("team", "teamA"),  # team + Ax is teamA + x
        ("teamA", "team"),
        ("team.A", "team_A"),  # team.Ax and team_Ax are one for Kafka
        ("team.", "team_A"),
        ("a", "a-"),
    ],
)
def test_a_name_that_begins_with_another_conflicts_with_it(name: str, other: str) -> None:
    assert conflict(name, ["unrelated", other, "passthrough"]) == other


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("teamA", "teamA"),
        ("teamA", "teamB"),
        ("teamA", "TEAMA"),
        ("team-A", "team.A"),
        ("bteam", "team"),
        ("pass", "passthrough"),
        ("passthrough", "pass"),
        ("passthroughs", "passthrough"),
    ],
)
def test_other_names_do_not_conflict(name: str, other: str) -> None:
    assert conflict(name, [other]) is None


@given(st.lists(NAMES, max_size=6, unique=True))
def test_all_conflicts_of_a_list_are_those_of_its_pairs(names: list[str]) -> None:
    pairs = {frozenset(p) for p in itertools.combinations(names, 2) if conflict(p[0], [p[1]])}

    assert {frozenset(pair) for pair in conflicts(names)} == pairs
    assert len(conflicts(names)) == len(pairs)


def test_conflicts_name_the_shorter_one_first_and_leave_passthrough_out() -> None:
    names = ["teamA", "passthrough", "team", "pass", "b.c", "b_c"]

    assert conflicts(names) == [("b.c", "b_c"), ("team", "teamA")]


TOPICS = st.text("aA._-", min_size=1, max_size=4)


@given(NAMES, TOPICS, NAMES, TOPICS)
def test_without_conflict_no_physical_name_is_shared(a: str, x: str, b: str, y: str) -> None:
    if a != b and conflict(a, [b]) is None:
        assert (a + x).replace(".", "_") != (b + y).replace(".", "_")


@given(NAMES, NAMES)
def test_with_a_conflict_some_physical_name_is_shared(a: str, b: str) -> None:
    if conflict(a, [b]):
        x, y = b[len(a) :] + "z", a[len(b) :] + "z"
        assert (a + x).replace(".", "_") == (b + y).replace(".", "_")


@given(NAMES, NAMES)
def test_a_conflict_is_one_from_both_sides(a: str, b: str) -> None:
    assert (conflict(a, [b]) is None) == (conflict(b, [a]) is None)
