"""The records inside a batch of magic 2: reading them and writing them back.

Source: the protocol guide's section on records; KIP-98.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from codec.errors import DecodeError, EncodeError
from codec.primitives import Buffer
from codec.records.batch import HEADER_BYTES, BatchHeader
from codec.records.compression import DEFAULT_LIMIT, decompress
from codec.records.varint import read_varint, read_varlong, varint, varlong

# Length, attributes, two deltas, and the lengths of key, value and headers: a byte each.
_SMALLEST = 7
_SMALLEST_HEADER = 2
_MOST = 1 << 63

Header = tuple[bytes, Buffer | None]
"""Key, in UTF-8 unless somebody broke it, and value of a record header."""


class Record(NamedTuple):
    """One record, of any format, with its absolute offset and its time in ms since the epoch.

    `timestamp` is what a consumer sees: the broker's where the batch has log-append time, -1 in
    magic 0. `attributes` is the record's own byte, which no Kafka has used so far.
    """

    offset: int
    timestamp: int
    key: Buffer | None
    value: Buffer | None
    headers: tuple[Header, ...] = ()
    attributes: int = 0


def payload(blob: Buffer, header: BatchHeader, limit: int = DEFAULT_LIMIT) -> Buffer:
    """What is behind the header of a magic 2 batch, unpacked to at most `limit` bytes.

    Raises DecodeError or UnsupportedCompression as decompress does.
    """
    packed = memoryview(blob)[header.start + HEADER_BYTES : header.end]
    return decompress(header.compression, packed, limit)


def read_records(content: Buffer, header: BatchHeader) -> Iterator[Record]:
    """The records in the unpacked payload of a magic 2 batch, in order.

    Keys and values are memoryviews of `content`. Raises DecodeError where the records do not
    agree with their lengths and counts, once it comes to it.
    """
    view = memoryview(content)
    count = header.records_count
    if not 0 <= count <= len(view) // _SMALLEST:
        raise DecodeError(f"a batch with {len(view)} bytes of records claims {count} of them")
    pos = 0
    for _ in range(count):
        record, pos = read_record(view, pos, header)
        yield record
    if pos != len(view):
        raise DecodeError(f"{len(view) - pos} bytes follow the last record of a batch")


def read_record(view: memoryview, pos: int, header: BatchHeader) -> tuple[Record, int]:
    """The record at a position of an unpacked payload, and the position behind it.

    Raises DecodeError as `read_records` does.
    """
    try:
        fields, pos = _read(view, pos)
    except IndexError:
        raise DecodeError("a record is cut off") from None
    offset_delta, time_delta, key, value, headers, attributes = fields
    offset = header.base_offset + offset_delta
    if header.has_log_append_time:
        timestamp = header.max_timestamp
    else:
        timestamp = header.base_timestamp + time_delta
    if not (-_MOST <= timestamp < _MOST and -_MOST <= offset < _MOST):
        raise DecodeError("the offset or time of a record does not fit an int64")
    return Record(offset, timestamp, key, value, headers, attributes), pos


_Fields = tuple[int, int, Buffer | None, Buffer | None, tuple[Header, ...], int]


def _read(view: memoryview, pos: int) -> tuple[_Fields, int]:
    """One record with its offset and time as they are written, and the position behind it."""
    length, pos = read_varint(view, pos)
    end = pos + length
    if length < 0 or end > len(view):
        raise DecodeError(f"a record has length {length}, {len(view) - pos} bytes remain")
    attributes = view[pos]
    time_delta, pos = read_varlong(view, pos + 1)
    offset_delta, pos = read_varint(view, pos)
    key, pos = _read_bytes(view, pos, end)
    value, pos = _read_bytes(view, pos, end)
    headers: tuple[Header, ...] = ()
    if view[pos]:
        headers, pos = _read_headers(view, pos, end)
    else:
        pos += 1
    if pos != end:
        raise DecodeError(f"a record ends {pos - end} bytes behind the end its length says")
    return (offset_delta, time_delta, key, value, headers, attributes), pos


def _read_bytes(view: memoryview, pos: int, end: int) -> tuple[memoryview | None, int]:
    length, pos = read_varint(view, pos)
    if length == -1:
        return None, pos
    if not 0 <= length <= end - pos:
        raise DecodeError(f"a field of a record has length {length}, {end - pos} bytes remain")
    return view[pos : pos + length], pos + length


def _read_headers(view: memoryview, pos: int, end: int) -> tuple[tuple[Header, ...], int]:
    count, pos = read_varint(view, pos)
    if not 0 <= count <= (end - pos) // _SMALLEST_HEADER:
        raise DecodeError(f"a record claims {count} headers, {end - pos} bytes remain")
    headers: list[Header] = []
    for _ in range(count):
        key, pos = _read_bytes(view, pos, end)
        if key is None:
            raise DecodeError("the key of a record header is null")
        value, pos = _read_bytes(view, pos, end)
        headers.append((bytes(key), value))
    return tuple(headers), pos


def write_records(records: Iterable[Record], base_offset: int, base_timestamp: int) -> bytes:
    """The payload that holds these records, not compressed.

    Args:
        records: in the order they are to have.
        base_offset: what their offsets are counted from; at most 2^31-1 away.
        base_timestamp: what their times are counted from, ms since the epoch.

    Raises EncodeError for an offset or a time too far from its base, and for what are no bytes.
    """
    return b"".join([write_record(record, base_offset, base_timestamp) for record in records])


def write_record(record: Record, base_offset: int, base_timestamp: int) -> bytes:
    """One record as it stands in a payload; as `write_records`."""
    try:
        fields = _fields(record, base_offset, base_timestamp)
        # Joined at once: small fields as objects take ten times the memory.
        return b"".join((varint(sum(map(len, fields))), *fields))
    except (TypeError, ValueError) as error:
        raise EncodeError(f"a record cannot be written: {error}") from None


def _fields(record: Record, base_offset: int, base_timestamp: int) -> list[Buffer]:
    fields: list[Buffer] = [
        bytes([record.attributes]),
        varlong(record.timestamp - base_timestamp),
        varint(record.offset - base_offset),
    ]
    _append_bytes(fields, record.key)
    _append_bytes(fields, record.value)
    fields.append(varint(len(record.headers)))
    for key, value in record.headers:
        fields += (varint(len(key)), key)
        _append_bytes(fields, value)
    return fields


def _append_bytes(fields: list[Buffer], value: Buffer | None) -> None:
    if value is None:
        fields.append(varint(-1))
    else:
        fields += (varint(len(value)), value)
