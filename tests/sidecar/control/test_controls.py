"""Pauses, ends, limits and the kill switch: what callers see of them, and when."""

from dataclasses import replace
from typing import Any

import pytest

from sidecar.control.interceptors import KEPT_SECONDS
from sidecar.control.weights import MAX_ALL_ANNOTATION_BYTES
from sidecar.model.errors import (
    Aborted,
    AlreadyExists,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
)
from sidecar.model.interceptor import Scope
from sidecar.model.lease import Lease
from sidecar.model.limits import Limits
from sidecar.model.selector import Selector
from sidecar.model.snapshot import Snapshot
from tests.sidecar.control.clocked import START, Fixture
from tests.sidecar.control.test_interceptors import TEAM_A, wanted


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


# Pauses


def test_a_pause_is_published_and_repeated_without_a_change(fixture: Fixture) -> None:
    created = fixture.service.create(wanted())

    paused = fixture.service.pause("elections", TEAM_A)
    again = fixture.service.pause("elections", TEAM_A)

    assert (paused.state, paused.interceptor.paused) == ("PAUSED", True)
    assert again == paused
    assert paused.etag != created.etag
    assert paused.interceptor.uid == created.interceptor.uid
    assert fixture.last == Snapshot(2, (paused.interceptor,))
    assert fixture.service.pause("elections", TEAM_A, paused=False) == created
    assert len(fixture.published) == 3


def test_pauses_need_an_interceptor_and_its_etag(fixture: Fixture) -> None:
    with pytest.raises(NotFound, match="there is no interceptor 'elections'"):
        fixture.service.pause("elections", TEAM_A)
    created = fixture.service.create(wanted())
    with pytest.raises(Aborted):
        fixture.service.pause("elections", TEAM_A, etag="other")

    assert fixture.service.pause("elections", TEAM_A, etag=created.etag).state == "PAUSED"


def test_a_paused_one_stays_so_when_it_is_changed_or_created_again(fixture: Fixture) -> None:
    fixture.service.create(wanted())
    fixture.service.pause("elections", TEAM_A)

    assert fixture.service.create(wanted()).state == "PAUSED"
    view = fixture.service.update(wanted(priority=1)).view
    assert view.state == "PAUSED"


# Reset


def test_reset_deletes_those_of_one_scope_or_all(fixture: Fixture) -> None:
    for name in ("a", "b"):
        fixture.service.create(wanted(name))
        fixture.service.create(wanted(name, scope=Scope()))
    user = Scope(virtual_cluster="teamA", username="sa")
    fixture.service.create(wanted("a", scope=user))

    assert fixture.service.reset(TEAM_A) == 2
    assert {i.scope for i in fixture.last.interceptors} == {Scope(), user}
    published = len(fixture.published)
    assert fixture.service.reset(TEAM_A) == 0
    assert len(fixture.published) == published
    assert fixture.service.reset(None) == 3
    assert fixture.last.interceptors == ()
    assert len(fixture.service) == 0


# Ends


def test_a_time_to_live_ends_at_its_moment_and_not_before(fixture: Fixture) -> None:
    view = fixture.service.create(wanted(ttl=30.0))
    assert view.interceptor.expires == START + 30

    fixture.now = START + 29.999
    assert fixture.state_of() == "ACTIVE"
    fixture.now = START + 30
    assert fixture.state_of() == "EXPIRED"
    assert fixture.service.expired == 1
    assert len(fixture.published) == 1, "nobody had to do anything"


def test_creating_again_does_not_prolong_and_updating_does(fixture: Fixture) -> None:
    created = fixture.service.create(wanted(ttl=30.0))
    fixture.now += 10

    assert fixture.service.create(wanted(ttl=30.0)) == created
    with pytest.raises(AlreadyExists, match="with other content"):
        fixture.service.create(wanted(ttl=31.0))
    with pytest.raises(AlreadyExists, match="with other content"):
        fixture.service.create(wanted())
    view, is_new, _ = fixture.service.update(wanted(ttl=30.0))
    assert (view.interceptor.expires, is_new) == (START + 40, False)
    assert view.interceptor.uid == created.interceptor.uid
    assert view.etag != created.etag


