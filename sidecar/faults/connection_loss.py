"""Connections that break: before a sampled request reaches the broker, or before its answer comes.

A proxy that knows Kafka can aim: at an API, a broker, a client, a topic (by a selector), and
between a request that the broker has carried out and the answer that would say so.
"""

from dataclasses import dataclass
from typing import Final

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from sidecar.faults.base import (
    Answered,
    Asked,
    Await,
    Decision,
    Disconnect,
    Part,
    RequestRule,
    ResponseDecision,
)
from sidecar.faults.latency import FORWARDED
from sidecar.model.faults import Checks

BEFORE, AFTER = "BEFORE", "AFTER"
MOMENTS: Final = (BEFORE, AFTER)
_ERROR: Final = ErrorCode.NETWORK_EXCEPTION
"""What clients call a connection that was lost; nothing of it is on the wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLoss:
    """Close the connection of sampled requests of any API that is forwarded.

    Args:
        rate_in_percent: share of requests, 0 to 100.
        moment: BEFORE the broker has seen the request, or AFTER, instead of its answer.
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


class ConnectionLossRule(RequestRule):
    """Closes the connection of the sampled share of requests."""

    def __init__(self, config: ConnectionLoss) -> None:
        self.share = config.rate_in_percent / 100
        self.apis = FORWARDED if self.share else frozenset[ApiKey]()
        self._after = config.moment == AFTER

    def decide(self, asked: Asked) -> Decision:
        """Close now, once what is in flight before it is answered; or wait for the answer.

        A Produce with acks=0 has none: it is forwarded, and the connection closes.
        """
        if not self._after:
            return Disconnect(_ERROR)
        if asked.api is ApiKey.PRODUCE and asked.request.acks == 0:
            return Disconnect(_ERROR, appended=True)
        return Await(None)

    def answered(self, answered: Answered) -> ResponseDecision:
        """Close instead of answering."""
        topics = answered.response.responses if answered.api is ApiKey.PRODUCE else ()
        parts = [
            Part(topic.name, partition.index)
            for topic in topics or ()
            for partition in topic.partition_responses or ()
        ]
        return Disconnect(_ERROR, appended=True, parts=parts)
