"""Leases: how long they last, and what ends with them."""

from typing import Any

import pytest

from sidecar.control.leases import MAX_LEASES
from sidecar.model.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
)
from sidecar.model.interceptor import Interceptor
from sidecar.model.lease import Lease
from tests.sidecar.control.clocked import START, Fixture
from tests.sidecar.control.test_interceptors import wanted


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


def leased(**changes: Any) -> Interceptor:
    return wanted(lease="controller", **changes)


def test_an_interceptor_lives_as_long_as_its_lease_is_renewed(fixture: Fixture) -> None:
    fixture.leases.create(Lease(name="controller", duration=10))
    fixture.service.create(leased())
    for _ in range(3):
        fixture.now += 9.999
        assert fixture.state_of() == "ACTIVE"
        assert fixture.leases.renew("controller").interceptors == 1
    fixture.now += 10

    assert fixture.state_of() == "EXPIRED"
    assert fixture.leases.list() == ()
    with pytest.raises(NotFound, match="there is no lease 'controller', or it is over"):
        fixture.leases.renew("controller")


def test_a_new_lease_of_the_name_brings_nothing_back(fixture: Fixture) -> None:
    fixture.leases.create(Lease(name="controller", duration=10))
    fixture.service.create(leased())
    fixture.now += 10

    view = fixture.leases.create(Lease(name="controller", duration=10))

    assert view.interceptors == 0
    assert fixture.state_of() == "EXPIRED"
    assert fixture.service.create(leased()).state == "ACTIVE"
    assert [view.interceptors for view in fixture.leases.list()] == [1]


def test_a_release_ends_interceptors_at_once(fixture: Fixture) -> None:
    fixture.leases.create(Lease(name="controller", duration=10))
    fixture.service.create(leased())
    fixture.service.create(wanted("other"))

    fixture.leases.release("controller")

    assert fixture.state_of() == "EXPIRED"
    assert fixture.state_of("other") == "ACTIVE"
    with pytest.raises(NotFound):
        fixture.leases.release("controller")
    fixture.leases.release("controller", allow_missing=True)


def test_creating_a_lease_again_renews_it(fixture: Fixture) -> None:
    fixture.leases.create(Lease(name="controller", duration=10))
    fixture.now += 5

    view = fixture.leases.create(Lease(name="controller", duration=10))

    assert view.lease == Lease(name="controller", duration=10, expires=START + 15, uid="lease-1")
    assert fixture.last.leases == (view.lease,)
    with pytest.raises(AlreadyExists, match="exists with duration 10 s"):
        fixture.leases.create(Lease(name="controller", duration=11))


def test_a_renewal_may_change_the_duration(fixture: Fixture) -> None:
    fixture.leases.create(Lease(name="controller", duration=10))

    assert fixture.leases.renew("controller", 60).lease.expires == START + 60
    fixture.now += 1
    assert fixture.leases.renew("controller").lease.expires == START + 61
    with pytest.raises(InvalidArgument, match="duration is 0 s"):
        fixture.leases.renew("controller", 0)


def test_an_interceptor_needs_its_lease_to_be_there(fixture: Fixture) -> None:
    with pytest.raises(FailedPrecondition, match="'controller', which is not there"):
        fixture.service.create(leased())
    fixture.leases.create(Lease(name="other", duration=10))
    with pytest.raises(FailedPrecondition, match="there are other"):
        fixture.service.create(leased())
    fixture.service.create(wanted())
    with pytest.raises(FailedPrecondition):
        fixture.service.update(leased())


def test_there_are_so_many_leases_and_no_more(fixture: Fixture) -> None:
    for i in range(MAX_LEASES):
        fixture.leases.create(Lease(name=f"n{i}", duration=10))
    with pytest.raises(ResourceExhausted, match="there are 1000 leases"):
        fixture.leases.create(Lease(name="more", duration=10))

    fixture.leases.release("n0")
    fixture.leases.create(Lease(name="more", duration=10))
    fixture.now += 5000
    fixture.leases.create(Lease(name="only", duration=10))
    assert [lease.name for lease in fixture.last.leases] == ["only"], "ended ones are forgotten"


def test_leases_that_come_and_go_leave_nothing_behind(fixture: Fixture) -> None:
    fixture.leases.create(Lease(name="controller", duration=10))
    fixture.service.create(leased())
    for _ in range(5):
        fixture.leases.release("controller")
        fixture.leases.create(Lease(name="controller", duration=10))

    assert [lease.uid for lease in fixture.last.leases] == ["lease-1", "lease-6"]
    assert fixture.state_of() == "EXPIRED", "of the first of them"
