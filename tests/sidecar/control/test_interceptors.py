"""Interceptors: what becomes visible when, and which seed they draw from."""

import itertools
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from sidecar.control.interceptors import (
    MAX_INTERCEPTORS,
    InterceptorService,
    derived_seed,
)
from sidecar.control.journal import Journal
from sidecar.control.state import ControlState
from sidecar.control.weights import MAX_ALL_ANNOTATION_BYTES, MAX_ANNOTATION_BYTES
from sidecar.faults.leader_election import LeaderElection
from sidecar.model.errors import (
    Aborted,
    AlreadyExists,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
)
from sidecar.model.identity import Identity
from sidecar.model.interceptor import Interceptor, Scope
from sidecar.model.snapshot import Snapshot
from sidecar.model.user_mapping import UserMapping
from tests.sidecar.api.harness import injection

TEAM_A = Scope(virtual_cluster="teamA")


def wanted(name: str = "elections", **changes: Any) -> Interceptor:
    values: dict[str, Any] = {
        "name": name,
        "scope": TEAM_A,
        "priority": 100,
        "fault": LeaderElection(rate_in_percent=50),
    }
    return Interceptor(**(values | changes))


class Fixture:
    """A service with counted uids and seeds."""

    def __init__(self, process_seed: int | None = None) -> None:
        self.published: list[Snapshot] = []
        self.journal = Journal()
        uids, seeds = itertools.count(1), itertools.count(1000)
        self.service = InterceptorService(
            ControlState(self.published.append),
            self.journal,
            process_seed=process_seed,
            random_seed=lambda: next(seeds),
            new_uid=lambda: f"uid-{next(uids)}",
        )


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


def test_create_is_published_before_it_returns(fixture: Fixture) -> None:
    view = fixture.service.create(wanted())

    assert view.interceptor == wanted(seed=1000, uid="uid-1")
    assert fixture.published == [Snapshot(1, (view.interceptor,))]


def test_creating_the_same_again_changes_nothing(fixture: Fixture) -> None:
    first = fixture.service.create(wanted(annotations=MappingProxyType({"a": "b"})))

    assert fixture.service.create(wanted(annotations={"a": "b"})) == first
    assert len(fixture.published) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"priority": 1},
        {"fault": LeaderElection(rate_in_percent=50, seed=1)},
        {"annotations": {"a": "c"}},
    ],
)
def test_creating_something_else_under_the_name_is_refused(
    fixture: Fixture, changes: dict[str, Any]
) -> None:
    fixture.service.create(wanted())

    with pytest.raises(
        AlreadyExists,
        match=r"^interceptor 'elections' exists in virtual cluster 'teamA' with other content$",
    ):
        fixture.service.create(wanted(**changes))
    fixture.service.create(wanted(scope=Scope(), **changes))


def test_require_new_refuses_even_the_same(fixture: Fixture) -> None:
    fixture.service.create(wanted(), require_new=True)

    with pytest.raises(AlreadyExists):
        fixture.service.create(wanted(), require_new=True)


def test_a_failing_publish_changes_nothing() -> None:
    def fail(_: Snapshot) -> None:
        raise RuntimeError("the data plane is gone")

    service = InterceptorService(ControlState(fail), Journal())
    with pytest.raises(RuntimeError):
        service.create(wanted())

    assert service.list() == ()


def test_resolving_follows_the_user_mappings() -> None:
    state = ControlState(lambda _: None)
    service = InterceptorService(state, Journal())
    service.create(wanted("group", scope=Scope(virtual_cluster="teamA", group="dev")))
    service.create(wanted("user", scope=Scope(virtual_cluster="teamA", username="alice")))
    with state.lock:
        mapping = UserMapping("teamA", "alice", "CN=alice", frozenset({"dev"}))
        state.commit(user_mappings=(mapping,))

    def names(who: Identity) -> list[str]:
        return [view.interceptor.name for view in service.resolve(who)]

    assert names(Identity("CN=alice", "teamA")) == ["group", "user"]
    assert names(Identity("CN=alice", "teamB")) == []
    assert names(Identity("", "teamA")) == []


def test_list_is_by_exact_scope_and_in_order_of_creation(fixture: Fixture) -> None:
    user = Scope(virtual_cluster="teamA", username="sa")
    for name, scope in (("z", TEAM_A), ("a", TEAM_A), ("m", user), ("g", Scope())):
        fixture.service.create(wanted(name, scope=scope))

    def names(scope: Scope | None) -> list[str]:
        return [view.interceptor.name for view in fixture.service.list(scope)]

    assert names(TEAM_A) == ["z", "a"]
    assert names(user) == ["m"]
    assert names(Scope()) == ["g"]
    assert names(Scope(virtual_cluster="unknown")) == []
    assert names(None) == ["z", "a", "m", "g"]


