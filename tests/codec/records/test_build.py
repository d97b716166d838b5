"""Batches that are built: read by others, and by ourselves."""

import warnings

import pytest
from aiokafka.record.memory_records import MemoryRecords as AiokafkaRecords
from hypothesis import given
from hypothesis import strategies as st

from codec.errors import EncodeError
from codec.records.batch import (
    CONTROL,
    DELETE_HORIZON,
    LOG_APPEND_TIME,
    TRANSACTIONAL,
    BatchHeader,
    crc_ok,
    read_batch_headers,
)
from codec.records.build import NEW_BATCH, build_batch
from codec.records.compression import Compression
from codec.records.record import Record
from codec.records.rewrite import records_of
from tests.codec.records.sets import INT16, INT32, INT64, PLAIN, T, in_full, record_lists

with warnings.catch_warnings():
    # It reads its schemas in a way that Python has deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.record.memory_records import MemoryRecords as KafkaPythonRecords

FLAGS = st.sampled_from([0, TRANSACTIONAL, CONTROL, TRANSACTIONAL | CONTROL, DELETE_HORIZON])


@st.composite
def templates(draw: st.DrawFn) -> BatchHeader:
    """Headers to build batches like; the base offset is still to be set."""
    return NEW_BATCH._replace(
        partition_leader_epoch=draw(INT32),
        attributes=draw(FLAGS) | draw(st.sampled_from(Compression)),
        base_timestamp=draw(st.integers(-1, 1 << 50)),
        producer_id=draw(INT64),
        producer_epoch=draw(INT16),
        base_sequence=draw(INT32),
    )


@given(like=templates(), records=record_lists())
def test_round_trip(like: BatchHeader, records: list[Record]) -> None:
    like = like._replace(base_offset=records[0].offset if records else 3)
    blob = build_batch(records, like)
    [header] = read_batch_headers(blob)
    assert header.end == len(blob)
    assert crc_ok(blob, header)
    assert in_full(records_of(blob, header)) == records
    assert header.records_count == len(records)
    for field in ("attributes", "partition_leader_epoch", "base_offset"):
        assert getattr(header, field) == getattr(like, field)
    assert header[10:13] == like[10:13]
    if records:
        assert header.last_offset_delta == records[-1].offset - records[0].offset
        assert header.max_timestamp == max(record.timestamp for record in records)
    if not records or like.attributes & DELETE_HORIZON:
        assert header.base_timestamp == like.base_timestamp


@given(records=record_lists(least=1))
def test_log_append_time(records: list[Record]) -> None:
    like = NEW_BATCH._replace(
        base_offset=records[0].offset,
        attributes=LOG_APPEND_TIME,
        base_timestamp=T,
        max_timestamp=T + 7,
    )
    blob = build_batch(records, like)
    [header] = read_batch_headers(blob)
    assert (header.base_timestamp, header.max_timestamp) == (T, T + 7)
    assert {record.timestamp for record in records_of(blob, header)} == {T + 7}


def test_an_end_that_is_kept() -> None:
    like = NEW_BATCH._replace(base_offset=5, last_offset_delta=9, max_timestamp=T)
    for records in (PLAIN, []):
        blob = build_batch(records, like, keep_end=True)
        [header] = read_batch_headers(blob)
        assert (header.base_offset, header.last_offset_delta) == (5, 9)
        assert header.records_count == len(records)
        assert header.max_timestamp == (T + 300 if records else T)


@pytest.mark.parametrize("offsets", [[4], [6, 5], [5, 16], [15, 5]])
def test_offsets_out_of_order_or_range(offsets: list[int]) -> None:
    records = [Record(offset, T, None, None) for offset in offsets]
    like = NEW_BATCH._replace(base_offset=5, last_offset_delta=10)
    with pytest.raises(EncodeError, match="are allowed"):
        build_batch(records, like, keep_end=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"producer_id": 1 << 63},
        {"producer_epoch": 1 << 15},
        {"base_sequence": -(1 << 31) - 1},
        {"partition_leader_epoch": 1 << 31},
        {"attributes": 1 << 15},
    ],
)
def test_fields_that_do_not_fit(fields: dict[str, int]) -> None:
    with pytest.raises(EncodeError, match="does not fit"):
        build_batch([Record(0, T, None, None)], NEW_BATCH._replace(**fields))


# What the peers can unpack here: aiokafka has cramjam, kafka-python nothing but gzip.
PEERS = [
    *(pytest.param(AiokafkaRecords, c, id=f"aiokafka-{c.name}") for c in Compression),
    pytest.param(KafkaPythonRecords, Compression.NONE, id="kafka-python-NONE"),
    pytest.param(KafkaPythonRecords, Compression.GZIP, id="kafka-python-GZIP"),
]


@pytest.mark.parametrize(("parser", "compression"), PEERS)
@given(records=record_lists(least=1))
def test_peers_read_what_we_build(
    parser: type, compression: Compression, records: list[Record]
) -> None:
    like = NEW_BATCH._replace(
        base_offset=records[0].offset,
        attributes=compression | TRANSACTIONAL,
        producer_id=4242,
        producer_epoch=3,
        base_sequence=17,
    )
    batch = parser(build_batch(records, like)).next_batch()
    assert batch.validate_crc()
    assert (batch.producer_id, batch.producer_epoch, batch.base_sequence) == (4242, 3, 17)
    assert batch.is_transactional
    assert not batch.is_control_batch
    read = [
        Record(
            record.offset,
            record.timestamp,
            record.key,
            record.value,
            tuple((key.encode(), value) for key, value in record.headers),
        )
        for record in batch
    ]
    assert read == records
