"""User mappings: what becomes visible when, and how many there may be."""

import pytest

from sidecar.control.state import ControlState
from sidecar.control.user_mappings import (
    MAX_GROUPS,
    MAX_USER_MAPPINGS,
    UserMappingService,
)
from sidecar.model.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
)
from sidecar.model.snapshot import Snapshot
from sidecar.model.user_mapping import UserMapping

ALICE = UserMapping("teamA", "alice", "CN=alice", frozenset({"dev"}))
OPS = UserMapping("teamA", "alice", "CN=alice", frozenset({"ops"}))


class Fixture:
    """A service, what it published, and the virtual clusters it claimed."""

    def __init__(self) -> None:
        self.published: list[Snapshot] = []
        self.claimed: list[str] = []
        self.service = UserMappingService(ControlState(self.published.append), self.claim)

    def claim(self, name: str, *, validate_only: bool = False) -> None:
        if name == "teamX":
            raise AlreadyExists("teamX cannot be")
        if not validate_only:
            self.claimed.append(name)


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


def test_a_mapping_is_published_before_the_call_returns(fixture: Fixture) -> None:
    fixture.service.create(ALICE)

    assert fixture.published == [Snapshot(1, user_mappings=(ALICE,))]
    assert fixture.claimed == ["teamA"]


def test_create_again_is_ok_and_other_content_is_not(fixture: Fixture) -> None:
    fixture.service.create(ALICE)

    assert fixture.service.create(ALICE) == ALICE
    assert len(fixture.published) == 1
    with pytest.raises(AlreadyExists) as refusal:
        fixture.service.create(OPS)
    assert str(refusal.value) == (
        "user mapping 'alice' in virtual cluster 'teamA' exists with other content"
    )
    with pytest.raises(AlreadyExists, match=r"exists$"):
        fixture.service.create(ALICE, require_new=True)


def test_update_replaces_the_groups(fixture: Fixture) -> None:
    fixture.service.create(ALICE)

    assert fixture.service.update(OPS) == (OPS, False, True)
    assert fixture.published[-1] == Snapshot(2, user_mappings=(OPS,))
    assert fixture.service.update(OPS) == (OPS, False, False)
    assert len(fixture.published) == 2


def test_update_creates_only_when_asked_to(fixture: Fixture) -> None:
    with pytest.raises(NotFound):
        fixture.service.update(ALICE)

    assert fixture.service.update(ALICE, allow_missing=True) == (ALICE, True, True)
    assert fixture.claimed == ["teamA"]


def test_the_same_user_may_be_in_several_virtual_clusters(fixture: Fixture) -> None:
    others = [UserMapping("teamB", "alice"), UserMapping("passthrough", "alice")]
    for mapping in (ALICE, *others):
        fixture.service.create(mapping)

    assert fixture.service.list() == (ALICE, *others)
    assert fixture.service.list("passthrough") == (others[1],)
    assert fixture.service.list("unknown") == ()
    assert fixture.service.get("teamB", "alice") == others[0]


def test_delete(fixture: Fixture) -> None:
    fixture.service.create(ALICE)
    fixture.service.delete("teamA", "alice")

    assert fixture.published[-1] == Snapshot(2)
    with pytest.raises(NotFound) as refusal:
        fixture.service.delete("teamA", "alice")
    assert str(refusal.value) == "there is no user mapping 'alice' in virtual cluster 'teamA'"
    fixture.service.delete("teamA", "alice", allow_missing=True)
    with pytest.raises(NotFound):
        fixture.service.get("teamA", "alice")


def test_where_the_virtual_cluster_cannot_be_nothing_is_mapped(fixture: Fixture) -> None:
    with pytest.raises(AlreadyExists, match="teamX cannot be"):
        fixture.service.create(UserMapping("teamX", "alice"))

    assert fixture.service.list() == ()
    assert fixture.published == []


def test_a_failing_publish_changes_nothing() -> None:
    def fail(_: Snapshot) -> None:
        raise RuntimeError("the data plane is gone")

    service = UserMappingService(ControlState(fail), lambda _, **__: None)
    with pytest.raises(RuntimeError):
        service.create(ALICE)

    assert service.list() == ()


def test_the_groups_of_a_mapping_are_bounded(fixture: Fixture) -> None:
    groups = frozenset(f"group{i}" for i in range(MAX_GROUPS + 1))

    with pytest.raises(InvalidArgument, match="groups has 101 names, at most 100 are allowed"):
        fixture.service.create(UserMapping("teamA", "alice", groups=groups))

    assert fixture.claimed == []


def test_the_number_of_mappings_is_bounded(fixture: Fixture) -> None:
    for i in range(MAX_USER_MAPPINGS):
        fixture.service.create(UserMapping("teamA", f"user{i}"))

    with pytest.raises(ResourceExhausted, match="there are 1000 user mappings"):
        fixture.service.create(ALICE)
    fixture.service.update(UserMapping("teamA", "user0", groups=frozenset({"dev"})))
    fixture.service.delete("teamA", "user0")
    fixture.service.create(ALICE)


