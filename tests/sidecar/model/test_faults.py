"""What a fault may be configured with."""

import math

import pytest

from sidecar.faults.leader_election import LeaderElection
from sidecar.model.errors import InvalidArgument
from sidecar.model.faults import MAX_SEED


@pytest.mark.parametrize("rate", [0, 0.001, 50, 99.9, 100])
@pytest.mark.parametrize("seed", [None, 0, 42, MAX_SEED])
def test_values_in_range_are_kept_as_given(rate: float, seed: int | None) -> None:
    fault = LeaderElection(rate_in_percent=rate, seed=seed)

    assert (fault.rate_in_percent, fault.seed) == (rate, seed)


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (-1, "-1"),
        (101.0, "101"),
        (100.0000001, "100.0000001"),
        (-1e-9, "-1e-09"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_a_rate_out_of_range_is_refused_with_its_exact_value(rate: float, shown: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        LeaderElection(rate_in_percent=rate)

    [violation] = refusal.value.violations
    assert violation.field == "rate_in_percent"
    assert violation.description == f"rate_in_percent is {shown}, allowed are 0 to 100"


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1])
def test_a_seed_that_does_not_fit_64_bits_is_refused(seed: int) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        LeaderElection(rate_in_percent=50, seed=seed)

    [violation] = refusal.value.violations
    assert violation.field == "seed"
    assert violation.description == f"seed is {seed}, allowed are 0 to 18446744073709551615"