def test_what_is_read_and_written_back_is_the_same(fixture: Fixture) -> None:
    fixture.now += 0.123456789
    created = fixture.service.create(wanted(ttl=30.0))
    read = wanted(expires=created.interceptor.expires)

    assert fixture.service.create(read) == created
    assert fixture.service.update(read) == (created, False, False)
    fixture.now += 60
    assert fixture.service.update(read).view.state == "EXPIRED", "also when its time is over"
    changed = fixture.service.update(replace(read, priority=7)).view
    assert changed.state == "EXPIRED"


def test_a_rehearsal_tells_and_changes_nothing(fixture: Fixture) -> None:
    rehearsed = fixture.service.update(wanted(ttl=9.0), allow_missing=True, validate_only=True)
    assert (rehearsed.created, rehearsed.view.state) == (True, "ACTIVE")
    assert fixture.published == []
    fixture.service.create(wanted(ttl=1.0))
    fixture.now += 1
    fixture.service.update(wanted("other"), allow_missing=True, validate_only=True)
    fixture.service.update(wanted(ttl=5.0), validate_only=True)
    assert fixture.state_of() == "EXPIRED"
    assert len(fixture.published) == 1
    with pytest.raises(InvalidArgument, match="expire_time is"):
        fixture.service.update(wanted(expires=START), validate_only=True)


@pytest.mark.parametrize("late", [0.0, 60.0])
def test_a_time_that_has_passed_is_refused(fixture: Fixture, late: float) -> None:
    with pytest.raises(InvalidArgument) as caught:
        fixture.service.create(wanted(expires=START - late))

    assert [violation.field for violation in caught.value.violations] == ["expire_time"]
    assert "allowed are times after now, 2023-11-14T22:13:20.000+00:00" in str(caught.value)
    fixture.service.create(wanted())
    with pytest.raises(InvalidArgument, match="expire_time is"):
        fixture.service.update(wanted(expires=START - late))


def test_an_expired_one_makes_room_for_a_new_one(fixture: Fixture) -> None:
    fixture.service.create(wanted(ttl=1.0))
    fixture.now += 1

    view = fixture.service.create(wanted(priority=7), require_new=True)

    assert (view.state, view.interceptor.uid) == ("ACTIVE", "uid-2")
    assert fixture.last.interceptors == (view.interceptor,)


def test_an_expired_one_is_listed_for_an_hour(fixture: Fixture) -> None:
    fixture.service.create(wanted(ttl=1.0))
    fixture.service.create(wanted("stays"))

    fixture.now = START + 1 + KEPT_SECONDS - 0.001
    assert len(fixture.service.list()) == len(fixture.service) == 2
    fixture.now = START + 1 + KEPT_SECONDS
    assert len(fixture.service) == 1
    with pytest.raises(NotFound):
        fixture.service.get("elections", TEAM_A)
    with pytest.raises(NotFound):
        fixture.service.delete("elections", TEAM_A)
    assert [view.interceptor.name for view in fixture.service.list()] == ["stays"]
    fixture.service.pause("stays", TEAM_A)
    fixture.service.create(wanted("comes"))
    assert [i.name for i in fixture.last.interceptors] == ["stays", "comes"]


def test_limits_exhaust_and_a_raised_one_goes_on(fixture: Fixture) -> None:
    fixture.service.create(wanted(limits=Limits(max_injections=3)))
    fixture.used["uid-1"] = 2
    assert fixture.state_of() == "ACTIVE"

    fixture.used["uid-1"] = 3
    assert fixture.state_of() == "EXHAUSTED"
    view = fixture.service.update(wanted(limits=Limits(max_injections=4))).view
    assert (view.state, view.interceptor.uid) == ("ACTIVE", "uid-1")


