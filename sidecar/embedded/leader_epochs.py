"""Where each leader epoch of a partition begins: the answer to OffsetForLeaderEpoch (KIP-101)."""

from bisect import bisect_right

UNDEFINED_EPOCH = -1
UNDEFINED_OFFSET = -1


class LeaderEpochs:
    """Start offset of every leader epoch in which something was (or may yet be) written."""

    def __init__(self) -> None:
        self._epochs: list[int] = []
        self._starts: list[int] = []

    def begin(self, epoch: int, start_offset: int) -> None:
        """Note that a leader of `epoch` takes over at `start_offset`.

        An epoch in which nothing was written leaves no trace: two epochs never share a start.
        """
        while self._starts and self._starts[-1] >= start_offset:
            self._epochs.pop()
            self._starts.pop()
        self._epochs.append(epoch)
        self._starts.append(start_offset)

    def end_offset(self, epoch: int, log_end_offset: int) -> tuple[int, int]:
        """The largest known epoch not above `epoch`, and the offset just behind its last record.

        Returns:
            (epoch, end offset); (-1, -1) for an epoch that is unknown or in the future.
        """
        if epoch == UNDEFINED_EPOCH or not self._epochs or epoch > self._epochs[-1]:
            return UNDEFINED_EPOCH, UNDEFINED_OFFSET
        if epoch == self._epochs[-1]:
            return epoch, log_end_offset
        higher = bisect_right(self._epochs, epoch)
        found = self._epochs[higher - 1] if higher else epoch
        return found, self._starts[higher]

    def epoch_at(self, offset: int) -> int:
        """The epoch in which `offset` was (or will be) written; -1 before the first."""
        index = bisect_right(self._starts, offset)
        return self._epochs[index - 1] if index else UNDEFINED_EPOCH
