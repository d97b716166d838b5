"""User mappings: what becomes visible when, and how many there may be."""

import pytest

from sidecar.control.state import ControlState
from sidecar.control.user_mappings import (
    MAX_GROUPS,
    MAX_USER_MAPPINGS,
    UserMappingService,
)
from sidecar.model.errors import AlreadyExists, InvalidArgument, NotFound, ResourceExhausted
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

    def claim(self, name: str) -> None:
        if name == "teamX":
            raise AlreadyExists("teamX cannot be")
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

    assert fixture.service.update(OPS) == (OPS, False)
    assert fixture.published[-1] == Snapshot(2, user_mappings=(OPS,))
    assert fixture.service.update(OPS) == (OPS, False)
    assert len(fixture.published) == 2


def test_update_creates_only_when_asked_to(fixture: Fixture) -> None:
    with pytest.raises(NotFound):
        fixture.service.update(ALICE)

    assert fixture.service.update(ALICE, allow_missing=True) == (ALICE, True)
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

    service = UserMappingService(ControlState(fail), lambda _: None)
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
