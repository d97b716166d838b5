"""A simulated leader election: sampled NOT_LEADER_OR_FOLLOWER on Produce, or leaderless windows.

With the outcome REJECT a request, or a partition of it, is refused and never forwarded: clients
take this error as "certainly not appended". The two other outcomes are what an old leader does that
has appended and then loses its leadership before the answer: it says the same, or nothing.

That is rung 1. With a window it is rung 2: a draw takes the leader of a partition away for a time,
for everybody in the interceptor's scope and in every API that notices (`lost_leadership`).
"""

from dataclasses import dataclass
from typing import Final

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
    Hint,
    Part,
    Place,
    Refuse,
    ResponseDecision,
)
from sidecar.faults.election_draws import ElectionDraws
from sidecar.faults.leaders import HINTS, NONE, HintingRule
from sidecar.faults.lost_leadership import APIS, Lost, produced, strike, strike_answer
from sidecar.faults.marks import Marks
from sidecar.faults.refusals import deny_produce, refuse_produce
from sidecar.faults.windows import MAX_PARTITIONS, Windows
from sidecar.model.faults import MAX_LATENCY_MS, Checks

REQUEST, PARTITION = "REQUEST", "PARTITION"
REJECT, APPEND_THEN_REJECT = "REJECT", "APPEND_THEN_REJECT"
APPEND_THEN_DISCONNECT = "APPEND_THEN_DISCONNECT"
DRAWS: Final = (REQUEST, PARTITION)
OUTCOMES: Final = (REJECT, APPEND_THEN_REJECT, APPEND_THEN_DISCONNECT)
_NOTHING: Final = frozenset[ApiKey]()
_ERROR: Final = ErrorCode.NOT_LEADER_OR_FOLLOWER


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderElection:
    """Answer sampled Produce requests with NOT_LEADER_OR_FOLLOWER.

    Args:
        rate_in_percent: share of what is drawn, 0 to 100; retries are drawn afresh.
        draw: what is drawn, see `DRAWS`. The n-th draw for a partition depends on the seed, the
            topic, the partition and n only.
        outcome: what becomes of what was drawn, see `OUTCOMES`.
        window_ms: how long a partition that was drawn has no leader, up to an hour; 0: only what
            was drawn is struck. Needs the outcome REJECT. Meanwhile nothing is drawn for it.
        hint: who is said to lead instead, see `leaders`. Without an answer there is none.
        max_partitions_at_once: how many partitions of a topic may have none at once; 0: any number.
            What is drawn beyond keeps its leader. Needs `window_ms`.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is out of range.
    """

    rate_in_percent: float
    draw: str = REQUEST
    outcome: str = REJECT
    window_ms: int = 0
    hint: str = NONE
    max_partitions_at_once: int = 0
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.rate("rate_in_percent", self.rate_in_percent)
        checks.one_of("draw", self.draw, DRAWS)
        checks.one_of("outcome", self.outcome, OUTCOMES)
        checks.between("window_ms", self.window_ms, 0, MAX_LATENCY_MS)
        if self.window_ms and self.outcome in OUTCOMES[1:]:
            checks.refuse(
                "outcome", f"outcome is {self.outcome!r}, allowed beside window_ms are REJECT"
            )
        checks.one_of("hint", self.hint, HINTS)
        if self.hint in HINTS[1:] and self.outcome == APPEND_THEN_DISCONNECT:
            checks.refuse("hint", f"hint is {self.hint!r}, allowed without an answer are NONE")
        most = self.max_partitions_at_once
        checks.between("max_partitions_at_once", most, 0, MAX_PARTITIONS)
        if most and not self.window_ms:
            told = f"max_partitions_at_once is {most}, allowed without window_ms is 0"
            checks.refuse("max_partitions_at_once", told)
        checks.seed(self.seed)
        checks.done()

    @property
    def draws_for_itself(self) -> bool:
        """Whether it numbers its draws itself, so that those of an interceptor mean nothing."""
        return bool(self.window_ms) or self.draw == PARTITION


class LeaderElectionRule(HintingRule):
    """Answers the sampled share of Produce requests as a broker that lost its partitions."""

    marks: Marks

    def __init__(self, config: LeaderElection) -> None:
        rate = config.rate_in_percent / 100
        super().__init__(config.hint if rate else NONE)
        self._by_partition = config.draw == PARTITION
        self._outcome = config.outcome
        self._window = config.window_ms / 1000
        self._windows = Windows(self._window, config.max_partitions_at_once)
        self.marks = self._windows.marks
        self._draws = ElectionDraws(rate, self.marks)
        self.rung = 2 if self._window else 1
        # With these it numbers its draws itself.
        own = self._by_partition or self._window
        self.share = 1.0 if own and rate else rate
        # At 0 it wants nothing, and costs nothing.
        self.apis = (APIS if self._window else frozenset({ApiKey.PRODUCE})) if rate else _NOTHING
        self.splits = _ERROR if own else None
        self.memorable = not own and config.outcome == REJECT and self.learner is None

    def decide(self, asked: Asked) -> Decision:
        """Strike what was drawn, or what has no leader. A request without partitions is forwarded.

        With acks=0 there is no answer: the connection closes, as a broker's does, which has
        appended what it could.
        """
        if self._window:
            if asked.api is ApiKey.PRODUCE:
                self._open(asked)
            # A Fetch may wait at the broker for so long that a window begins meanwhile.
            strikes = self._windows or asked.api is ApiKey.FETCH
            return strike(self, asked, self._lost(asked)) if strikes else FORWARD
        request = asked.request
        chosen = produced(request)
        if self._by_partition:
            chosen = self._draws.partitions(asked, chosen)
        if not chosen:
            return FORWARD
        if self._outcome != REJECT:
            if request.acks == 0:
                return Disconnect(_ERROR, True, [Part(*place) for place in chosen])
            return Await(frozenset(chosen))
        if request.acks == 0:
            return Disconnect(_ERROR)
        hints = self.hints(asked, chosen)
        if self._by_partition:
            return Refuse(frozenset(chosen), _ERROR, hints)
        return Answer(refuse_produce(request, _ERROR, hints), _ERROR, hints=hints)

    def answered(self, answered: Answered) -> ResponseDecision:
        """Say that what was appended was not, or nothing; failures of the broker's own stay."""
        if self._window:
            return strike_answer(self, answered, self._lost(answered))
        appended: list[Part] = []
        hints: dict[Place, Hint] = {}
        for topic in answered.response.responses:
            for partition in topic.partition_responses:
                place = (topic.name, partition.index)
                if place in answered.kept and not partition.error_code:
                    appended.append(Part(*place))
                    hint = self.hint_in(answered, topic, place)
                    if hint is not None:
                        hints[place] = hint
        if not appended:
            return FORWARD
        if self._outcome == APPEND_THEN_DISCONNECT:
            return Disconnect(_ERROR, True, appended)
        denied = frozenset((part.topic, part.partition) for part in appended)
        message = deny_produce(answered.response, denied, _ERROR, hints)
        return Deny(message, _ERROR, appended, hints=hints)

    def _open(self, asked: Asked) -> None:
        """Draw for what has a leader; take it away where the draw says so."""
        lost = self._lost(asked)
        led = [place for place in produced(asked.request) if not lost(place)]
        if self._by_partition:
            chosen = self._draws.partitions(asked, led)
        else:
            chosen = led if led and self._draws.request(asked) else []
        self._windows.begin(asked.virtual_cluster, chosen, asked.now)

    def _lost(self, about: Asked | Answered) -> Lost:
        return self._windows.lost(about.virtual_cluster, about.now)
