"""Records by their lengths: the same places, values and offsets as when they are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.errors import DecodeError, EncodeError
from codec.primitives import Buffer
from codec.records.build import NEW_BATCH, assemble, build_batch
from codec.records.record import Record, read_record, read_records, write_record, write_records
from codec.records.stepping import moved, offset_delta, step_over, value_of, with_value

BYTES = (
    st.none() | st.binary(max_size=20) | st.sampled_from([63, 64, 8191, 8192, 20_000]).map(bytes)
)
RECORDS = st.builds(
    Record,
    st.sampled_from([0, 1, 63, 64, 8191, 8192, 1 << 20]),
    st.sampled_from([-3, 0, 63, 64, 1 << 20, 1 << 60]),
    BYTES,
    BYTES,
    st.lists(st.tuples(st.binary(max_size=3), BYTES), max_size=2).map(tuple),
    st.integers(0, 255),
)
LIKE = NEW_BATCH._replace(base_timestamp=0)


def read(content: bytes, count: int = 1) -> list[Record]:
    return [
        record._replace(key=bytes_of(record.key), value=bytes_of(record.value))
        for record in read_records(content, LIKE._replace(records_count=count))
    ]


def bytes_of(field: Buffer | None) -> bytes | None:
    return None if field is None else bytes(field)


@given(st.lists(RECORDS, max_size=5))
def test_steps_end_where_records_do(records: list[Record]) -> None:
    content = write_records(records, 0, 0)
    ends = [0]
    for _ in records:
        ends.append(step_over(content, ends[-1], 1))

    assert ends[-1] == len(content)
    for number, record in enumerate(records):
        assert step_over(content, 0, number) == ends[number]
        assert offset_delta(content, ends[number]) == record.offset
        assert read_record(memoryview(content), ends[number], LIKE)[1] == ends[number + 1]


@given(RECORDS, st.sampled_from([1, 63, 64, 1 << 20]))
def test_a_record_is_moved_and_all_else_stays(record: Record, by: int) -> None:
    content = b"??" + write_record(record, 0, 0)

    after = moved(content, 2, len(content), by)

    assert after == write_record(record._replace(offset=record.offset + by), 0, 0)


@given(RECORDS, st.sampled_from([b"", b"new", bytes(63), bytes(9000)]))
def test_a_record_has_another_value_and_all_else_stays(record: Record, value: bytes) -> None:
    content = b"??" + write_record(record, 0, 0) + b"??"
    end = len(content) - 2

    old = value_of(content, 2, end)

    if record.value is None:
        assert old.start is None
    else:
        assert content[old.start : old.end] == record.value
    assert with_value(content, end, old, value) == write_record(record._replace(value=value), 0, 0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cut off"),
        (b"\x0e", "cut off"),
        (b"\x80", "cut off"),
        (b"\x80\x80", "cut off"),
        (b"\xff\xff\xff\xff\x0f", "negative"),
        (b"\x01", "negative"),
        (b"\x83\x01", "negative"),
        (b"\xfe\xff\xff\xff\x0f", "cut off"),
    ],
)
def test_lengths_that_lie_are_found(content: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        step_over(content, 0, 1)


@pytest.mark.parametrize("length", range(7))
def test_what_is_cut_off_has_neither_offset_nor_value(length: int) -> None:
    whole = write_record(Record(5, 0, b"k", b"v"), 0, 0)[:length]
    with pytest.raises(DecodeError):
        value_of(whole, 0, len(whole))
    if length < 4:
        with pytest.raises(DecodeError):
            offset_delta(whole, 0)


def test_a_value_is_no_longer_than_its_record() -> None:
    record = bytearray(write_record(Record(0, 0, None, b"value"), 0, 0))
    record[5] = 2 * 7
    with pytest.raises(DecodeError, match="a value has length 7, 6 bytes remain"):
        value_of(bytes(record), 0, len(record))


def test_an_offset_that_does_not_fit_is_refused() -> None:
    record = write_record(Record((1 << 31) - 1, 0, None, None), 0, 0)
    with pytest.raises(EncodeError):
        moved(record, 0, len(record), 1)


def test_a_batch_is_assembled_as_it_is_built() -> None:
    records = [Record(5, 100, b"k", b"v"), Record(9, 90, None, None)]
    like = NEW_BATCH._replace(base_offset=5, producer_id=7, attributes=2)

    batch = assemble(
        write_records(records, 5, 100),
        like._replace(last_offset_delta=4, base_timestamp=100, max_timestamp=100, records_count=2),
    )

    assert batch == build_batch(records, like)
