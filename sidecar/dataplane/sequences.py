"""Batches of idempotent producers that were refused, and must not be overtaken.

A broker that has no state of a producer takes whatever sequence number it sees first. If a batch is
refused and the next one, already in flight, is let through, the refused one can never be appended:
librdkafka then takes it for delivered, Java tries until it times out. A real election cannot do
that, because it refuses everything in flight. So what follows a refused batch is refused as well,
until that batch comes again and is forwarded, or the client shows that it gave up on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from codec.errors import DecodeError
from codec.records.batch import read_batch_headers
from sidecar.dataplane.pipeline import Stage

_MAX_GAPS: Final = 10_000
"""Partitions a connection may have refused batches on; beyond, the oldest is forgotten."""
_MAX_BEHIND: Final = 100
"""Refused batches remembered behind one; clients have five in flight."""
_SEQUENCES: Final = 2**31
"""Sequence numbers go up to 2**31 - 1 and begin at 0 again."""

_Key = tuple[str, int, int]
"""Topic, partition, producer id."""


class Batch(NamedTuple):
    """The one batch of an idempotent producer that a partition has in a request."""

    key: _Key
    epoch: int
    sequence: int
    records: int


class Cause(NamedTuple):
    """Why a batch was refused first."""

    stage: Stage
    draw: int


@dataclass(slots=True)
class _Gap:
    """The earliest refused batch of a producer on a partition."""

    epoch: int
    sequence: int
    cause: Cause
    behind: set[int] = field(default_factory=set)
    """Sequences refused after it that came since it was last seen."""

    def abandoned(self, sequence: int) -> bool:
        """Whether a batch of this later sequence shows that the refused one will not come again.

        Clients retry in order: a batch that was refused behind it and comes before it means that
        they gave up on it. What is to become of the rest is then between client and broker.
        """
        return sequence in self.behind or len(self.behind) >= _MAX_BEHIND


class RefusedSequences:
    """The refused batches of one connection, by partition and producer."""

    def __init__(self) -> None:
        self._gaps: dict[_Key, _Gap] = {}

    def __len__(self) -> int:
        return len(self._gaps)

    def refused(self, batch: Batch, cause: Cause) -> None:
        """Note a batch that is refused."""
        key, epoch, sequence, _ = batch
        gap = self._gaps.get(key)
        later = gap is not None and gap.epoch == epoch and is_later(sequence, gap.sequence)
        if gap is not None and later and not gap.abandoned(sequence):
            gap.behind.add(sequence)
            return
        if gap is None and len(self._gaps) >= _MAX_GAPS:
            del self._gaps[next(iter(self._gaps))]
        self._gaps[key] = _Gap(epoch, sequence, cause)

    def before(self, batches: Iterable[Batch]) -> Cause | None:
        """The cause of a refusal that one of these batches must not overtake; None: none must."""
        for key, epoch, sequence, _ in batches:
            gap = self._gaps.get(key)
            if gap is None or epoch != gap.epoch:
                continue
            if is_later(sequence, gap.sequence) and not gap.abandoned(sequence):
                return gap.cause
        return None

    def forwarded(self, batches: Iterable[Batch]) -> None:
        """Note batches that are forwarded: what follows them may pass again."""
        for key, epoch, _, _ in batches:
            gap = self._gaps.get(key)
            if gap is not None and epoch >= gap.epoch:
                del self._gaps[key]


def batches(request: Any) -> list[Batch]:
    """The batches of idempotent producers in a decoded Produce request."""
    found = []
    for topic in request.topic_data or ():
        for partition in topic.partition_data or ():
            header = _first_header(partition.records)
            if header is not None and header.producer_id >= 0:
                key = (topic.name, partition.index, header.producer_id)
                found.append(
                    Batch(key, header.producer_epoch, header.base_sequence, header.records_count)
                )
    return found


def _first_header(records: Any) -> Any:
    """Header of the one batch a partition has from Produce v3 on; None if it is not one."""
    try:
        header = next(iter(read_batch_headers(records)), None) if records else None
    except DecodeError:
        return None
    return header if header is not None and header.magic == 2 else None


def is_later(sequence: int, than: int) -> bool:
    """Whether a sequence number comes behind another; they begin anew at the end."""
    return 0 < (sequence - than) % _SEQUENCES < _SEQUENCES // 2
