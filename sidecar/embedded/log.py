"""The record batches of one partition, in offset order, in memory, never evicted."""

from bisect import bisect_left
from dataclasses import dataclass

from sidecar.embedded.leader_epochs import LeaderEpochs


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """One record batch as consumers get it: offsets and leader epoch already written in."""

    base_offset: int
    last_offset: int
    max_timestamp: int
    """Milliseconds since 1970, as the producer said."""
    data: bytes


class PartitionLog:
    """An append-only list of batches with the offsets and epochs that index it."""

    def __init__(self) -> None:
        self._batches: list[StoredBatch] = []
        self._last_offsets: list[int] = []
        self._latest_timestamps: list[int] = []
        self.epochs = LeaderEpochs()
        self.size = 0
        """Bytes of all batches."""

    start_offset = 0
    """Offset of the first record; constant, because nothing is ever dropped."""

    @property
    def end_offset(self) -> int:
        """Offset the next record will get; also the high watermark, there being no replicas."""
        return self._last_offsets[-1] + 1 if self._last_offsets else 0

    @property
    def batches(self) -> tuple[StoredBatch, ...]:
        """Every stored batch."""
        return tuple(self._batches)

    def append(self, batch: StoredBatch) -> None:
        """Add a batch that begins at `end_offset`.

        Raises:
            ValueError: the batch does not continue the log.
        """
        if batch.base_offset != self.end_offset or batch.last_offset < batch.base_offset:
            raise ValueError(f"batch {batch.base_offset}..{batch.last_offset} at {self.end_offset}")
        latest = self._latest_timestamps[-1] if self._latest_timestamps else batch.max_timestamp
        self._batches.append(batch)
        self._last_offsets.append(batch.last_offset)
        self._latest_timestamps.append(max(latest, batch.max_timestamp))
        self.size += len(batch.data)

    def read(self, offset: int, max_bytes: int, *, at_least_one: bool) -> list[bytes]:
        """Whole batches from the one that holds `offset`, up to `max_bytes`.

        Args:
            offset: within start_offset..end_offset.
            max_bytes: limit for all batches together.
            at_least_one: return the first batch even when it is larger than the limit (KIP-74).
        """
        found: list[bytes] = []
        room = max_bytes
        for index in range(bisect_left(self._last_offsets, offset), len(self._batches)):
            data = self._batches[index].data
            if len(data) > room and (found or not at_least_one):
                break
            found.append(data)
            room -= len(data)
        return found

    def available_bytes(self, offset: int, enough: int) -> int:
        """Bytes of the batches from `offset` on, counted until there are `enough`."""
        total = 0
        for index in range(bisect_left(self._last_offsets, offset), len(self._batches)):
            if total >= enough:
                break
            total += len(self._batches[index].data)
        return total

    def first_batch_not_before(self, timestamp: int) -> StoredBatch | None:
        """The first batch with a record at or after `timestamp` (ms), or None."""
        # Batches are not ordered by time; the running maximum is, and rises at the batch sought.
        index = bisect_left(self._latest_timestamps, timestamp)
        return self._batches[index] if index < len(self._batches) else None

    def latest_batch(self) -> StoredBatch | None:
        """The first batch that holds the largest timestamp of the log, or None if it is empty."""
        if not self._batches:
            return None
        return self.first_batch_not_before(self._latest_timestamps[-1])

    def batch_holding(self, offset: int) -> StoredBatch | None:
        """The batch with the record at `offset`, or None behind the end."""
        index = bisect_left(self._last_offsets, offset)
        return self._batches[index] if index < len(self._batches) else None
