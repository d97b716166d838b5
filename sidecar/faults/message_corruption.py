"""Corrupted messages: random bytes in front of the values of records.

The reference's documentation says that they are appended; what it was recorded to do, in 3.0.0, is
to put them in front.
"""

from dataclasses import dataclass
from hashlib import shake_128
from struct import Struct
from typing import Final

from codec.primitives import Buffer
from sidecar.faults.base import Chance
from sidecar.faults.records import CONSUME, PRODUCE, RecordRule
from sidecar.model.faults import Checks

_CHANCE: Final = Struct(">d")
MAX_SIZE: Final = 1 << 20
"""Bytes; a record that is larger than this is refused by brokers as they come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCorruption:
    """Put random bytes in front of the values of sampled records.

    Records without a value (tombstones) stay as they are.

    Args:
        topic: regular expression for the whole names of topics, as clients call them.
        size_in_bytes: how many random bytes, 1 to 1048576. Where that makes a request larger than
            the topic's `max.message.bytes`, the broker refuses it with its own error.
        rate_in_percent: share of records, 0 to 100.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is none of these.
    """

    topic: str = ".*"
    size_in_bytes: int = 10
    rate_in_percent: float = 100
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.pattern("topic", self.topic)
        checks.between("size_in_bytes", self.size_in_bytes, 1, MAX_SIZE)
        checks.rate("rate_in_percent", self.rate_in_percent)
        checks.seed(self.seed)
        checks.done()


class ProduceMessageCorruption(MessageCorruption):
    """Of records on their way to the broker: the log keeps them so."""

    __slots__ = ()


class FetchMessageCorruption(MessageCorruption):
    """Of records on their way to a consumer: the log stays as it is."""

    __slots__ = ()


class _MessageCorruptionRule(RecordRule):
    def __init__(self, config: MessageCorruption, target: str) -> None:
        size = config.size_in_bytes
        super().__init__(config.topic, config.rate_in_percent, target, growth=size)
        self._size = size

    def change(self, value: Buffer | None, chance: Chance) -> bytes | None:
        """The value with bytes in front of it."""
        if value is None:
            return None
        noise = shake_128(_CHANCE.pack(chance())).digest(self._size)
        return noise + value


class ProduceMessageCorruptionRule(_MessageCorruptionRule):
    """Corrupts what is produced."""

    def __init__(self, config: ProduceMessageCorruption) -> None:
        super().__init__(config, PRODUCE)


class FetchMessageCorruptionRule(_MessageCorruptionRule):
    """Corrupts what is fetched."""

    def __init__(self, config: FetchMessageCorruption) -> None:
        super().__init__(config, CONSUME)
