"""Who may be a virtual cluster, and when one ends."""

import threading
from collections.abc import Callable

import pytest

from sidecar.control.state import ControlState
from sidecar.control.virtual_clusters import VirtualClusterService, VirtualClusterView
from sidecar.faults.leader_election import LeaderElection
from sidecar.model.alias_topic import AliasTopic
from sidecar.model.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from sidecar.model.interceptor import Interceptor, Scope
from sidecar.model.user_mapping import UserMapping
from sidecar.model.virtual_clusters import MAX_VIRTUAL_CLUSTERS


class Clients:
    """Nobody is connected, unless told otherwise."""

    def __init__(self) -> None:
        self.count: int | None = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def clients(self, virtual_cluster: str) -> int | None:
        self.meanwhile()
        return self.count


class Fixture:
    """A service and what is around it."""

    def __init__(self, *configured: str) -> None:
        self.state = ControlState(lambda _: None)
        self.clients = Clients()
        self.service = VirtualClusterService(self.state, self.clients, configured)

    def names(self) -> list[str]:
        return [view.name for view in self.service.list()]


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


def test_virtual_clusters_come_into_being_by_use_once(fixture: Fixture) -> None:
    for name in ("teamB", "teamA", "teamB", "passthrough", "pass"):
        fixture.service.claim(name)

    assert fixture.names() == ["teamB", "teamA", "pass"]


@pytest.mark.parametrize(
    ("first", "second"), [("team", "teamA"), ("teamA", "team"), ("a.b", "a_b")]
)
def test_a_name_in_the_way_of_another_is_refused_with_both(
    fixture: Fixture, first: str, second: str
) -> None:
    fixture.service.claim(first)

    for claim in (fixture.service.claim, fixture.service.count_token):
        with pytest.raises(AlreadyExists) as refusal:
            claim(second)
        assert str(refusal.value) == (
            f"virtual cluster {second!r} cannot stand beside {first!r}: one name begins with the"
            " other ('.' and '_' are the same here), so both could reach the same topics"
        )
    assert fixture.names() == [first]


@pytest.mark.parametrize("name", ["", "_", "__consumer_offsets", "a b", "x" * 129])
def test_what_is_no_name_is_refused(fixture: Fixture, name: str) -> None:
    with pytest.raises(InvalidArgument):
        fixture.service.claim(name)
    with pytest.raises(InvalidArgument):
        fixture.service.count_token(name)

    assert fixture.names() == []


def test_configured_ones_are_there_and_no_others_may_be() -> None:
    fixture = Fixture("teamB", "passthrough", "teamA")

    fixture.service.claim("teamA")
    fixture.service.claim("passthrough")
    with pytest.raises(InvalidArgument) as refusal:
        fixture.service.claim("teamC")

    assert str(refusal.value) == (
        "virtual_cluster is 'teamC', GATEWAY_VCLUSTERS allows teamB, passthrough, teamA"
    )
    assert [(view.name, view.configured) for view in fixture.service.list()] == [
        ("teamB", True),
        ("teamA", True),
    ]


def test_a_long_configuration_is_not_told_in_full() -> None:
    fixture = Fixture(*(f"team{i:02}" for i in range(25)))

    with pytest.raises(InvalidArgument, match=r"team08, team09 and 15 more$"):
        fixture.service.claim("other")


def test_only_passthrough_may_be_used_where_only_that_is_configured() -> None:
    with pytest.raises(InvalidArgument):
        Fixture("passthrough").service.claim("teamA")


def test_there_are_at_most_a_thousand(fixture: Fixture) -> None:
    for i in range(MAX_VIRTUAL_CLUSTERS):
        fixture.service.claim(f"team{i:04}")

    with pytest.raises(ResourceExhausted, match="there are 1000 virtual clusters, no more"):
        fixture.service.claim("one-more")
    fixture.service.claim("team0000")
    fixture.service.delete("team0000")
    fixture.service.claim("one-more")


def use_all(fixture: Fixture) -> None:
    fixture.service.count_token("teamA")
    fixture.service.count_token("teamA")
    fixture.service.count_token("passthrough")
    fixture.service.claim("teamB")
    users = (
        UserMapping("teamA", "a", groups=frozenset({"dev", "ops"})),
        UserMapping("teamA", "b", groups=frozenset({"dev"})),
        UserMapping("passthrough", "c", groups=frozenset({"dev"})),
    )
    fault = LeaderElection(rate_in_percent=1)
    scope = Scope(virtual_cluster="teamA", group="dev")
    fixture.state.commit(
        interceptors=(Interceptor(name="x", scope=scope, priority=1, fault=fault),),
        alias_topics=(AliasTopic("teamA", "x", "y"), AliasTopic("teamB", "x", "y")),
        user_mappings=users,
    )


def test_what_refers_to_each_is_counted(fixture: Fixture) -> None:
    use_all(fixture)

    assert fixture.service.get("teamA") == VirtualClusterView(
        name="teamA",
        configured=False,
        alias_topics=1,
        user_mappings=2,
        groups=2,
        interceptors=1,
        tokens=2,
    )
    assert fixture.service.get("teamB").alias_topics == 1
    assert fixture.service.get("teamB").groups == 0


def test_what_is_not_there_is_not_found(fixture: Fixture) -> None:
    with pytest.raises(NotFound, match=r"^there is no virtual cluster 'teamA'$"):
        fixture.service.get("teamA")
    with pytest.raises(NotFound, match=r"^'passthrough' is no virtual cluster"):
        fixture.service.get("passthrough")
    with pytest.raises(NotFound):
        fixture.service.delete("teamA")
    fixture.service.delete("teamA", allow_missing=True)


