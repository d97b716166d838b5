"""Message sets of magic 0 and 1: wrappers, relative offsets, and what is not valid."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.errors import DecodeError, EncodeError
from codec.records.batch import LOG_APPEND_TIME, BatchHeader, crc_ok, read_batch_headers
from codec.records.build import NEW_BATCH
from codec.records.compression import Compression
from codec.records.legacy import build_messages, read_messages
from codec.records.record import Record
from tests.codec.records.sets import PLAIN, T, in_full, one_set, record_lists

MOST = (1 << 31) - 1


def like(magic: int, attributes: int = 0, **fields: int) -> BatchHeader:
    return NEW_BATCH._replace(magic=magic, attributes=attributes, **fields)


def read(blob: bytes) -> list[Record]:
    return in_full(r for h in read_batch_headers(blob) for r in read_messages(blob, h))


def wrapper(content: bytes, magic: int, attributes: int = 0, offset: int = 0) -> bytes:
    """A gzip wrapper around whatever is given."""
    packed = zlib.compress(content, wbits=31)
    outer = Record(offset, T, None, packed)
    blob = bytearray(build_messages([outer], like(magic, attributes)))
    blob[17] |= Compression.GZIP
    return bytes(blob)


@pytest.mark.parametrize("magic", [0, 1])
@pytest.mark.parametrize("compression", list(Compression)[:4])
@given(records=record_lists(least=1, headers=False))
def test_round_trip(magic: int, compression: int, records: list[Record]) -> None:
    if magic == 0:
        records = [record._replace(timestamp=-1) for record in records]
    blob = build_messages(records, like(magic, compression))
    headers = list(read_batch_headers(blob))
    assert len(headers) == (1 if compression else len(records))
    assert all(crc_ok(blob, header) for header in headers)
    if compression:
        assert headers[0].base_offset == records[-1].offset
        assert headers[0].max_timestamp == max(record.timestamp for record in records)
    assert read(blob) == records


def test_no_records_are_no_bytes() -> None:
    assert build_messages([], like(1, Compression.GZIP)) == b""


@pytest.mark.parametrize("offset", [2, 2 + (1 << 40)])
@pytest.mark.parametrize("first", [0, 7])
def test_offsets_in_a_wrapper_of_magic_1_end_at_its_own(offset: int, first: int) -> None:
    """Relative or absolute: consumers of Java tell them by the last one alone."""
    records = [Record(first + n, T, None, b"v") for n in range(3)]
    blob = wrapper(build_messages(records, like(1)), 1, offset=offset)
    assert [record.offset for record in read(blob)] == [offset - 2, offset - 1, offset]


def test_offsets_in_a_wrapper_of_magic_0_are_absolute() -> None:
    records = [Record(n, -1, None, b"v") for n in (4, 6, 9)]
    blob = wrapper(build_messages(records, like(0)), 0, offset=1)
    assert read(blob) == records


def test_log_append_time_of_a_wrapper_is_that_of_all() -> None:
    blob = build_messages(PLAIN, like(1, Compression.GZIP | LOG_APPEND_TIME, max_timestamp=T + 9))
    assert {record.timestamp for record in read(blob)} == {T + 9}


def test_log_append_time_of_a_message_is_its_own() -> None:
    blob = build_messages(PLAIN, like(1, LOG_APPEND_TIME))
    assert [record.timestamp for record in read(blob)] == [record.timestamp for record in PLAIN]


@pytest.mark.parametrize("magic", [0, 1])
def test_wrappers_that_are_not_valid(magic: int) -> None:
    inner = build_messages(PLAIN, like(magic))
    other = build_messages(PLAIN, like(1 - magic))
    nested = build_messages(PLAIN, like(magic, Compression.GZIP))
    modern = one_set(2, "none")
    for content in (b"", inner[:-1], inner + b"\0", other, nested, modern, inner + nested):
        with pytest.raises(DecodeError):
            read(wrapper(content, magic))
    null = bytearray(build_messages([Record(0, T, None, None)], like(magic)))
    null[17] |= Compression.GZIP
    with pytest.raises(DecodeError, match="null"):
        read(bytes(null))


@pytest.mark.parametrize("magic", [0, 1])
@pytest.mark.parametrize("length", [-2, 3, 11, MOST, -MOST - 1])
def test_lengths_that_lie(magic: int, length: int) -> None:
    whole = build_messages([Record(0, T, b"ab", b"cd")], like(magic))
    key = 26 if magic else 18
    for position in (key, key + 6):
        blob = bytearray(whole)
        struct.pack_into(">i", blob, position, length)
        with pytest.raises(DecodeError):
            read(bytes(blob))
    blob = bytearray(whole)
    struct.pack_into(">i", blob, key + 6, -1)
    with pytest.raises(DecodeError, match="2 bytes follow"):
        read(bytes(blob))


@given(st.data())
def test_a_bound_for_what_is_wrapped(data: st.DataObject) -> None:
    size = data.draw(st.integers(1000, 100_000))
    blob = build_messages([Record(0, T, None, bytes(size))], like(1, Compression.GZIP))
    [header] = read_batch_headers(blob)
    assert len(list(read_messages(blob, header, size + 34))) == 1
    with pytest.raises(DecodeError, match=f"more than {size + 33}"):
        list(read_messages(blob, header, size + 33))


@pytest.mark.parametrize(
    "record",
    [
        Record(0, T, None, None, ((b"a", b"header"),)),
        Record(1 << 63, T, None, None),
        Record(0, 1 << 63, None, None),
        Record(0, T, "text", None),  # type: ignore[arg-type]  # what must not pass
    ],
)
def test_records_that_cannot_be_written(record: Record) -> None:
    with pytest.raises(EncodeError):
        build_messages([record], like(1))