def test_the_names_of_all_mappings_together_are_bounded(fixture: Fixture) -> None:
    groups = frozenset(f"{i:03}".ljust(128, "\N{CAT FACE}") for i in range(MAX_GROUPS))

    def fill() -> None:
        for i in range(MAX_USER_MAPPINGS):
            fixture.service.create(UserMapping("teamA", f"user{i}", groups=groups))

    with pytest.raises(ResourceExhausted, match="at most 2097152 are allowed"):
        fill()

    made = len(fixture.service.list())
    assert 35 < made < 50
    fixture.service.delete("teamA", "user0")
    fixture.service.create(UserMapping("teamA", "user-again", groups=groups))
    assert len(fixture.service.list()) == made


# Some fields only, and only to validate


def test_fields_that_are_not_named_stay(fixture: Fixture) -> None:
    fixture.service.create(ALICE)
    other = UserMapping("teamA", "alice", "CN=other", frozenset({"ops"}))

    assert fixture.service.update(other, fields=["principal"]) == (
        UserMapping("teamA", "alice", "CN=other", frozenset({"dev"})),
        False,
        True,
    )
    assert fixture.service.update(ALICE, fields=["groups"]).changed is False
    assert len(fixture.published) == 2


def test_of_a_new_mapping_all_fields_count(fixture: Fixture) -> None:
    assert fixture.service.update(ALICE, allow_missing=True, fields=["principal"]) == (
        ALICE,
        True,
        True,
    )


def test_validating_checks_everything_and_changes_nothing(fixture: Fixture) -> None:
    fixture.service.create(ALICE)

    assert fixture.service.update(OPS, validate_only=True) == (OPS, False, True)
    bob = UserMapping("teamA", "bob")
    assert fixture.service.update(bob, allow_missing=True, validate_only=True).created
    with pytest.raises(NotFound):
        fixture.service.update(bob, validate_only=True)
    elsewhere = UserMapping("teamX", "bob")
    with pytest.raises(AlreadyExists, match="teamX cannot be"):
        fixture.service.update(elsewhere, allow_missing=True, validate_only=True)
    assert fixture.service.list() == (ALICE,)
    assert len(fixture.published) == 1


# Groups

BOB = UserMapping("teamB", "bob", groups=frozenset({"ops"}))
ALICE_KEY, BOB_KEY = ("teamA", "alice"), ("teamB", "bob")


@pytest.fixture
def two(fixture: Fixture) -> Fixture:
    """Alice in dev, and Bob, who is elsewhere, in ops."""
    fixture.service.create(ALICE)
    fixture.service.create(BOB)
    return fixture


def groups(fixture: Fixture) -> dict[str, set[str]]:
    return {mapping.username: set(mapping.groups) for mapping in fixture.service.list()}


def test_a_group_has_exactly_the_members_it_is_given(two: Fixture) -> None:
    assert two.service.update_group("new", [ALICE_KEY, BOB_KEY]) == (True, True)
    assert groups(two) == {"alice": {"dev", "new"}, "bob": {"ops", "new"}}
    assert two.service.update_group("new", [BOB_KEY]) == (False, True)
    assert groups(two) == {"alice": {"dev"}, "bob": {"ops", "new"}}
    assert two.service.update_group("new", [BOB_KEY]) == (False, False)

    assert len(two.published) == 4
    assert two.published[-1].user_mappings == two.service.list()


def test_validating_a_group_changes_nothing(two: Fixture) -> None:
    assert two.service.update_group("new", [ALICE_KEY], validate_only=True) == (True, True)
    assert groups(two) == {"alice": {"dev"}, "bob": {"ops"}}
    assert len(two.published) == 2


def test_what_cannot_be_a_group_changes_nothing(two: Fixture) -> None:
    with pytest.raises(InvalidArgument, match="members must not be empty"):
        two.service.update_group("dev", [])
    with pytest.raises(NotFound, match="no user mapping 'carol' in virtual cluster 'teamA'"):
        two.service.update_group("dev", [BOB_KEY, ("teamA", "carol")])
    with pytest.raises(InvalidArgument, match="name is 'a/b'"):
        two.service.update_group("a/b", [BOB_KEY])
    many = frozenset(f"g{i}" for i in range(MAX_GROUPS))
    two.service.update(UserMapping("teamB", "bob", groups=many))
    with pytest.raises(InvalidArgument, match=r"'bob' .* which would name 101 groups"):
        two.service.update_group("dev", [ALICE_KEY, BOB_KEY])

    assert groups(two) == {"alice": {"dev"}, "bob": set(many)}


def test_deleting_a_group_takes_everybody_out(two: Fixture) -> None:
    two.service.update_group("dev", [ALICE_KEY, BOB_KEY])
    two.service.delete_group("dev")

    assert groups(two) == {"alice": set(), "bob": {"ops"}}
    with pytest.raises(NotFound, match="no group 'dev'"):
        two.service.delete_group("dev")


def test_a_mapping_in_groups_stays_if_that_is_asked_for(two: Fixture) -> None:
    with pytest.raises(FailedPrecondition, match="is in groups 'dev'; take it out"):
        two.service.delete(*ALICE_KEY, require_ungrouped=True)
    two.service.delete_group("dev")
    two.service.delete(*ALICE_KEY, require_ungrouped=True)

    assert two.service.list() == (BOB,)
