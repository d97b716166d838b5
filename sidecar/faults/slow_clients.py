"""Slow producers and consumers: answers to sampled Produce and Fetch of some topics are late."""

from dataclasses import dataclass

from codec.api_keys import ApiKey
from sidecar.faults.base import (
    FORWARD,
    Answered,
    Asked,
    Decision,
    Delay,
    RequestRule,
    ResponseDecision,
)
from sidecar.faults.matching import matcher
from sidecar.model.faults import Checks
from sidecar.model.patterns import EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowClients:
    """Hold back the answers to sampled Produce and Fetch requests of some topics.

    Args:
        topic: regular expression for the whole name of a topic, as clients have it.
        rate_in_percent: share of requests, 0 to 100.
        min_latency_ms, max_latency_ms: time from a request to its answer, drawn evenly between the
            two; 0 to an hour.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is out of range.
    """

    topic: str = EVERYTHING
    rate_in_percent: float
    min_latency_ms: int
    max_latency_ms: int
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.pattern("topic", self.topic)
        checks.rate("rate_in_percent", self.rate_in_percent)
        checks.latency(self.min_latency_ms, self.max_latency_ms)
        checks.seed(self.seed)
        checks.done()


class SlowClientsRule(RequestRule):
    """Delays the sampled share of answers that are about a topic which matches.

    A Fetch that goes on with a session names no topics, so its answer decides: it names those that
    it has something to say about. Where all topics match, nothing has to be looked at.
    """

    def __init__(self, config: SlowClients) -> None:
        self.share = config.rate_in_percent / 100
        self.apis = frozenset({ApiKey.PRODUCE, ApiKey.FETCH} if self.share else ())
        self._everything = config.topic == EVERYTHING
        self.watches = frozenset(() if self._everything else {ApiKey.FETCH})
        self._matches = matcher(config.topic)
        self.topic = None if self._everything else self._matches
        self._least = config.min_latency_ms
        self._span = config.max_latency_ms - config.min_latency_ms

    def decide(self, asked: Asked) -> Decision:
        """Delay a Produce with a topic that matches, and any Fetch if all do."""
        if self._everything:
            return self._delay(asked)
        if asked.api is ApiKey.PRODUCE:
            topics = asked.request.topic_data or ()
            if any(self._matches(topic.name) for topic in topics):
                return self._delay(asked)
        return FORWARD

    def answered(self, answered: Answered) -> ResponseDecision:
        """Delay the answer to a Fetch if a topic in it matches."""
        topics = answered.response.responses or ()
        if any(self._matches(topic.topic) for topic in topics):
            return self._delay(answered)
        return FORWARD

    def _delay(self, about: Asked | Answered) -> Delay:
        return Delay((self._least + self._span * about.chance()) / 1000)
