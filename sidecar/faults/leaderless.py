"""Partitions without a leader for as long as the interceptor is there: an election on demand.

With an expiry it is an election that begins now and takes so long; then everything heals at once.
"""

from dataclasses import dataclass

from sidecar.faults.base import Answered, Asked, Decision, Place, RequestRule, ResponseDecision
from sidecar.faults.lost_leadership import APIS, ERROR, strike, strike_answer
from sidecar.faults.matching import matcher
from sidecar.model.faults import Checks

_MAX_PARTITION = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderless:
    """Answer as a broker that has lost these partitions, to everybody in the scope.

    Args:
        topic: regular expression for the whole name of a topic, as clients have it.
        partitions: their numbers; empty for all.
        seed: kept, and not used: nothing is drawn.

    Raises:
        InvalidArgument: a value is none of these.
    """

    topic: str
    partitions: tuple[int, ...] = ()
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.pattern("topic", self.topic)
        for partition in self.partitions:
            checks.between("partitions", partition, 0, _MAX_PARTITION)
        checks.seed(self.seed)
        checks.done()


class LeaderlessRule(RequestRule):
    """Strikes every request and answer about these partitions."""

    rung = 2
    share = 1.0
    apis = APIS
    splits = ERROR

    def __init__(self, config: Leaderless) -> None:
        self._matches = matcher(config.topic)
        self._partitions = frozenset(config.partitions)

    def decide(self, asked: Asked) -> Decision:
        """Refuse a Produce; look at the answers of the rest."""
        return strike(asked, self._lost)

    def answered(self, answered: Answered) -> ResponseDecision:
        """Say that there is no leader."""
        return strike_answer(answered, self._lost)

    def _lost(self, place: Place) -> bool:
        topic, partition = place
        wanted = not self._partitions or partition in self._partitions
        return wanted and bool(topic) and self._matches(topic)
