"""Message sets of magic 0 and 1, with the wrappers that hold compressed ones.

Source: the protocol guide's section on old message formats; KIP-31 for relative offsets and
KIP-32 for timestamps.
"""

import struct
from collections.abc import Iterator, Sequence
from struct import Struct
from zlib import crc32

from codec.errors import DecodeError, EncodeError
from codec.primitives import Buffer
from codec.records.batch import COMPRESSION_MASK, BatchHeader, read_batch_headers
from codec.records.compression import DEFAULT_LIMIT, Compression, compress, decompress
from codec.records.record import Record

_LENGTH = Struct(">i")
_OFFSET_LENGTH_CRC = Struct(">qiI")
_MAGIC_ATTRIBUTES = Struct(">bb")
_TIMESTAMP = Struct(">q")
# Where the key of an entry starts, by magic.
_KEY_AT = {0: 18, 1: 26}
_LENGTH_COUNTED_FROM = 12
_NULL = _LENGTH.pack(-1)


def read_messages(
    blob: Buffer, header: BatchHeader, limit: int = DEFAULT_LIMIT
) -> Iterator[Record]:
    """The records of one entry of magic 0 or 1: itself, or what it wraps.

    Args:
        blob: what `header` was read from.
        header: of the entry.
        limit: most bytes that a wrapper may unpack to.

    Raises DecodeError or UnsupportedCompression, once it comes to it. The checksums of wrapped
    messages are not checked: crc_ok checks that of the wrapper, which covers them.
    """
    outer = _read(blob, header)
    if not header.compression:
        yield outer
        return
    if outer.value is None:
        raise DecodeError("a wrapper of compressed messages is null")
    old_lz4 = header.magic == 0
    content = decompress(header.compression, outer.value, limit, old_lz4=old_lz4)
    inner = list(read_batch_headers(content))
    if not inner or inner[-1].end != len(content):
        raise DecodeError("a wrapper holds no messages, or its last one is cut off")
    # Offsets inside are absolute in magic 0; in magic 1 the last one is the wrapper's.
    base = header.base_offset - inner[-1].base_offset if header.magic else 0
    for entry in inner:
        if entry.magic != header.magic or entry.compression:
            raise DecodeError("a wrapper holds messages of another format, or another wrapper")
        record = _read(content, entry)
        timestamp = outer.timestamp if header.has_log_append_time else record.timestamp
        yield record._replace(offset=base + record.offset, timestamp=timestamp)


def _read(blob: Buffer, entry: BatchHeader) -> Record:
    view = memoryview(blob)[: entry.end]
    key, pos = _read_bytes(view, entry.start + _KEY_AT[entry.magic])
    value, pos = _read_bytes(view, pos)
    if pos != entry.end:
        raise DecodeError(f"{entry.end - pos} bytes follow the value of a message")
    attributes = entry.attributes & ~COMPRESSION_MASK
    return Record(entry.base_offset, entry.max_timestamp, key, value, (), attributes)


def _read_bytes(view: memoryview, pos: int) -> tuple[memoryview | None, int]:
    remaining = len(view) - pos - _LENGTH.size
    if remaining < 0:
        raise DecodeError("a message is cut off")
    (length,) = _LENGTH.unpack_from(view, pos)
    pos += _LENGTH.size
    if length == -1:
        return None, pos
    if not 0 <= length <= remaining:
        raise DecodeError(f"a field of a message has length {length}, {remaining} bytes remain")
    return view[pos : pos + length], pos + length


def build_messages(records: Sequence[Record], like: BatchHeader) -> bytes:
    """A message set with these records: one entry each, or one wrapper around them.

    Args:
        records: in ascending order of offsets; the old formats have no headers.
        like: gives magic and attributes; and, with log-append time, a wrapper's timestamp.

    Raises:
        EncodeError: a record with headers, or one that cannot be written.
        UnsupportedCompression: as compress raises it.
    """
    if not records:
        return b""
    if not like.compression:
        attributes = like.attributes
        return b"".join(_write(record, record.offset, like.magic, attributes) for record in records)
    base = records[0].offset if like.magic else 0
    plain = like.attributes & ~COMPRESSION_MASK
    inner = b"".join(_write(record, record.offset - base, like.magic, plain) for record in records)
    old_lz4 = like.magic == 0 and like.compression == Compression.LZ4
    timestamp = like.max_timestamp
    if not like.has_log_append_time:
        timestamp = max(record.timestamp for record in records)
    packed = compress(like.compression, inner, old_lz4=old_lz4)
    wrapper = Record(records[-1].offset, timestamp, None, packed)
    return _write(wrapper, wrapper.offset, like.magic, like.attributes)


def _write(record: Record, offset: int, magic: int, attributes: int) -> bytes:
    if record.headers:
        raise EncodeError(f"a message of magic {magic} cannot have headers")
    try:
        checked = _MAGIC_ATTRIBUTES.pack(magic, attributes)
        if magic:
            checked += _TIMESTAMP.pack(record.timestamp)
        checked = b"".join((checked, *_bytes(record.key), *_bytes(record.value)))
        size = _OFFSET_LENGTH_CRC.size - _LENGTH_COUNTED_FROM + len(checked)
        return _OFFSET_LENGTH_CRC.pack(offset, size, crc32(checked)) + checked
    except (struct.error, TypeError, ValueError) as error:
        raise EncodeError(f"a message cannot be written: {error}") from None


def _bytes(value: Buffer | None) -> tuple[Buffer, ...]:
    return (_NULL,) if value is None else (_LENGTH.pack(len(value)), value)
