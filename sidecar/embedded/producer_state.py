"""What a partition remembers of idempotent producers, and the sequence check built on it.

KIP-98 and KIP-360: the last five batches per producer id, so that a retried batch is recognised
and answered with the offset it already has.
"""

from collections import deque
from dataclasses import dataclass, field

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError

BATCHES_KEPT = 5
"""Batches remembered per producer; equals the most requests an idempotent client has in flight."""

_MAX_SEQUENCE = 0x7FFFFFFF
_NO_EPOCH = -1


@dataclass(frozen=True, slots=True)
class ProducerBatch:
    """One batch as its producer numbered it. Sequences wrap after 2^31 - 1."""

    producer_id: int
    producer_epoch: int
    base_sequence: int
    record_count: int

    @property
    def last_sequence(self) -> int:
        """Sequence of the last record."""
        return (self.base_sequence + self.record_count - 1) & _MAX_SEQUENCE


@dataclass(slots=True)
class _Entry:
    epoch: int = _NO_EPOCH
    batches: deque[tuple[ProducerBatch, int]] = field(
        default_factory=lambda: deque(maxlen=BATCHES_KEPT)
    )


class ProducerStates:
    """Sequence state of every idempotent producer that wrote to one partition."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}

    def duplicate_of(self, batch: ProducerBatch) -> int | None:
        """The base offset this batch was stored at before, or None if it is new."""
        entry = self._entries.get(batch.producer_id)
        if entry is None:
            return None
        return next((offset for known, offset in entry.batches if known == batch), None)

    def check(self, batch: ProducerBatch) -> None:
        """Check that a batch which is no duplicate may be appended next.

        A producer id never seen here may start with any sequence: since KIP-360 the broker takes
        it that older state was lost with deleted records.

        Raises:
            ApiError: INVALID_PRODUCER_EPOCH for an older epoch, OUT_OF_ORDER_SEQUENCE_NUMBER for
                a gap, a repetition older than the remembered batches, or a new epoch that does
                not start at 0.
        """
        entry = self._entries.get(batch.producer_id)
        if entry is None:
            return
        if batch.producer_epoch < entry.epoch:
            raise ApiError(
                ErrorCode.INVALID_PRODUCER_EPOCH,
                f"producer {batch.producer_id} has epoch {entry.epoch}, not {batch.producer_epoch}",
            )
        expected = 0
        if batch.producer_epoch == entry.epoch:
            expected = (entry.batches[-1][0].last_sequence + 1) & _MAX_SEQUENCE
        if batch.base_sequence != expected:
            raise ApiError(
                ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
                f"producer {batch.producer_id} is at sequence {expected}, "
                f"not {batch.base_sequence}",
            )

    def appended(self, batch: ProducerBatch, base_offset: int) -> None:
        """Remember a batch that was stored at `base_offset`."""
        entry = self._entries.setdefault(batch.producer_id, _Entry())
        if batch.producer_epoch != entry.epoch:
            entry.batches.clear()
            entry.epoch = batch.producer_epoch
        entry.batches.append((batch, base_offset))
