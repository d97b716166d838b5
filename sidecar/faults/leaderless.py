"""Partitions without a leader for as long as the interceptor is there: an election on demand.

With an expiry it is an election that begins now and takes so long; then everything heals at once.
With a schedule there is one again and again, each time of one of the partitions, which a draw
chooses. Its times are those of the clock, so all sidecars with one seed do the same.
"""

from dataclasses import dataclass

from sidecar.faults.base import Answered, Asked, Decision, Place, ResponseDecision
from sidecar.faults.draws import draw
from sidecar.faults.leaders import HINTS, NONE, HintingRule
from sidecar.faults.lost_leadership import APIS, ERROR, Lost, strike, strike_answer
from sidecar.faults.matching import matcher
from sidecar.model.faults import Checks

_MAX_PARTITION = 2**31 - 1
_LONGEST_MS = 86_400_000
_NONE = (-1,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderless:
    """Answer as a broker that has lost these partitions, to everybody in the scope.

    Args:
        topic: regular expression for the whole name of a topic, as clients have it.
        partitions: their numbers; empty for all.
        every_ms: how often one of them loses its leader, up to a day; 0: all have none all along.
        window_ms: how long it has none each time; above 0 and not longer than `every_ms`.
        hint: who is said to lead instead, see `leaders`.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is none of these.
    """

    topic: str
    partitions: tuple[int, ...] = ()
    every_ms: int = 0
    window_ms: int = 0
    hint: str = NONE
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.pattern("topic", self.topic)
        for partition in self.partitions:
            checks.between("partitions", partition, 0, _MAX_PARTITION)
        checks.between("every_ms", self.every_ms, 0, _LONGEST_MS)
        if self.every_ms > 0:
            checks.between("window_ms", self.window_ms, 1, self.every_ms)
            if not self.partitions:
                told = "partitions is empty, allowed beside every_ms are the numbers of some"
                checks.refuse("partitions", told)
        elif self.window_ms:
            told = f"window_ms is {self.window_ms}, allowed without every_ms is 0"
            checks.refuse("window_ms", told)
        checks.one_of("hint", self.hint, HINTS)
        checks.seed(self.seed)
        checks.done()


class LeaderlessRule(HintingRule):
    """Strikes every request and answer about these partitions."""

    rung = 2
    share = 1.0
    apis = APIS
    splits = ERROR

    def __init__(self, config: Leaderless) -> None:
        super().__init__(config.hint)
        self.topic = self._matches = matcher(config.topic)
        self._partitions = config.partitions
        self._every = config.every_ms / 1000
        self._window = config.window_ms / 1000

    def decide(self, asked: Asked) -> Decision:
        """Refuse a Produce; look at the answers of the rest."""
        return strike(self, asked, self._lost(asked))

    def answered(self, answered: Answered) -> ResponseDecision:
        """Say that there is no leader."""
        return strike_answer(self, answered, self._lost(answered))

    def _lost(self, about: Asked | Answered) -> Lost:
        """What tells whether a partition has no leader at this moment."""
        partitions = self._partitions
        if self._every:
            time, into = divmod(about.now, self._every)
            chosen = int(draw(about.seed, int(time)) * len(partitions))
            partitions = partitions[chosen : chosen + 1] if into < self._window else _NONE
        matches = self._matches

        def lost(place: Place) -> bool:
            topic, partition = place
            wanted = not partitions or partition in partitions
            return wanted and bool(topic) and matches(topic)

        return lost
