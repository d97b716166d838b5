"""A slow network: the answers to a sampled share of all requests are held back by the same time."""

from dataclasses import dataclass
from typing import Final

from codec.api_keys import ApiKey
from sidecar.faults.base import Asked, Decision, Delay, RequestRule
from sidecar.model.faults import MAX_LATENCY_MS, Checks

FORWARDED: Final = frozenset(ApiKey) - {
    *(ApiKey.API_VERSIONS, ApiKey.SASL_HANDSHAKE, ApiKey.SASL_AUTHENTICATE),
}
"""All that goes to a broker: the sidecar answers these three itself, and at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Hold back the answers to sampled requests of any API that is forwarded.

    Args:
        applied_percentage: share of requests, 0 to 100.
        latency_ms: time from a request to its answer, at least; 0 to an hour.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is out of range.
    """

    applied_percentage: float
    latency_ms: int
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.rate("applied_percentage", self.applied_percentage)
        checks.between("latency_ms", self.latency_ms, 0, MAX_LATENCY_MS)
        checks.seed(self.seed)
        checks.done()


class LatencyRule(RequestRule):
    """Delays the sampled share of answers."""

    def __init__(self, config: Latency) -> None:
        self.share = config.applied_percentage / 100
        self.apis = FORWARDED if self.share else frozenset[ApiKey]()
        self._delay = Delay(config.latency_ms / 1000)

    def decide(self, asked: Asked) -> Decision:
        """Delay, whatever it is."""
        return self._delay
