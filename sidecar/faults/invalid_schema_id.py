"""Records whose schema no registry knows: the id in front of their values is another.

Source: Confluent's wire format: a zero byte, the id of a schema in four bytes, the data.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from codec.primitives import Buffer
from sidecar.faults.base import Chance
from sidecar.faults.records import CONSUME, TARGETS, RecordRule
from sidecar.model.faults import Checks

_MAGIC: Final = 0
_WRITTEN: Final = Struct(">bi")
_HEAD: Final = _WRITTEN.size
"""Bytes of the magic byte and the id."""
MAX_ID: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidSchemaId:
    """Replace the schema id in the values of all records that have one.

    Records that do not begin with a zero byte and four others stay as they are.

    Args:
        topic: regular expression for the whole names of topics, as clients call them.
        invalid_schema_id: 0 to 2**31-1; None takes a random one for each record.
        target: ``PRODUCE`` changes what goes into the log, ``CONSUME`` what consumers are given.
        seed: 0 to 2**64-1; None takes the process seed, or a random one.

    Raises:
        InvalidArgument: a value is none of these.
    """

    topic: str = ".*"
    invalid_schema_id: int | None = None
    target: str = CONSUME
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        checks.pattern("topic", self.topic)
        if self.invalid_schema_id is not None:
            checks.between("invalid_schema_id", self.invalid_schema_id, 0, MAX_ID)
        checks.one_of("target", self.target, TARGETS)
        checks.seed(self.seed)
        checks.done()


class InvalidSchemaIdRule(RecordRule):
    """Replaces the schema id of every record that has one."""

    def __init__(self, config: InvalidSchemaId) -> None:
        super().__init__(config.topic, 100, config.target)
        self._id = config.invalid_schema_id

    def change(self, value: Buffer | None, chance: Chance) -> bytes | None:
        """The value with the other id; None where it has none, or has that one."""
        if value is None or len(value) < _HEAD or value[0] != _MAGIC:
            return None
        number = int(chance() * (MAX_ID + 1)) if self._id is None else self._id
        head = _WRITTEN.pack(_MAGIC, number)
        if value[:_HEAD] == head:
            return None
        return head + value[_HEAD:]
