"""Who guesses has to wait."""

import pytest

from sidecar.api.lockout import (
    CLIENTS,
    FAILURES_AT_ONCE,
    MAX_ADDRESSES,
    MAX_NAMES,
    SECONDS_A_FAILURE,
    Lockout,
    place_of,
)
from sidecar.model.errors import Refused


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def locked(lockout: Lockout, address: str, username: str, claimed: str = "") -> bool:
    try:
        lockout.check(address, username, claimed)
    except Refused:
        return True
    return False


def test_a_name_that_failed_too_often_waits() -> None:
    clock = Clock()
    lockout = Lockout(clock)
    for _ in range(FAILURES_AT_ONCE):
        lockout.check("10.0.0.1", "admin")
        lockout.failed("10.0.0.1", "admin")

    with pytest.raises(Refused, match=r"from 10\.0\.0\.1: retry in 3 s") as refusal:
        lockout.check("10.0.0.1", "admin")
    assert (refusal.value.reason, refusal.value.retry_seconds) == ("lockout", 3)
    lockout.check("10.0.0.2", "admin")
    clock.now += SECONDS_A_FAILURE
    lockout.check("10.0.0.1", "admin")
    lockout.failed("10.0.0.1", "admin")
    assert locked(lockout, "10.0.0.1", "admin")
    clock.now += SECONDS_A_FAILURE * FAILURES_AT_ONCE
    for _ in range(FAILURES_AT_ONCE):
        lockout.check("10.0.0.1", "admin")
        lockout.failed("10.0.0.1", "admin")


def test_one_guesser_does_not_lock_out_the_others_of_its_address() -> None:
    lockout = Lockout(Clock())
    for _ in range(FAILURES_AT_ONCE):
        lockout.failed("10.0.0.1", "admin")

    assert locked(lockout, "10.0.0.1", "admin")
    assert not locked(lockout, "10.0.0.1", "viewer")
    assert not locked(lockout, "10.0.0.1", "")


def test_names_beyond_count_as_one_until_others_are_forgiven() -> None:
    clock = Clock()
    lockout = Lockout(clock)
    for number in range(MAX_NAMES):
        lockout.failed("10.0.0.1", f"name{number}")
    for number in range(FAILURES_AT_ONCE):
        lockout.failed("10.0.0.1", f"further{number}")

    assert locked(lockout, "10.0.0.1", "admin")
    assert not locked(lockout, "10.0.0.1", "name0")
    assert not locked(lockout, "10.0.0.2", "admin")
    clock.now += SECONDS_A_FAILURE
    assert not locked(lockout, "10.0.0.1", "admin")


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1:2:3", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("", ""),
        ("a bridge", "a bridge"),
    ],
)
def test_an_address_is_counted_by_its_network(address: str, place: str) -> None:
    assert place_of(address) == place


def test_a_guesser_may_not_change_its_address_inside_its_network() -> None:
    lockout = Lockout(Clock())
    for number in range(FAILURES_AT_ONCE):
        lockout.failed(f"2001:db8::{number:x}", "admin")

    assert locked(lockout, "2001:db8::ffff", "admin")
    assert not locked(lockout, "2001:db8:0:1::1", "admin")


def test_it_keeps_no_more_than_it_may() -> None:
    lockout = Lockout(Clock())
    for _ in range(FAILURES_AT_ONCE):
        lockout.failed("first", "admin")
    for number in range(MAX_ADDRESSES):
        lockout.failed(f"10.{number}", "admin")
    for number in range(1000):
        lockout.failed("last", f"name{number}")

    assert len(lockout._forgiven) == MAX_ADDRESSES
    assert len(lockout._forgiven["last", ""]) <= MAX_NAMES + 1
    lockout.check("first", "admin")


def test_a_guesser_behind_a_bridge_waits_alone() -> None:
    lockout = Lockout(Clock())
    for _ in range(FAILURES_AT_ONCE):
        lockout.check("bridge", "admin", "10.0.0.1")
        lockout.failed("bridge", "admin", "10.0.0.1")

    with pytest.raises(Refused):
        lockout.check("bridge", "admin", "10.0.0.1")
    lockout.check("bridge", "admin", "10.0.0.2")
    lockout.check("bridge", "admin")


def test_who_claims_to_be_many_gains_little() -> None:
    clock = Clock()
    lockout = Lockout(clock)
    tried = 0
    while not locked(lockout, "bridge", "admin", f"10.0.{tried}"):
        lockout.failed("bridge", "admin", f"10.0.{tried}")
        tried += 1

    assert FAILURES_AT_ONCE * (CLIENTS - 1) < tried <= FAILURES_AT_ONCE * CLIENTS
    lockout.check("bridge", "admin")
    lockout.check("bridge", "viewer", "10.0.0.1")
    clock.now += SECONDS_A_FAILURE
    lockout.check("bridge", "admin", "10.0.0.1")
