"""Rung 1 of a simulated leader election: sampled NOT_LEADER_OR_FOLLOWER on Produce.

With the outcome REJECT a request, or a partition of it, is refused and never forwarded: clients
take this error as "certainly not appended". The two other outcomes are what an old leader does that
has appended and then loses its leadership before the answer: it says the same, or nothing.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from sidecar.faults.base import (
    FORWARD,
    Answer,
    Answered,
    Asked,
    Await,
    Decision,
    Deny,
    Disconnect,
    Part,
    Place,
    Refuse,
    RequestRule,
    ResponseDecision,
)
from sidecar.faults.draws import draw
from sidecar.faults.refusals import deny_produce, refuse_produce
from sidecar.model.faults import Checks

REQUEST, PARTITION = "REQUEST", "PARTITION"
REJECT, APPEND_THEN_REJECT = "REJECT", "APPEND_THEN_REJECT"
APPEND_THEN_DISCONNECT = "APPEND_THEN_DISCONNECT"
DRAWS: Final = (REQUEST, PARTITION)
OUTCOMES: Final = (REJECT, APPEND_THEN_REJECT, APPEND_THEN_DISCONNECT)
MAX_PARTITIONS: Final = 100_000
"""Partitions whose draws are counted, by interceptor; beyond, all counts begin anew."""
_ERROR: Final = ErrorCode.NOT_LEADER_OR_FOLLOWER


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderElection:
    """Answer sampled Produce requests with NOT_LEADER_OR_FOLLOWER.

    Args:
        rate_in_percent: share of what is drawn, 0 to 100; retries are drawn afresh.
        draw: what is drawn, see `DRAWS`. The n-th draw for a partition depends on the seed, the
            topic, the partition and n only.
        outcome: what becomes of what was drawn, see `OUTCOMES`.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is out of range.
    """

    rate_in_percent: float
    draw: str = REQUEST
    outcome: str = REJECT
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.rate("rate_in_percent", self.rate_in_percent)
        checks.one_of("draw", self.draw, DRAWS)
        checks.one_of("outcome", self.outcome, OUTCOMES)
        checks.seed(self.seed)
        checks.done()


class LeaderElectionRule(RequestRule):
    """Answers the sampled share of Produce requests as a broker that lost its partitions."""

    rung = 1

    def __init__(self, config: LeaderElection) -> None:
        rate = config.rate_in_percent / 100
        self._by_partition = config.draw == PARTITION
        self._outcome = config.outcome
        self._rate = rate
        self._counts: dict[Place, Iterator[int]] = defaultdict(itertools.count)
        self.share = 1.0 if self._by_partition and rate else rate
        # At 0 it wants nothing, and costs nothing.
        self.apis = frozenset({ApiKey.PRODUCE}) if rate else frozenset[ApiKey]()
        self.splits = _ERROR if self._by_partition else None
        self.memorable = not self._by_partition and config.outcome == REJECT

    def decide(self, asked: Asked) -> Decision:
        """Strike what was drawn. A request without partitions is forwarded.

        With acks=0 there is no answer: the connection closes, as a broker's does, which has
        appended what it could.
        """
        request = asked.request
        chosen = _places(request)
        if self._by_partition:
            chosen = [place for place in chosen if self._draws(asked.seed, place)]
        if not chosen:
            return FORWARD
        if self._outcome != REJECT:
            if request.acks == 0:
                return Disconnect(_ERROR, True, [Part(*place) for place in chosen])
            return Await(frozenset(chosen))
        if request.acks == 0:
            return Disconnect(_ERROR)
        if self._by_partition:
            return Refuse(frozenset(chosen), _ERROR)
        return Answer(refuse_produce(request, _ERROR), _ERROR)

    def answered(self, answered: Answered) -> ResponseDecision:
        """Say that what was appended was not, or nothing; failures of the broker's own stay."""
        appended = [
            Part(topic.name, partition.index)
            for topic in answered.response.responses
            for partition in topic.partition_responses
            if (topic.name, partition.index) in answered.kept and not partition.error_code
        ]
        if not appended:
            return FORWARD
        if self._outcome == APPEND_THEN_DISCONNECT:
            return Disconnect(_ERROR, True, appended)
        denied = frozenset((part.topic, part.partition) for part in appended)
        return Deny(deny_produce(answered.response, denied, _ERROR), _ERROR, appended)

    def _draws(self, seed: int, place: Place) -> bool:
        """Whether the next draw for a partition is below the rate."""
        if len(self._counts) > MAX_PARTITIONS:
            self._counts.clear()
        return draw(_seed_of(seed, place), next(self._counts[place])) < self._rate


def _seed_of(seed: int, place: Place) -> int:
    """The seed of the draws for one partition."""
    topic, partition = place
    text = f"{seed}\0{partition}\0{topic}".encode("utf-8", "surrogateescape")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def _places(request: Any) -> list[Place]:
    return [
        (topic.name, partition.index)
        for topic in request.topic_data or ()
        for partition in topic.partition_data or ()
    ]