def test_update_replaces_and_starts_the_draws_anew_with_another_fault(fixture: Fixture) -> None:
    created = fixture.service.create(wanted())
    fixture.journal.publish(injection(interceptor_uid="uid-1"))
    fault = LeaderElection(rate_in_percent=10)

    view, is_new, changed = fixture.service.update(wanted(fault=fault))

    assert (is_new, changed) == (False, True)
    assert view.interceptor == wanted(fault=fault, seed=1001, uid="uid-2")
    assert view.etag != created.etag
    assert view.injections == 0
    assert fixture.published[-1] == Snapshot(2, (view.interceptor,))


def test_update_of_anything_else_lets_the_draws_go_on(fixture: Fixture) -> None:
    created = fixture.service.create(wanted())
    fixture.journal.publish(injection(interceptor_uid="uid-1"))

    view, *_ = fixture.service.update(wanted(priority=1))

    assert view.interceptor == replace(created.interceptor, priority=1)
    assert view.injections == 1
    assert view.etag != created.etag


def test_update_to_the_same_changes_nothing(fixture: Fixture) -> None:
    created = fixture.service.create(wanted())

    assert fixture.service.update(wanted()) == (created, False, False)
    assert len(fixture.published) == 1


def test_update_of_a_missing_one(fixture: Fixture) -> None:
    with pytest.raises(NotFound, match="no interceptor 'elections' in virtual cluster 'teamA'"):
        fixture.service.update(wanted())
    with pytest.raises(NotFound):
        fixture.service.update(wanted(), allow_missing=True, etag="x")

    view, is_new, changed = fixture.service.update(wanted(), allow_missing=True)
    assert (is_new, changed) == (True, True)
    assert view.interceptor.uid == "uid-1"


def test_what_a_client_gave_is_of_the_etag_too(fixture: Fixture) -> None:
    first = fixture.service.create(wanted(given=frozenset({"rate_in_percent"})))

    second = fixture.service.update(wanted(given=frozenset({"rate_in_percent", "draw"})))

    assert second.changed
    assert second.view.etag != first.etag


def test_a_stale_etag_is_refused(fixture: Fixture) -> None:
    stale = fixture.service.create(wanted()).etag
    current = fixture.service.update(wanted(priority=1), etag=stale)[0].etag

    with pytest.raises(Aborted, match=f"etag is '{stale}', the current one is '{current}'"):
        fixture.service.update(wanted(priority=2), etag=stale)
    with pytest.raises(Aborted):
        fixture.service.delete("elections", TEAM_A, etag=stale)
    fixture.service.delete("elections", TEAM_A, etag=current)
    assert len(fixture.service) == 0


def test_delete(fixture: Fixture) -> None:
    fixture.service.create(wanted())
    fixture.journal.publish(injection(interceptor_uid="uid-1"))
    fixture.service.delete("elections", TEAM_A)

    assert fixture.published[-1] == Snapshot(2, ())
    assert fixture.journal.count("uid-1") == 0
    with pytest.raises(NotFound):
        fixture.service.delete("elections", TEAM_A)
    with pytest.raises(NotFound):
        fixture.service.get("elections", TEAM_A)
    fixture.service.delete("elections", TEAM_A, allow_missing=True)
    assert len(fixture.published) == 2


def test_resolve_tells_what_applies_in_order(fixture: Fixture) -> None:
    fixture.service.create(wanted("late", priority=9, scope=Scope()))
    fixture.service.create(wanted("early", priority=1))
    fixture.service.create(wanted("other", scope=Scope(virtual_cluster="teamB")))

    found = fixture.service.resolve(Identity("sa", "teamA"))

    assert [view.interceptor.name for view in found] == ["early", "late"]


def test_seed_is_the_interceptors_own_if_it_has_one() -> None:
    view = Fixture(process_seed=42).service.create(
        wanted(fault=LeaderElection(rate_in_percent=50, seed=7))
    )

    assert view.interceptor.seed == 7


