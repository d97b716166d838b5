"""A rolling restart as clients see it: broker after broker loses all its partitions for a while.

While it is a broker's turn, whatever comes to it gets NOT_LEADER_OR_FOLLOWER, and Metadata says
that its partitions have no leader. The turns are those of the clock, so all sidecars do the same.
"""

from dataclasses import dataclass

from codec.api_keys import ApiKey
from sidecar.faults.base import (
    FORWARD,
    Answered,
    Asked,
    Await,
    Connection,
    Decision,
    ResponseDecision,
)
from sidecar.faults.leaders import HINTS, NONE, HintingRule
from sidecar.faults.lost_leadership import APIS, ERROR, Lost, strike, strike_answer
from sidecar.model.faults import Checks

_MAX_BROKER = 2**31 - 1
_LONGEST_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingRestart:
    """Take the leaders away broker by broker, in this order, again and again.

    Args:
        brokers: node ids; at least one.
        every_ms: from one broker's turn to the next, 1 to a day.
        down_ms: how long each has lost its partitions, 1 to `every_ms`.
        hint: who is said to lead instead, see `leaders`.
        seed: kept, and not used: nothing is drawn.

    Raises:
        InvalidArgument: a value is none of these.
    """

    brokers: tuple[int, ...]
    every_ms: int = 20_000
    down_ms: int = 5_000
    hint: str = NONE
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        if not self.brokers:
            checks.refuse("brokers", "brokers is empty, allowed are the node ids of some")
        for broker in self.brokers:
            checks.between("brokers", broker, 0, _MAX_BROKER)
        checks.between("every_ms", self.every_ms, 1, _LONGEST_MS)
        checks.between("down_ms", self.down_ms, 1, max(1, self.every_ms))
        checks.one_of("hint", self.hint, HINTS)
        checks.seed(self.seed)
        checks.done()


class RollingRestartRule(HintingRule):
    """Strikes every request and answer about the partitions of the broker whose turn it is."""

    rung = 2
    share = 1.0
    apis = APIS
    splits = ERROR

    def __init__(self, config: RollingRestart) -> None:
        super().__init__(config.hint)
        self._brokers = config.brokers
        self._every = config.every_ms / 1000
        self._down = config.down_ms / 1000

    def decide(self, asked: Asked) -> Decision:
        """Refuse what comes to that broker; look at what any says of its partitions."""
        down = self._broker(asked.now)
        if asked.api is ApiKey.FETCH:
            return strike(self, asked, _all)  # it may wait at the broker until a turn has begun
        if down is None:
            return FORWARD
        if asked.api is ApiKey.METADATA:
            return Await(down)
        return strike(self, asked, _all) if _is_at(down, asked.connection) else FORWARD

    def answered(self, answered: Answered) -> ResponseDecision:
        """Say that its partitions have no leader."""
        down = self._broker(answered.now)
        if down is None:
            return FORWARD
        if answered.api is ApiKey.METADATA:
            return strike_answer(self, answered, _led_by(down, answered))
        if not _is_at(down, answered.connection):
            return FORWARD
        return strike_answer(self, answered, _all)

    def _broker(self, now: float) -> int | None:
        """Whose turn it is."""
        turn, into = divmod(now, self._every)
        if into >= self._down:
            return None
        return self._brokers[int(turn) % len(self._brokers)]


def _is_at(broker: int, connection: Connection | None) -> bool:
    return connection is not None and connection.broker_id == broker


def _all(_: object) -> bool:
    return True


def _led_by(broker: int, metadata: Answered) -> Lost:
    """What tells whether a partition in this Metadata is led by that broker."""
    led = {
        (topic.name, part.partition_index)
        for topic in metadata.response.topics or ()
        for part in topic.partitions or ()
        if part.leader_id == broker
    }
    return led.__contains__
