"""Offsets by timestamp: the questions of ListOffsets.

Batches that are not compressed are searched record by record, as Kafka does. Of a compressed
batch the first offset is given (the last, for the highest timestamp): a consumer that seeks there
may read a few records too many, and misses none.
"""

from collections.abc import Iterator

from codec.error_codes import ErrorCode
from codec.primitives import Buffer
from codec.records.batch import BatchHeader, read_batch_headers
from sidecar.embedded.errors import ApiError
from sidecar.embedded.log import PartitionLog, StoredBatch

LATEST = -1
EARLIEST = -2
MAX_TIMESTAMP = -3
EARLIEST_LOCAL = -4
"""First offset on the broker's own disk (KIP-405); the first of all, there being no other."""
LATEST_TIERED = -5
"""Last offset in remote storage (KIP-1005); there is none."""

_HEADER_BYTES = 61
_NONE = (-1, -1)


def offset_at(log: PartitionLog, timestamp: int) -> tuple[int, int]:
    """Answer one question.

    Args:
        log: the partition's.
        timestamp: milliseconds since 1970, or one of the constants above.

    Returns:
        (timestamp, offset); the timestamp is -1 for a question that is not about time, both are
        -1 where there is no such record.

    Raises:
        ApiError: INVALID_REQUEST for another negative timestamp.
    """
    if timestamp == LATEST:
        return -1, log.end_offset
    if timestamp in (EARLIEST, EARLIEST_LOCAL):
        return -1, log.start_offset
    if timestamp == LATEST_TIERED:
        return _NONE
    if timestamp == MAX_TIMESTAMP:
        latest = log.latest_batch()
        if latest is None:
            return _NONE
        return _search(latest, latest.max_timestamp, (latest.max_timestamp, latest.last_offset))
    if timestamp < 0:
        raise ApiError(ErrorCode.INVALID_REQUEST, f"timestamp {timestamp} has no meaning")
    batch = log.first_batch_not_before(timestamp)
    if batch is None:
        return _NONE
    return _search(batch, timestamp, (batch.max_timestamp, batch.base_offset))


def _search(batch: StoredBatch, timestamp: int, otherwise: tuple[int, int]) -> tuple[int, int]:
    header = next(read_batch_headers(batch.data))
    if header.compression:
        return otherwise
    return next(
        (found for found in _records(batch.data, header) if found[0] >= timestamp), otherwise
    )


def _records(data: bytes, header: BatchHeader) -> Iterator[tuple[int, int]]:
    """Timestamp and offset of every record; ends early where the records are not well-formed."""
    pos = _HEADER_BYTES
    try:
        for _ in range(header.records_count):
            length, start = _varint(data, pos)
            time_delta, after = _varint(data, start + 1)
            offset_delta, _ = _varint(data, after)
            if length <= 0:
                return
            yield header.base_timestamp + time_delta, header.base_offset + offset_delta
            pos = start + length
    except IndexError:
        return


def _varint(data: Buffer, pos: int) -> tuple[int, int]:
    """A zigzag varint and the position behind it; IndexError at the end of the data."""
    value = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return (value >> 1) ^ -(value & 1), pos
        shift += 7
