"""How long the hub may be kept by the records of one message: estimated, before it is spent.

By an estimate and not by a clock, so that the same draws change the same records again.
"""

from typing import Final

from codec.records import crc32c
from codec.records.batch import BatchHeader
from codec.records.compression import Compression

MAX_NANOSECONDS: Final = 20_000_000
"""What the records of one message may cost."""
SKIP: Final = 300
"""Nanoseconds to step over a record; this and the others as measured, and some more."""
STEP: Final = 1_500
"""To draw for one."""
READ: Final = 3_000
"""To draw for one by its offset."""
CHANGE: Final = 5_500
"""To give one another value."""
DOUBLE: Final = 1_000
"""To have one twice."""
MOVE: Final = 2_500
"""To give one another offset."""
_OPEN: Final[dict[int, int]] = {
    Compression.NONE: 1,
    Compression.GZIP: 6,
    Compression.SNAPPY: 1,
    Compression.LZ4: 2,
    Compression.ZSTD: 2,
}
"""Nanoseconds to unpack a byte."""
_CLOSE: Final[dict[int, int]] = {
    Compression.NONE: 1,
    Compression.GZIP: 40,
    Compression.SNAPPY: 3,
    Compression.LZ4: 6,
    Compression.ZSTD: 8,
}
"""Nanoseconds to copy a byte and pack it."""
_CHECKSUM: Final = 70 if crc32c.crc32c is crc32c.table_crc32c else 1
"""Nanoseconds for the checksum of a byte; many without a library."""
_USUAL_RATIO: Final = 4
"""Bytes that a compressed one stands for, where nobody has looked."""


class Allowance:
    """The time that one message may still take."""

    def __init__(self) -> None:
        self._left = MAX_NANOSECONDS

    def has(self, cost: int) -> bool:
        """Whether there are so many nanoseconds left."""
        return cost <= self._left

    def take(self, cost: int) -> bool:
        """Take so many off, if there are."""
        if cost > self._left:
            return False
        self._left -= cost
        return True

    def opens(self, header: BatchHeader, cost: int) -> bool:
        """Whether there is time for a batch, if it does not unpack to more.

        Args:
            cost: nanoseconds for each of its bytes.
        """
        return (header.end - header.start) * cost <= self._left

    def limit(self, cost: int) -> int:
        """For how many bytes there is time, at this cost of each."""
        return self._left // cost


def open_cost(header: BatchHeader) -> int:
    """Nanoseconds for each byte that comes out of a batch.

    What is compressed in no known way is refused when it is read; as below.
    """
    return _OPEN.get(header.compression, 1) + _CHECKSUM


def close_cost(header: BatchHeader) -> int:
    """Nanoseconds for each byte that is put into a batch."""
    return _CLOSE.get(header.compression, 1) + _CHECKSUM


def whole_cost(header: BatchHeader) -> int:
    """Nanoseconds for each byte of a batch that is opened and closed again."""
    return open_cost(header) + close_cost(header)


def fits(header: BatchHeader, cost: int) -> bool:
    """Whether there is time for a batch that has a message to itself; as `Allowance.opens`."""
    return (header.end - header.start) * cost <= MAX_NANOSECONDS


def estimate(header: BatchHeader, growth: int) -> int:
    """Nanoseconds to change all records of a batch, as nobody has looked into it.

    Args:
        growth: bytes that a record grows by.
    """
    count = max(header.records_count, 0)
    size = (header.end - header.start) * (_USUAL_RATIO if header.compression else 1)
    grown = count * growth * close_cost(header)
    return count * (STEP + CHANGE) + size * whole_cost(header) + grown
