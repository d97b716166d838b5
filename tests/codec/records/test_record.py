"""Records of magic 2: times, offsets, and lengths and counts that lie."""

import time
import tracemalloc

import pytest

from codec.errors import DecodeError, EncodeError
from codec.records.batch import CONTROL, LOG_APPEND_TIME, BatchHeader, read_batch_headers
from codec.records.build import NEW_BATCH, build_batch
from codec.records.control import ControlType, Marker, marker_record, read_marker
from codec.records.record import Record, payload, read_records, write_records
from codec.records.rewrite import records_of
from tests.codec.records.sets import PLAIN, T, in_full, one_set

MOST = (1 << 31) - 1
BLOB = one_set(2, "none")
[HEADER] = read_batch_headers(BLOB)
HEADERS_BLOB = one_set(2, "none", "txn+headers")
[HEADERS_HEADER] = read_batch_headers(HEADERS_BLOB)


def read(content: bytes, header: BatchHeader = HEADER) -> list[Record]:
    return list(read_records(content, header))


def one(record: bytes, length: bytes | None = None) -> list[Record]:
    """Reads a payload of one record: what is behind its length, which is right if not given."""
    length = bytes([2 * len(record)]) if length is None else length
    return read(length + record, NEW_BATCH._replace(records_count=1))


def test_offsets_and_times_are_absolute() -> None:
    content = payload(BLOB, HEADER)
    assert [(r.offset, r.timestamp) for r in read(bytes(content))] == [
        (5, T),
        (6, T + 300),
        (7, T - 5),
    ]
    moved = HEADER._replace(base_offset=1 << 40, base_timestamp=T + 1)
    assert [(r.offset - (1 << 40), r.timestamp) for r in read(bytes(content), moved)] == [
        (0, T + 1),
        (1, T + 301),
        (2, T - 4),
    ]


def test_log_append_time_is_that_of_the_batch() -> None:
    header = HEADER._replace(attributes=LOG_APPEND_TIME, max_timestamp=T + 9000)
    assert {r.timestamp for r in read(bytes(payload(BLOB, header)), header)} == {T + 9000}


def test_keys_and_values_are_not_copied() -> None:
    for record in read_records(payload(BLOB, HEADER), HEADER):
        for field in (record.key, record.value):
            assert field is None or (isinstance(field, memoryview) and field.obj is BLOB)


def test_the_least_record() -> None:
    assert one(bytes.fromhex("000000010100")) == [Record(0, -1, None, None)]
    assert in_full(one(bytes.fromhex("070000000000"))) == [Record(0, -1, b"", b"", (), 7)]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("000000030100", "length -2"),
        ("000000040100", "cut off"),
        ("000000feffffff0f0100", f"length {MOST}"),
        ("00000001feffffff0f00", f"length {MOST}"),
        ("000000010101", "claims -1 headers"),
        ("0000000101feffffff0f", f"claims {MOST} headers"),
        ("0000000101020101", "header is null"),
        ("0000000101020003", "length -2"),
        ("000000010102feffffff0f00", f"length {MOST}"),
        ("00000001010000", "ends -1 bytes"),
        ("00808080808080808080800000010100", "longer than 10"),
        ("0000808080808000010100", "longer than 5"),
    ],
)
def test_lengths_and_counts_that_lie(record: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        one(bytes.fromhex(record))


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        ("01", "length -1, 6 bytes remain"),
        ("feffffff0f", f"length {MOST}, 6 bytes remain"),
        ("ffffffff0f", f"length {-MOST - 1}, 6 bytes remain"),
        ("0e", "length 7, 6 bytes remain"),
        ("0a", "1 bytes behind"),
        ("ffffffffff", "longer than 5"),
    ],
)
def test_record_lengths_that_lie(length: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        one(bytes.fromhex("000000010100"), bytes.fromhex(length))


@pytest.mark.parametrize("count", [-1, 2, 4, 5, MOST, -MOST - 1])
def test_record_counts_that_lie(count: int) -> None:
    with pytest.raises(DecodeError):
        read(bytes(payload(BLOB, HEADER)), HEADER._replace(records_count=count))


def test_counts_that_lie_cost_nothing() -> None:
    content = bytes(payload(BLOB, HEADER))
    tracemalloc.start()
    began = time.perf_counter()
    for _ in range(100):
        with pytest.raises(DecodeError):
            read(content, HEADER._replace(records_count=MOST))
        with pytest.raises(DecodeError):
            one(bytes.fromhex("0000000101feffffff0f"))
    taken = time.perf_counter() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 1
    assert peak < 1 << 20


@pytest.mark.parametrize(("blob", "header"), [(BLOB, HEADER), (HEADERS_BLOB, HEADERS_HEADER)])
def test_cut_off_anywhere(blob: bytes, header: BatchHeader) -> None:
    content = bytes(payload(blob, header))
    assert len(read(content, header)) == header.records_count
    for end in range(len(content)):
        with pytest.raises(DecodeError):
            read(content[:end], header)
    with pytest.raises(DecodeError, match="1 bytes follow"):
        read(content + b"\0", header)


@pytest.mark.parametrize("field", ["base_offset", "base_timestamp"])
def test_offsets_and_times_beyond_64_bits(field: str) -> None:
    header = HEADER._replace(**{field: (1 << 63) - 1})
    with pytest.raises(DecodeError, match="int64"):
        read(bytes(payload(BLOB, HEADER)), header)


@pytest.mark.parametrize(
    "record",
    [
        Record(1 << 31, 0, None, None),
        Record(0, 1 << 63, None, None),
        Record(0, 0, "text", None),  # type: ignore[arg-type]  # what must not pass
        Record(0, 0, None, 5),  # type: ignore[arg-type]  # what must not pass
        Record(0, 0, None, None, ((None, b""),)),  # type: ignore[arg-type]  # what must not pass
        Record(0, 0, None, None, (), 256),
    ],
)
def test_records_that_cannot_be_written(record: Record) -> None:
    with pytest.raises(EncodeError):
        write_records([record], 0, 0)


def test_small_records_are_written_with_little_memory() -> None:
    records = [Record(n, T, None, None) for n in range(20_000)]
    tracemalloc.start()
    written = write_records(records, 0, T)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * len(written)


def test_a_payload_is_written_as_it_was_read() -> None:
    assert write_records(PLAIN, HEADER.base_offset, HEADER.base_timestamp) == payload(BLOB, HEADER)


@pytest.mark.parametrize("kind", [ControlType.ABORT, ControlType.COMMIT])
def test_a_marker_as_java_writes_it(kind: ControlType) -> None:
    blob = one_set(2, "none", f"marker-{kind.name}")
    [header] = read_batch_headers(blob)
    assert build_batch([marker_record(kind, 11, offset=77, timestamp=T)], header) == blob


def test_markers_of_other_types() -> None:
    header = NEW_BATCH._replace(attributes=CONTROL)
    record = Record(0, T, b"\0\1\0\4rest", b"whatever the controllers write")
    blob = build_batch([record], header)
    [found] = records_of(blob, next(read_batch_headers(blob)))
    assert read_marker(found) == Marker(1, ControlType.SNAPSHOT_FOOTER, -1)


@pytest.mark.parametrize(
    ("key", "value"), [(None, None), (b"\0\0\0", b""), (bytes(4), None), (bytes(4), bytes(5))]
)
def test_markers_that_are_cut_off(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(DecodeError, match="control record"):
        read_marker(Record(0, T, key, value))
