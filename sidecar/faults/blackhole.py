"""Connections that go dead: a sampled request is taken, and nothing is answered any more.

What a client meets whose broker hangs, or whose packets are dropped on the way: no error, and no
end of the connection, so that only its own timeout helps.
"""

from dataclasses import dataclass

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from sidecar.faults.base import Asked, Decision, RequestRule, Swallow
from sidecar.faults.connection_loss import AFTER, BEFORE, MOMENTS
from sidecar.faults.latency import FORWARDED
from sidecar.model.faults import Checks

ERROR = ErrorCode.NETWORK_EXCEPTION
"""What clients say when they have given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blackhole:
    """Answer nothing any more on the connection of sampled requests of any API that is forwarded.

    Args:
        rate_in_percent: share of requests, 0 to 100.
        moment: BEFORE the broker has seen the request, or AFTER, when its answer is swallowed.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is none of these.
    """

    rate_in_percent: float
    moment: str = BEFORE
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.rate("rate_in_percent", self.rate_in_percent)
        checks.one_of("moment", self.moment, MOMENTS)
        checks.seed(self.seed)
        checks.done()


class BlackholeRule(RequestRule):
    """Swallows the sampled share of requests, or what is answered to them."""

    def __init__(self, config: Blackhole) -> None:
        self.share = config.rate_in_percent / 100
        self.apis = FORWARDED if self.share else frozenset[ApiKey]()
        self._decision = Swallow(ERROR, appended=config.moment == AFTER)

    def decide(self, asked: Asked) -> Decision:
        """Swallow, whatever it is."""
        return self._decision
