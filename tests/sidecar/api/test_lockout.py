"""Who guesses has to wait."""

import pytest

from sidecar.api.lockout import FAILURES_AT_ONCE, MAX_ADDRESSES, SECONDS_A_FAILURE, Lockout
from sidecar.model.errors import ResourceExhausted


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_address_that_failed_too_often_waits() -> None:
    clock = Clock()
    lockout = Lockout(clock)
    for _ in range(FAILURES_AT_ONCE):
        lockout.check("10.0.0.1")
        lockout.failed("10.0.0.1")

    with pytest.raises(ResourceExhausted, match=r"from 10\.0\.0\.1: retry in 3 s"):
        lockout.check("10.0.0.1")
    lockout.check("10.0.0.2")
    clock.now += SECONDS_A_FAILURE
    lockout.check("10.0.0.1")
    lockout.failed("10.0.0.1")
    with pytest.raises(ResourceExhausted):
        lockout.check("10.0.0.1")
    clock.now += SECONDS_A_FAILURE * FAILURES_AT_ONCE
    for _ in range(FAILURES_AT_ONCE):
        lockout.check("10.0.0.1")
        lockout.failed("10.0.0.1")


def test_it_keeps_no_more_addresses_than_it_may() -> None:
    lockout = Lockout(Clock())
    for _ in range(FAILURES_AT_ONCE):
        lockout.failed("first")
    for number in range(MAX_ADDRESSES):
        lockout.failed(f"10.{number}")

    assert len(lockout._forgiven) == MAX_ADDRESSES
    lockout.check("first")
