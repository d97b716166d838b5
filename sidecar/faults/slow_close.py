"""Connections whose end comes late: a sampled request is not answered, and after a time they close.

A client that is told at once that its connection is gone tries again at once. Behind a firewall, a
load balancer or a broker that is being shut down it learns of it later, and waits meanwhile.
"""

from dataclasses import dataclass

from codec.api_keys import ApiKey
from sidecar.faults.base import Asked, Decision, RequestRule, Swallow
from sidecar.faults.blackhole import ERROR
from sidecar.faults.connection_loss import AFTER, BEFORE, MOMENTS
from sidecar.faults.latency import FORWARDED
from sidecar.model.faults import MAX_LATENCY_MS, Checks


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowClose:
    """Close the connection of sampled requests of any API that is forwarded, but not at once.

    Args:
        rate_in_percent: share of requests, 0 to 100.
        delay_ms: from the request to the end of its connection, milliseconds; 1 to an hour.
        moment: BEFORE the broker has seen the request, or AFTER, when its answer is swallowed.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is none of these.
    """

    rate_in_percent: float
    delay_ms: int
    moment: str = BEFORE
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.rate("rate_in_percent", self.rate_in_percent)
        checks.between("delay_ms", self.delay_ms, 1, MAX_LATENCY_MS)
        checks.one_of("moment", self.moment, MOMENTS)
        checks.seed(self.seed)
        checks.done()


class SlowCloseRule(RequestRule):
    """Swallows the sampled share of requests, or what is answered to them, for a time."""

    def __init__(self, config: SlowClose) -> None:
        self.share = config.rate_in_percent / 100
        self.apis = FORWARDED if self.share else frozenset[ApiKey]()
        appended = config.moment == AFTER
        self._decision = Swallow(ERROR, appended=appended, seconds=config.delay_ms / 1000)

    def decide(self, asked: Asked) -> Decision:
        """Swallow, whatever it is."""
        return self._decision
