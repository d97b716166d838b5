"""Changing records: the rest of the blob keeps its bytes, and offsets follow the rules."""

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.errors import CodecError, DecodeError, EncodeError
from codec.primitives import Buffer
from codec.records.batch import BatchHeader, crc_ok, read_batch_headers
from codec.records.build import NEW_BATCH, build_batch
from codec.records.compression import Compression
from codec.records.record import Record
from codec.records.rewrite import records_of, rewrite_records
from tests.codec.records.sets import PARAMETERS, SETS, T, expected, in_full, one_set

BOTH = pytest.mark.parametrize("keep_offsets", [False, True])


def same(record: Record) -> Sequence[Record]:
    return [record]


def nothing(record: Record) -> Sequence[Record]:
    return []


def twice(record: Record) -> Sequence[Record]:
    return [record, record]


def shouted(record: Record) -> Sequence[Record]:
    value = None if record.value is None else bytes(record.value).upper() + b"!"
    return [record._replace(value=value)]


def all_of(blob: Buffer) -> list[Record]:
    return in_full(r for h in read_batch_headers(blob) for r in records_of(blob, h))


def batch(offset: int, values: Sequence[bytes], **fields: int) -> bytes:
    records = [Record(offset + n, T + n, None, value) for n, value in enumerate(values)]
    return build_batch(records, NEW_BATCH._replace(base_offset=offset, **fields))


@BOTH
@pytest.mark.parametrize(("magic", "codec", "kind", "blob"), PARAMETERS)
def test_without_changes_it_is_the_very_blob(
    keep_offsets: bool, magic: int, codec: str, kind: str, blob: bytes
) -> None:
    assert rewrite_records(blob, same, keep_offsets=keep_offsets) is blob
    equal = rewrite_records(blob, lambda r: [Record(*r)], keep_offsets=keep_offsets)
    assert equal is blob


@BOTH
@pytest.mark.parametrize(("magic", "codec", "kind", "blob"), PARAMETERS)
def test_changed_values(keep_offsets: bool, magic: int, codec: str, kind: str, blob: bytes) -> None:
    rewritten = rewrite_records(blob, shouted, keep_offsets=keep_offsets)
    if kind.startswith("marker"):
        assert rewritten is blob
        return
    assert all_of(rewritten) == [changed for r in expected(magic, kind) for changed in shouted(r)]
    for before, after in zip(read_batch_headers(blob), read_batch_headers(rewritten), strict=True):
        assert crc_ok(rewritten, after)
        assert after._replace(start=0, end=0, crc=0) == before._replace(start=0, end=0, crc=0)


def test_batches_that_do_not_change_keep_every_byte() -> None:
    first, second, third = batch(0, [b"a"]), batch(1, [b"b", b"hit"]), batch(3, [b"c"])
    wrong_crc = bytearray(first)
    wrong_crc[17] ^= 0xFF
    marker, cut_off = one_set(2, "none", "marker-COMMIT"), third[:-1]
    blob = bytes(wrong_crc) + marker + second + third + cut_off

    def change(record: Record) -> Sequence[Record]:
        return [record._replace(value=b"changed")] if record.value == b"hit" else [record]

    rewritten = rewrite_records(memoryview(blob), change, keep_offsets=True)
    expected_second = batch(1, [b"b", b"changed"])
    assert rewritten == bytes(wrong_crc) + marker + expected_second + third + cut_off


def test_a_produced_batch_is_numbered_anew() -> None:
    fields = {"producer_id": 9, "producer_epoch": 1, "base_sequence": 40}
    blob = batch(0, [b"a", b"b", b"c"], attributes=Compression.GZIP, **fields)
    rewritten = rewrite_records(blob, twice, keep_offsets=False)
    [header] = read_batch_headers(rewritten)
    assert [r.offset for r in records_of(rewritten, header)] == [0, 1, 2, 3, 4, 5]
    assert (header.last_offset_delta, header.records_count) == (5, 6)
    assert header[10:13] == (9, 1, 40)
    assert header.compression == Compression.GZIP

    def only_last(record: Record) -> Sequence[Record]:
        return [record] if record.value == b"c" else []

    rewritten = rewrite_records(blob, only_last, keep_offsets=False)
    [header] = read_batch_headers(rewritten)
    assert (header.base_offset, header.last_offset_delta, header.records_count) == (0, 0, 1)
    assert header.base_sequence == 40
    assert rewrite_records(blob, nothing, keep_offsets=False) == b""


