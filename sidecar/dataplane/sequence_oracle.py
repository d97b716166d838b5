"""Holds what brokers acknowledge of idempotent producers against what must be (KIP-98).

A producer numbers the records of each partition; a broker appends them in that order, once. What
stands at which offset is in the acknowledgement, so that duplicates, gaps and reorderings can be
told as they pass, without the records. Judged is the broker's own answer, not what faults make of
it.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sidecar.dataplane.sequences import Batch, is_later
from sidecar.model.identity import Identity
from sidecar.model.observation import AnomalyKind, SequenceAnomaly

MAX_PRODUCERS: Final = 10_000
"""Producers, each on one partition, that are remembered; beyond, the one not heard of longest is
forgotten, and begins anew."""
_REMEMBERED: Final = 16
"""Acknowledged batches of each; a broker keeps 5."""
_SEQUENCES: Final = 2**31
_UNKNOWN_OFFSET: Final = -1
"""What a broker says of a duplicate it does not know the offset of."""


class _Acknowledged(NamedTuple):
    sequence: int
    offset: int


@dataclass(slots=True)
class _Progress:
    """What is known of a producer on a partition.

    Args:
        expected: the sequence number that follows the furthest acknowledged batch.
    """

    epoch: int
    expected: int
    latest: deque[_Acknowledged] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))


class SequenceOracle:
    """Asked about every acknowledged batch.

    Args:
        tell: given each anomaly; must not wait.
    """

    def __init__(self, tell: Callable[[SequenceAnomaly], None]) -> None:
        self._tell = tell
        self._progress: OrderedDict[tuple[str, str, int, int], _Progress] = OrderedDict()

    def acknowledged(
        self, who: Identity, client_id: str | None, batch: Batch, base_offset: int, now: float
    ) -> None:
        """A broker has answered that it has a batch.

        Args:
            base_offset: where; -1 if it does not say.
        """
        (topic, partition, producer_id), epoch, sequence, records = batch
        key = (who.virtual_cluster, topic, partition, producer_id)
        known = self._progress.get(key)
        if known is None or epoch > known.epoch:
            known = self._begin(key, epoch, sequence)
        elif epoch < known.epoch:
            return  # what came late of a producer that has begun anew
        expected = known.expected
        found = _judged(known, sequence, base_offset)
        if not is_later(expected, sequence):  # it is the furthest
            known.expected = (sequence + records) % _SEQUENCES
        self._progress.move_to_end(key)
        if found is not None:
            kind, other = found
            self._tell(
                SequenceAnomaly(
                    time=now,
                    kind=kind,
                    virtual_cluster=who.virtual_cluster,
                    principal=who.username,
                    client_id=client_id,
                    topic=topic,
                    partition=partition,
                    producer_id=producer_id,
                    producer_epoch=epoch,
                    base_sequence=sequence,
                    record_count=records,
                    base_offset=base_offset,
                    expected_sequence=expected,
                    other_offset=other,
                )
            )

    def _begin(self, key: tuple[str, str, int, int], epoch: int, sequence: int) -> _Progress:
        """A producer is heard of for the first time, or has begun anew: any number is fine."""
        if len(self._progress) >= MAX_PRODUCERS and key not in self._progress:
            self._progress.popitem(last=False)
        known = self._progress[key] = _Progress(epoch, sequence)
        return known


def _judged(known: _Progress, sequence: int, offset: int) -> tuple[AnomalyKind, int | None] | None:
    """What is wrong with an acknowledged batch, and with which offset; it is remembered."""
    for each in known.latest:
        if each.sequence == sequence:
            if _UNKNOWN_OFFSET in (offset, each.offset) or offset == each.offset:
                return None  # told twice, there once
            return "DUPLICATE", each.offset
    known.latest.append(_Acknowledged(sequence, offset))
    if is_later(sequence, known.expected):
        return "GAP", None
    if offset == _UNKNOWN_OFFSET:
        return None
    for each in known.latest:
        follows = is_later(each.sequence, sequence)
        if each.offset != _UNKNOWN_OFFSET and (
            (follows and each.offset < offset)
            or (is_later(sequence, each.sequence) and each.offset > offset)
        ):
            return "REORDERED", each.offset
    return None
