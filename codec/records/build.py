"""Making batches of magic 2 from records.

Source: the protocol guide's section on record batches.
"""

import struct
from collections.abc import Sequence
from struct import Struct

from codec.errors import EncodeError
from codec.primitives import Buffer
from codec.records.batch import DELETE_HORIZON, LOG_APPEND_TIME, BatchHeader
from codec.records.compression import compress
from codec.records.crc32c import crc32c
from codec.records.record import Record, write_records

_UNCHECKED = Struct(">qiiBI")
_CHECKED = Struct(">hiqqqhii")
_LENGTH_OVERHEAD = 12
_KEEPS_BASE_TIMESTAMP = LOG_APPEND_TIME | DELETE_HORIZON

NEW_BATCH = BatchHeader(
    start=0,
    end=0,
    base_offset=0,
    partition_leader_epoch=-1,
    magic=2,
    crc=0,
    attributes=0,
    last_offset_delta=0,
    base_timestamp=-1,
    max_timestamp=-1,
    producer_id=-1,
    producer_epoch=-1,
    base_sequence=-1,
    records_count=0,
)
"""What a producer without idempotence starts from; change it with `_replace`."""


def build_batch(
    records: Sequence[Record], like: BatchHeader = NEW_BATCH, *, keep_end: bool = False
) -> bytes:
    """A batch of magic 2 with these records, compressed as its attributes say.

    Args:
        records: with ascending offsets, none below `like.base_offset`.
        like: gives base offset, leader epoch, attributes (compression and all flags), producer id,
            epoch and sequence. Its length, count and checksum are not looked at. Its base
            timestamp counts where it is more than a base: with a delete horizon or log-append time.
        keep_end: whether the batch ends at the offset `like` does, instead of its last record's:
            so compaction leaves gaps that consumers step over. Always so without records.

    Raises:
        EncodeError: an offset out of order or range, or a record that cannot be written.
        UnsupportedCompression: as compress raises it.
    """
    last = like.last_offset_delta
    if records and not keep_end:
        last = records[-1].offset - like.base_offset
    _check_offsets(records, like.base_offset, last)
    base_timestamp, max_timestamp = _times(records, like)
    content = write_records(records, like.base_offset, base_timestamp)
    return assemble(
        content,
        like._replace(
            last_offset_delta=last,
            base_timestamp=base_timestamp,
            max_timestamp=max_timestamp,
            records_count=len(records),
        ),
    )


def assemble(content: Buffer, like: BatchHeader) -> bytes:
    """A batch of magic 2 with this payload, compressed as its attributes say.

    Args:
        content: records, written one after the other; they are not looked at.
        like: gives all but length and checksum.

    Raises:
        EncodeError: a field does not fit.
        UnsupportedCompression: as compress raises it.
    """
    packed = compress(like.compression, content)
    try:
        checked = _CHECKED.pack(
            like.attributes,
            like.last_offset_delta,
            like.base_timestamp,
            like.max_timestamp,
            like.producer_id,
            like.producer_epoch,
            like.base_sequence,
            like.records_count,
        )
        size = _UNCHECKED.size + len(checked) + len(packed) - _LENGTH_OVERHEAD
        crc = crc32c(packed, crc32c(checked))
        unchecked = _UNCHECKED.pack(like.base_offset, size, like.partition_leader_epoch, 2, crc)
    except struct.error as error:
        raise EncodeError(f"a field of the batch does not fit: {error}") from None
    return unchecked + checked + packed


def _times(records: Sequence[Record], like: BatchHeader) -> tuple[int, int]:
    """Base and highest timestamp of the batch."""
    if like.has_log_append_time or not records:
        return like.base_timestamp, like.max_timestamp
    highest = max(record.timestamp for record in records)
    if like.attributes & _KEEPS_BASE_TIMESTAMP:
        return like.base_timestamp, highest
    return records[0].timestamp, highest


def _check_offsets(records: Sequence[Record], base_offset: int, last: int) -> None:
    before = base_offset
    for record in records:
        if not before <= record.offset <= base_offset + last:
            end = base_offset + last
            raise EncodeError(f"offset {record.offset}, where {before} to {end} are allowed")
        before = record.offset