def test_of_several_reasons_the_last_for_good_is_told(fixture: Fixture) -> None:
    fixture.service.create(wanted(limits=Limits(max_injections=3), ttl=9.0))
    seen = [fixture.state_of()]
    fixture.state.halt()
    seen.append(fixture.state_of())
    fixture.service.pause("elections", TEAM_A)
    seen.append(fixture.state_of())
    fixture.used["uid-1"] = 3
    seen.append(fixture.state_of())
    fixture.now += 9
    seen.append(fixture.state_of())

    assert seen == ["ACTIVE", "HALTED", "PAUSED", "EXHAUSTED", "EXPIRED"]


def test_selectors_count_as_texts_of_a_listing(fixture: Fixture) -> None:
    long = Selector(principals=tuple(f"{i:03}" + "p" * 500 for i in range(100)))
    most = MAX_ALL_ANNOTATION_BYTES // (100 * (503 + 9))
    for i in range(most):
        fixture.service.create(wanted(f"n{i}", selector=long))

    with pytest.raises(ResourceExhausted, match="with selectors and leases"):
        fixture.service.create(wanted("more", selector=long))
    fixture.service.delete("n0", TEAM_A)
    fixture.service.create(wanted("more", selector=long))


@pytest.mark.parametrize(
    "changes",
    [
        {"selector": Selector(topics=("a",))},
        {"limits": Limits(max_injections=1)},
        {"expires": START + 1},
        {"lease": "controller"},
    ],
)
def test_what_differs_in_a_control_is_other_content(
    fixture: Fixture, changes: dict[str, Any]
) -> None:
    fixture.leases.create(Lease(name="controller", duration=10))
    first = fixture.service.create(wanted())

    with pytest.raises(AlreadyExists):
        fixture.service.create(wanted(**changes))
    second = fixture.service.update(wanted(**changes)).view
    assert second.etag != first.etag
    assert second.interceptor.uid == first.interceptor.uid, "its draws go on"
    assert fixture.service.create(wanted(**changes)) == second


CONTROL: dict[str, Any] = {
    "selector": Selector(topics=("a",)),
    "limits": Limits(max_injections=3),
    "ttl": 30.0,
    "lease": "controller",
}


def test_a_control_that_is_kept_stays_whatever_else_changes(fixture: Fixture) -> None:
    fixture.leases.create(Lease(name="controller", duration=3600))
    created = fixture.service.create(wanted(**CONTROL))
    fixture.now += 10

    assert fixture.service.update(wanted(), keep_control=True) == (created, False, False)
    rehearsed = fixture.service.update(wanted(priority=7), keep_control=True, validate_only=True)
    assert rehearsed.view.interceptor == replace(created.interceptor, priority=7)
    changed = fixture.service.update(wanted(priority=7), keep_control=True).view
    assert changed.interceptor == replace(created.interceptor, priority=7)
    assert fixture.service.create(wanted(priority=7, **CONTROL)) == changed, "the same wish"
    assert fixture.leases.list()[0].interceptors == 1


def test_a_control_whose_time_is_over_is_not_kept(fixture: Fixture) -> None:
    fixture.leases.create(Lease(name="controller", duration=3600))
    fixture.service.create(wanted(**CONTROL))
    fixture.now += 30

    view = fixture.service.update(wanted(), keep_control=True).view

    assert view.state == "ACTIVE"
    assert (view.interceptor.limits, view.interceptor.lease) == (Limits(), "")
    created = fixture.service.update(wanted("new"), keep_control=True, allow_missing=True)
    assert created.created


# Halt


def test_a_halt_is_published_once_and_outlives_other_changes(fixture: Fixture) -> None:
    fixture.state.halt()
    fixture.state.halt()
    assert [snapshot.halted for snapshot in fixture.published] == [True]

    assert fixture.service.create(wanted()).state == "HALTED"
    assert fixture.last.halted
    fixture.state.halt(False)
    assert not fixture.last.halted
    assert fixture.state_of() == "ACTIVE"
