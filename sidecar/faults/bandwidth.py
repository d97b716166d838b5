"""A narrow link: from a sampled request on, its connection carries so many bytes a second."""

from dataclasses import dataclass
from typing import Final

from codec.api_keys import ApiKey
from sidecar.faults.base import Asked, Decision, RequestRule, Throttle
from sidecar.faults.latency import FORWARDED
from sidecar.model.faults import Checks

MAX_RATE: Final = 1_000_000_000
"""Bytes a second: more than a connection carries through the sidecar."""
REQUESTS, ANSWERS, BOTH = "REQUESTS", "ANSWERS", "BOTH"
DIRECTIONS: Final = (REQUESTS, ANSWERS, BOTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """Limit the connections of sampled requests of any API that is forwarded.

    Args:
        rate_in_percent: share of requests with which it begins, 0 to 100.
        bytes_per_second: that a connection carries in each direction, 1 to 10**9.
        direction: what of the client's REQUESTS, the broker's ANSWERS, or BOTH it is about.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is none of these.
    """

    rate_in_percent: float
    bytes_per_second: int
    direction: str = BOTH
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.rate("rate_in_percent", self.rate_in_percent)
        checks.between("bytes_per_second", self.bytes_per_second, 1, MAX_RATE)
        checks.one_of("direction", self.direction, DIRECTIONS)
        checks.seed(self.seed)
        checks.done()


class BandwidthRule(RequestRule):
    """Slows connections down from the first of their requests on that is sampled."""

    def __init__(self, config: Bandwidth) -> None:
        self.share = config.rate_in_percent / 100
        self.apis = FORWARDED if self.share else frozenset[ApiKey]()
        rate, direction = config.bytes_per_second, config.direction
        self._decision = Throttle(
            requests=None if direction == ANSWERS else rate,
            answers=None if direction == REQUESTS else rate,
        )

    def decide(self, asked: Asked) -> Decision:
        """Slow down, whatever it is; a connection that is slow already stays so."""
        return self._decision
