"""Alias topics: which may be, and what becomes visible when."""

import pytest

from sidecar.control.alias_topics import MAX_ALIAS_TOPICS, AliasTopicService
from sidecar.control.state import ControlState
from sidecar.model.alias_topic import AliasTopic
from sidecar.model.errors import (
    AlreadyExists,
    FailedPrecondition,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from sidecar.model.snapshot import Snapshot

ORDERS = AliasTopic("teamA", "orders", "shared-orders")


class Fixture:
    """A service, what it published and asked, and the virtual clusters it claimed."""

    def __init__(self) -> None:
        self.published: list[Snapshot] = []
        self.claimed: list[str] = []
        self.asked: list[str] = []
        self.state = ControlState(self.published.append)
        self.service = AliasTopicService(self.state, self.claim, self)

    def claim(self, name: str, *, validate_only: bool = False) -> None:
        if name == "teamX":
            raise AlreadyExists("teamX cannot be")
        if not validate_only:
            self.claimed.append(name)

    def exists(self, physical_name: str) -> bool | None:
        assert not self.state.lock.locked()  # whoever waits for the cluster stops nobody
        self.asked.append(physical_name)
        return {"missing": False, "unknown": None}.get(physical_name, True)


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


def test_an_alias_is_published_before_the_call_returns(fixture: Fixture) -> None:
    assert fixture.service.create(ORDERS) == (ORDERS, True)

    assert fixture.published == [Snapshot(1, alias_topics=(ORDERS,))]
    assert (fixture.claimed, fixture.asked) == (["teamA"], ["shared-orders"])


def test_create_again_is_ok_and_asks_nobody(fixture: Fixture) -> None:
    fixture.service.create(ORDERS)

    assert fixture.service.create(ORDERS) == (ORDERS, False)
    assert (len(fixture.published), len(fixture.asked)) == (1, 1)


def test_an_alias_does_not_move_to_another_topic(fixture: Fixture) -> None:
    fixture.service.create(ORDERS)

    with pytest.raises(AlreadyExists) as refusal:
        fixture.service.create(AliasTopic("teamA", "orders", "other"))

    assert str(refusal.value) == (
        "alias topic 'orders' of virtual cluster 'teamA' leads to 'shared-orders': delete it first"
    )


def test_a_topic_has_one_alias_in_a_virtual_cluster(fixture: Fixture) -> None:
    fixture.service.create(ORDERS)

    with pytest.raises(AlreadyExists) as refusal:
        fixture.service.create(AliasTopic("teamA", "again", "shared-orders"))

    assert str(refusal.value) == (
        "virtual cluster 'teamA' reaches topic 'shared-orders' as 'orders' already:"
        " a topic has one name there"
    )
    fixture.service.create(AliasTopic("teamB", "again", "shared-orders"))  # that is sharing


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        (
            "missing",
            FailedPrecondition,
            "Physical topic named missing does not exist in your kafka cluster",
        ),
        (
            "unknown",
            Unavailable,
            "Error when calling backend kafka to verify if topic named unknown exists",
        ),
    ],
)
def test_the_topic_must_exist(
    fixture: Fixture, name: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as refusal:
        fixture.service.create(AliasTopic("teamA", "orders", name))

    assert str(refusal.value) == message
    assert (fixture.service.list(), fixture.claimed, fixture.published) == ((), [], [])


def test_where_the_virtual_cluster_cannot_be_there_is_no_alias(fixture: Fixture) -> None:
    with pytest.raises(AlreadyExists, match="teamX cannot be"):
        fixture.service.create(AliasTopic("teamX", "orders", "shared-orders"))

    assert fixture.service.list() == ()


def test_get_list_delete_and_purge(fixture: Fixture) -> None:
    second, third = AliasTopic("teamA", "b", "y"), AliasTopic("teamB", "orders", "z")
    for alias in (ORDERS, second, third):
        fixture.service.create(alias)

    assert fixture.service.list() == (ORDERS, second, third)
    assert fixture.service.list("teamA") == (ORDERS, second)
    assert fixture.service.get("teamB", "orders") == third
    fixture.service.delete("teamB", "orders")
    with pytest.raises(NotFound) as refusal:
        fixture.service.delete("teamB", "orders")
    assert str(refusal.value) == "there is no alias topic 'orders' in virtual cluster 'teamB'"
    fixture.service.delete("teamB", "orders", allow_missing=True)
    assert fixture.service.purge("teamA") == 2
    assert fixture.published[-1] == Snapshot(5)
    assert fixture.service.purge("teamA") == 0
    assert len(fixture.published) == 5


def test_a_failing_publish_changes_nothing() -> None:
    def fail(_: Snapshot) -> None:
        raise RuntimeError("the data plane is gone")

    service = AliasTopicService(ControlState(fail), lambda _, **__: None, Fixture())
    with pytest.raises(RuntimeError):
        service.create(ORDERS)

    assert service.list() == ()


def test_the_number_of_aliases_is_bounded(fixture: Fixture) -> None:
    for i in range(MAX_ALIAS_TOPICS):
        fixture.service.create(AliasTopic("teamA", f"t{i}", f"p{i}"))

    with pytest.raises(ResourceExhausted, match="there are 2000 alias topics"):
        fixture.service.create(ORDERS)
    assert fixture.service.create(AliasTopic("teamA", "t0", "p0")) == (
        AliasTopic("teamA", "t0", "p0"),
        False,
    )
    fixture.service.delete("teamA", "t0")
    fixture.service.create(ORDERS)


def test_validating_checks_everything_and_changes_nothing(fixture: Fixture) -> None:
    assert fixture.service.create(ORDERS, validate_only=True) == (ORDERS, True)

    with pytest.raises(FailedPrecondition):
        fixture.service.create(AliasTopic("teamA", "in", "missing"), validate_only=True)
    with pytest.raises(AlreadyExists, match="teamX cannot be"):
        fixture.service.create(AliasTopic("teamX", "in", "there"), validate_only=True)
    assert (fixture.published, fixture.claimed, fixture.service.list()) == ([], [], ())

    fixture.service.create(ORDERS)
    assert fixture.service.create(ORDERS, validate_only=True) == (ORDERS, False)
