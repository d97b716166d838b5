"""A broker that is slow: the answers to sampled Produce and Fetch requests are held back."""

from dataclasses import dataclass

from codec.api_keys import ApiKey
from sidecar.faults.base import Asked, Decision, Delay, RequestRule
from sidecar.model.faults import Checks


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowBroker:
    """Hold back the answers to sampled Produce and Fetch requests.

    Args:
        rate_in_percent: share of requests, 0 to 100.
        min_latency_ms, max_latency_ms: time from a request to its answer, drawn evenly between the
            two; 0 to an hour.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is out of range.
    """

    rate_in_percent: float
    min_latency_ms: int
    max_latency_ms: int
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.rate("rate_in_percent", self.rate_in_percent)
        checks.latency(self.min_latency_ms, self.max_latency_ms)
        checks.seed(self.seed)
        checks.done()


class SlowBrokerRule(RequestRule):
    """Delays the sampled share of answers."""

    def __init__(self, config: SlowBroker) -> None:
        self.share = config.rate_in_percent / 100
        self.apis = frozenset({ApiKey.PRODUCE, ApiKey.FETCH} if self.share else ())
        self._least = config.min_latency_ms
        self._span = config.max_latency_ms - config.min_latency_ms

    def decide(self, asked: Asked) -> Decision:
        """Delay by a time between the two."""
        return Delay((self._least + self._span * asked.chance()) / 1000)