def test_seed_derives_from_the_process_seed_scope_and_name() -> None:
    service = Fixture(process_seed=42).service
    service.create(wanted("first"))
    seed = service.create(wanted()).interceptor.seed

    assert seed == derived_seed(42, TEAM_A, "elections")
    assert Fixture(process_seed=42).service.create(wanted()).interceptor.seed == seed
    others = {
        derived_seed(42, TEAM_A, "elections"),
        derived_seed(43, TEAM_A, "elections"),
        derived_seed(42, TEAM_A, "election"),
        derived_seed(42, Scope(), "elections"),
        derived_seed(42, Scope(virtual_cluster="teamA", group="sa"), "elections"),
        derived_seed(42, Scope(virtual_cluster="teamA", username="sa"), "elections"),
    }
    assert len(others) == 6
    assert all(0 <= seed < 2**64 for seed in others)


def test_derived_seed_is_stable_across_releases() -> None:
    assert derived_seed(42, TEAM_A, "elections") == 12627497430710951537


def test_random_seeds_differ() -> None:
    service = InterceptorService(ControlState(lambda _: None), Journal())

    seeds = {service.create(wanted(f"n{i}")).interceptor.seed for i in range(10)}
    assert len(seeds) == 10


def test_limits(fixture: Fixture) -> None:
    with pytest.raises(InvalidArgument, match="annotations has 4097 bytes"):
        fixture.service.create(wanted(annotations={"ä": "x" * (MAX_ANNOTATION_BYTES - 1)}))
    for i in range(MAX_INTERCEPTORS):
        fixture.service.create(wanted(f"n{i}"))
    with pytest.raises(ResourceExhausted, match="there are 1000 interceptors"):
        fixture.service.create(wanted())


def test_annotations_of_all_are_limited_together(fixture: Fixture) -> None:
    service = fixture.service
    long = {"k": "x" * (MAX_ANNOTATION_BYTES - 1)}
    room = MAX_ALL_ANNOTATION_BYTES // (MAX_ANNOTATION_BYTES + 9)
    for i in range(room):
        service.create(wanted(f"n{i}", annotations=long))

    with pytest.raises(ResourceExhausted, match="annotations of all interceptors"):
        service.create(wanted("more", annotations=long))
    service.create(wanted("more"))
    with pytest.raises(ResourceExhausted, match="annotations of all interceptors"):
        service.update(wanted("more", annotations=long))
    assert service.get("more", TEAM_A).interceptor.annotations == {}

    service.update(wanted("n0", annotations=long, priority=1))  # as long as it was
    service.update(wanted("n0"))
    service.update(wanted("more", annotations=long))
    service.delete("n1", TEAM_A)
    service.create(wanted("another", annotations=long))


def test_annotations_of_a_change_that_was_not_published_do_not_count() -> None:
    def refuse(snapshot: Snapshot) -> None:
        raise RuntimeError

    service = InterceptorService(ControlState(refuse), Journal())
    for i in range(2 * MAX_ALL_ANNOTATION_BYTES // MAX_ANNOTATION_BYTES):
        with pytest.raises(RuntimeError):
            service.create(wanted(f"n{i}", annotations={"k": "x" * (MAX_ANNOTATION_BYTES - 1)}))


# Only to validate


def test_validating_tells_what_an_update_would_do_and_does_nothing(fixture: Fixture) -> None:
    made = fixture.service.update(wanted(), allow_missing=True, validate_only=True)
    assert (made.view.interceptor, made.created, made.changed) == (wanted(), True, True)
    assert fixture.service.list() == ()

    present = fixture.service.create(wanted())
    other = wanted(fault=LeaderElection(rate_in_percent=10))
    changed = fixture.service.update(other, validate_only=True)
    assert (changed.view.interceptor, changed.created, changed.changed) == (other, False, True)
    kept, *_ = fixture.service.update(wanted(priority=1), validate_only=True)
    assert kept.interceptor == replace(present.interceptor, priority=1)  # its draws would go on
    assert fixture.service.update(wanted(), validate_only=True) == (present, False, False)

    assert fixture.service.list() == (present,)
    assert len(fixture.published) == 1


def test_validating_refuses_what_an_update_would(fixture: Fixture) -> None:
    long = wanted(annotations={"note": "x" * 4097})

    with pytest.raises(NotFound):
        fixture.service.update(wanted(), validate_only=True)
    for _ in range(2):
        with pytest.raises(InvalidArgument, match="annotations has 4101 bytes"):
            fixture.service.update(long, allow_missing=True, validate_only=True)
        fixture.service.update(wanted(), allow_missing=True)
