"""The faults an interceptor can ask for, as data: what they do is in `sidecar.faults`."""

import math
from dataclasses import dataclass

from sidecar.model.errors import InvalidArgument

MAX_SEED = 2**64 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderElection:
    """Answer sampled Produce requests with NOT_LEADER_OR_FOLLOWER instead of forwarding them.

    Args:
        rate_in_percent: share of requests that are answered, 0 to 100; retries are drawn afresh.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is out of range.
    """

    rate_in_percent: float
    seed: int | None = None

    def __post_init__(self) -> None:
        rate = self.rate_in_percent
        if math.isnan(rate) or not 0 <= rate <= 100:
            raise InvalidArgument.of(
                "rate_in_percent", f"rate_in_percent is {_exact(rate)}, allowed are 0 to 100"
            )
        if self.seed is not None and not 0 <= self.seed <= MAX_SEED:
            raise InvalidArgument.of("seed", f"seed is {self.seed}, allowed are 0 to {MAX_SEED}")


def _exact(value: float) -> str:
    # Not `:g`: it would tell a caller that 100.0000001 "is 100".
    return repr(value).removesuffix(".0")


Fault = LeaderElection
"""Every kind of fault; grows into a union as kinds are added."""
