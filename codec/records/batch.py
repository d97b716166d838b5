"""Headers of record batches, read without unpacking the records.

Source: the protocol guide's section on record batches and message sets; KIP-98 for batch v2.
"""

from collections.abc import Iterator
from struct import Struct, pack_into
from typing import NamedTuple
from zlib import crc32

from codec.errors import DecodeError
from codec.primitives import Buffer
from codec.records.crc32c import crc32c

# The length and, in every format at the same place, the magic byte.
_START = Struct(">8xi4xb")
_V2 = Struct(">qiiBIhiqqqhii")
_V1 = Struct(">qiIbbq")
_V0 = Struct(">qiIbb")
# Bytes the length field does not count.
_LOG_OVERHEAD = 12
_SMALLEST = {0: 26, 1: 34, 2: _V2.size}
HEADER_BYTES = _V2.size
"""Bytes of a magic 2 batch before its records."""
_CRC_FROM_V2 = 21
_CRC_FROM_LEGACY = 16
_CRC = 17
_PRODUCER = 43
_UNKNOWN = -1

COMPRESSION_MASK = 0x07
LOG_APPEND_TIME = 0x08
TRANSACTIONAL = 0x10
CONTROL = 0x20
DELETE_HORIZON = 0x40


class BatchHeader(NamedTuple):
    """One batch: `start` and `end` are positions in the blob, times are in ms since the epoch.

    In the legacy formats (magic 0 and 1) this is one message, which may wrap a compressed set. They
    have no producer, no leader epoch, no count: those fields are -1.
    """

    start: int
    end: int
    base_offset: int
    partition_leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records_count: int

    @property
    def compression(self) -> int:
        """0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd."""
        return self.attributes & COMPRESSION_MASK

    @property
    def has_log_append_time(self) -> bool:
        """Whether the broker's clock counts, not the producer's. Never in magic 0."""
        return bool(self.magic >= 1 and self.attributes & LOG_APPEND_TIME)

    @property
    def is_transactional(self) -> bool:
        return bool(self.magic >= 2 and self.attributes & TRANSACTIONAL)

    @property
    def is_control(self) -> bool:
        """Whether the batch holds markers, which consumers do not see, instead of records."""
        return bool(self.magic >= 2 and self.attributes & CONTROL)


def read_batch_headers(records: Buffer) -> Iterator[BatchHeader]:
    """The headers of all batches in a blob of records, in order.

    Ends at a last batch that is cut off, as Fetch responses may have one. Raises DecodeError for
    a length no batch can have, or a magic above 2.
    """
    pos = 0
    while len(records) - pos >= _START.size:
        length, magic = _START.unpack_from(records, pos)
        if length < _SMALLEST.get(magic, _V2.size) - _LOG_OVERHEAD:
            raise DecodeError(f"a batch of magic {magic} has length {length}")
        if magic not in _SMALLEST:
            raise DecodeError(f"a batch has magic {magic}")
        end = pos + _LOG_OVERHEAD + length
        if end > len(records):
            return
        yield _v2(records, pos, end) if magic == 2 else _legacy(records, pos, end, magic)
        pos = end


def _v2(records: Buffer, pos: int, end: int) -> BatchHeader:
    base_offset, _, *rest = _V2.unpack_from(records, pos)
    return BatchHeader(pos, end, base_offset, *rest)


def _legacy(records: Buffer, pos: int, end: int, magic: int) -> BatchHeader:
    timestamp = _UNKNOWN
    if magic:
        offset, _, crc, _, attributes, timestamp = _V1.unpack_from(records, pos)
    else:
        offset, _, crc, _, attributes = _V0.unpack_from(records, pos)
    unknown = [_UNKNOWN] * 4
    return BatchHeader(
        pos, end, offset, -1, magic, crc, attributes, 0, timestamp, timestamp, *unknown
    )


def crc_ok(records: Buffer, header: BatchHeader) -> bool:
    """Whether the checksum of a batch is right: CRC-32C for magic 2, CRC-32 before."""
    view = memoryview(records)
    if header.magic == 2:
        return crc32c(view[header.start + _CRC_FROM_V2 : header.end]) == header.crc
    return crc32(view[header.start + _CRC_FROM_LEGACY : header.end]) == header.crc


def set_base_offset(records: bytearray, header: BatchHeader, base_offset: int) -> None:
    """Move a batch to another offset, in place. The checksum does not cover it."""
    pack_into(">q", records, header.start, base_offset)


def set_leader_epoch(records: bytearray, header: BatchHeader, epoch: int) -> None:
    """Set the partition leader epoch of a magic 2 batch, in place. The checksum does not cover it.

    Raises DecodeError for a legacy batch, which has none.
    """
    if header.magic != 2:
        raise DecodeError(f"a batch of magic {header.magic} has no leader epoch")
    pack_into(">i", records, header.start + _LOG_OVERHEAD, epoch)


def without_producer(records: Buffer, header: BatchHeader) -> bytes:
    """A magic 2 batch as a producer without idempotence sends it: no id, epoch and sequence.

    Raises DecodeError for a legacy batch, which has none.
    """
    if header.magic != 2:
        raise DecodeError(f"a batch of magic {header.magic} has no producer")
    batch = bytearray(memoryview(records)[header.start : header.end])
    pack_into(">qhi", batch, _PRODUCER, _UNKNOWN, _UNKNOWN, _UNKNOWN)
    pack_into(">I", batch, _CRC, crc32c(memoryview(batch)[_CRC_FROM_V2:]))
    return bytes(batch)