def test_a_fetched_batch_keeps_its_place() -> None:
    blob = batch(10, [b"a", b"b", b"c"])

    def middle(record: Record) -> Sequence[Record]:
        return [record] if record.value == b"b" else []

    for change, offsets in ((middle, [11]), (nothing, []), (twice, [10, 10, 11, 11, 12, 12])):
        rewritten = rewrite_records(blob, change, keep_offsets=True)
        [header] = read_batch_headers(rewritten)
        assert (header.base_offset, header.last_offset_delta) == (10, 2)
        assert [r.offset for r in records_of(rewritten, header)] == offsets
        assert header.records_count == len(offsets)
        assert crc_ok(rewritten, header)


@pytest.mark.parametrize("offset", [9, 13, -1])
def test_a_fetched_record_cannot_leave_its_batch(offset: int) -> None:
    blob = batch(10, [b"a", b"b", b"c"])
    with pytest.raises(EncodeError, match="10 to 12"):
        rewrite_records(blob, lambda r: [r._replace(offset=offset)], keep_offsets=True)


@pytest.mark.parametrize("magic", [0, 1])
@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4"])
def test_old_formats(magic: int, codec: str) -> None:
    blob = one_set(magic, codec)
    renumbered = all_of(rewrite_records(blob, twice, keep_offsets=False))
    assert [r.value for r in renumbered] == [
        r.value for r in expected(magic, "plain") for _ in "ab"
    ]
    if codec != "none":
        assert [r.offset for r in renumbered] == [5, 6, 7, 8, 9, 10]
    kept = rewrite_records(blob, lambda r: [] if r.offset == 6 else [r], keep_offsets=True)
    assert all_of(kept) == [r for r in expected(magic, "plain") if r.offset != 6]
    assert all(crc_ok(kept, header) for header in read_batch_headers(kept))
    assert rewrite_records(blob, nothing, keep_offsets=True) == b""


def test_a_limit_for_each_batch() -> None:
    blob = batch(0, [bytes(10_000)], attributes=Compression.ZSTD) * 5
    assert rewrite_records(blob, same, keep_offsets=True, limit=10_100) is blob
    with pytest.raises(DecodeError, match="more than 10000 bytes"):
        rewrite_records(blob, same, keep_offsets=True, limit=10_000)


@pytest.mark.parametrize(("magic", "codec", "kind", "blob"), PARAMETERS)
def test_cut_off_anywhere(magic: int, codec: str, kind: str, blob: bytes) -> None:
    """Blobs may end anywhere. Batches may not: here each is told to end where the bytes do."""
    whole = len(list(read_batch_headers(blob)))
    for end in range(len(blob)):
        found = list(read_batch_headers(blob[:end]))
        assert len(found) < whole
        assert rewrite_records(blob[:end], shouted, keep_offsets=True) is not None
    [*_, last] = read_batch_headers(blob)
    for end in range(last.start + (61 if magic == 2 else 34), len(blob)):
        shorter = bytearray(blob[:end])
        struct.pack_into(">i", shorter, last.start + 8, end - last.start - 12)
        with pytest.raises(DecodeError):
            all_of(shorter)


@given(data=st.data(), keep_offsets=st.booleans())
def test_changed_bytes_raise_nothing_but_the_codecs_error(
    data: st.DataObject, keep_offsets: bool
) -> None:
    *_, blob = data.draw(st.sampled_from(SETS))
    broken = bytearray(blob)
    for _ in range(data.draw(st.integers(1, 5))):
        position = data.draw(st.integers(0, len(broken) - 1))
        broken[position] = data.draw(st.sampled_from([0, 1, 127, 128, 255]) | st.integers(0, 255))
    for change in (same, shouted, twice):
        try:
            rewritten = rewrite_records(broken, change, keep_offsets=keep_offsets, limit=1 << 20)
        except CodecError:
            continue
        assert len(rewritten) < 1 << 16


@given(junk=st.binary(max_size=200), magic=st.integers(0, 2))
def test_junk_behind_a_header(junk: bytes, magic: int) -> None:
    for attributes in range(5):
        header = {2: 61, 1: 18, 0: 18}[magic]
        blob = bytearray(header) + junk
        struct.pack_into(">i4xb", blob, 8, len(blob) - 12, magic)
        blob[22 if magic == 2 else 17] = attributes
        if magic == 2:
            struct.pack_into(">i", blob, 57, len(junk) // 7)
        try:
            found: list[BatchHeader] = list(read_batch_headers(blob))
            records = [r for h in found for r in records_of(blob, h, 1 << 20)]
        except CodecError:
            continue
        assert len(records) <= len(junk) // 7 + 1