def test_deleting_frees_the_name(fixture: Fixture) -> None:
    fixture.service.count_token("team")
    fixture.service.delete("team")
    fixture.service.claim("teamA")

    assert fixture.names() == ["teamA"]
    with pytest.raises(AlreadyExists):
        fixture.service.claim("team")


def test_what_is_referred_to_stays_and_the_message_says_by_what(fixture: Fixture) -> None:
    use_all(fixture)

    with pytest.raises(FailedPrecondition) as refusal:
        fixture.service.delete("teamA")

    assert str(refusal.value) == (
        "virtual cluster 'teamA' is referred to by alias topics: 1, user mappings: 2,"
        " interceptors: 1; delete them first"
    )
    assert fixture.names() == ["teamA", "teamB"]


@pytest.mark.parametrize(
    ("count", "error", "words"),
    [
        (3, FailedPrecondition, "has client connections: 3; end them first"),
        (None, Unavailable, "cannot be told now: try again"),
    ],
)
def test_with_clients_it_stays_and_goes_on(
    fixture: Fixture, count: int | None, error: type[Exception], words: str
) -> None:
    fixture.service.claim("teamA")
    fixture.clients.count = count

    with pytest.raises(error, match=words):
        fixture.service.delete("teamA")

    fixture.service.claim("teamA")
    assert fixture.names() == ["teamA"]


def test_a_configured_one_stays() -> None:
    fixture = Fixture("teamA")

    with pytest.raises(FailedPrecondition, match="GATEWAY_VCLUSTERS names it"):
        fixture.service.delete("teamA")


def test_nobody_gets_in_while_clients_are_counted(fixture: Fixture) -> None:
    """Or a client of the old one could meet one of a new virtual cluster on the same topics."""
    refusals: list[Exception] = []

    def arrive() -> None:
        for claim in (fixture.service.claim, fixture.service.count_token):
            try:
                claim("team")
            except Unavailable as error:
                refusals.append(error)
        with pytest.raises(AlreadyExists):
            fixture.service.claim("teamA")

    fixture.service.claim("team")
    fixture.clients.meanwhile = arrive
    fixture.service.delete("team")

    assert [str(e) for e in refusals] == ["virtual cluster 'team' is being deleted: try again"] * 2
    fixture.service.claim("teamA")


def test_a_claim_never_waits_for_a_writer(fixture: Fixture) -> None:
    """The hub claims, and a writer may be waiting for the hub."""
    with fixture.state.lock:
        thread = threading.Thread(target=fixture.service.claim, args=("teamA",))
        thread.start()
        thread.join(timeout=10)

    assert not thread.is_alive()
    assert fixture.names() == ["teamA"]


def test_of_two_that_come_together_one_gets_in(fixture: Fixture) -> None:
    names = ["team" + "A" * n for n in range(8)]
    barrier = threading.Barrier(len(names))
    refused: list[str] = []

    def arrive(name: str) -> None:
        barrier.wait()
        try:
            fixture.service.claim(name)
        except AlreadyExists:
            refused.append(name)

    threads = [threading.Thread(target=arrive, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(fixture.names()) == 1
    assert len(refused) == len(names) - 1


# Before the first use


def test_one_is_created_before_its_first_use(fixture: Fixture) -> None:
    view, created = fixture.service.create("teamA")

    assert (view, created) == (fixture.service.get("teamA"), True)
    assert fixture.service.create("teamA") == (view, False)
    assert fixture.names() == ["teamA"]


def test_validating_creates_none(fixture: Fixture) -> None:
    view, created = fixture.service.create("teamA", validate_only=True)
    assert (view.name, view.tokens, created) == ("teamA", 0, True)
    fixture.service.claim("teamB", validate_only=True)
    assert fixture.names() == []

    fixture.service.create("team")
    for check in (fixture.service.create, fixture.service.claim):
        with pytest.raises(AlreadyExists, match="cannot stand beside 'team'"):
            check("teamA", validate_only=True)


@pytest.mark.parametrize("name", ["passthrough", "", "_x", "a b"])
def test_what_cannot_be_one_is_not_created(fixture: Fixture, name: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        fixture.service.create(name)
    assert refusal.value.violations[0].field == "name"
    assert fixture.names() == []


def test_only_configured_ones_are_created() -> None:
    fixture = Fixture("teamA")

    assert fixture.service.create("teamA")[1] is False
    with pytest.raises(InvalidArgument, match="name is 'teamB', GATEWAY_VCLUSTERS allows teamA"):
        fixture.service.create("teamB")


def test_scopes_with_nobody_in_them(fixture: Fixture) -> None:
    check = fixture.service.check_scope
    for scope in (Scope(), Scope(virtual_cluster="passthrough")):
        check(scope)
    with pytest.raises(NotFound, match="no virtual cluster 'teamA'"):
        check(Scope(virtual_cluster="teamA"))
    fixture.service.claim("teamA")
    for scope in (Scope(virtual_cluster="teamA"), Scope(virtual_cluster="teamA", username="any")):
        check(scope)

    grouped = Scope(virtual_cluster="teamA", group="dev")
    elsewhere = UserMapping("passthrough", "a", groups=frozenset({"dev"}))
    with fixture.state.lock:
        fixture.state.commit(user_mappings=(elsewhere,))
    with pytest.raises(NotFound, match="no group 'dev' in virtual cluster 'teamA'"):
        check(grouped)
    with fixture.state.lock:
        fixture.state.commit(user_mappings=(UserMapping("teamA", "a", groups=frozenset({"dev"})),))
    check(grouped)
