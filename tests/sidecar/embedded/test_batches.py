"""What a broker lets into a log."""

import pytest

from codec.error_codes import ErrorCode
from codec.records.batch import crc_ok, read_batch_headers
from sidecar.embedded.batches import check_records, stored
from sidecar.embedded.errors import ApiError
from sidecar.embedded.log import StoredBatch
from sidecar.embedded.partition import Partition


def refusal(records, version=9, max_bytes=1000):
    with pytest.raises(ApiError) as caught:
        check_records(records, version=version, max_bytes=max_bytes)
    return caught.value.code


def test_a_good_batch(batch):
    header = check_records(memoryview(batch(b"a", b"b")), version=3, max_bytes=1000)
    assert (header.records_count, header.producer_id) == (2, -1)


@pytest.mark.parametrize("records", [None, b""])
def test_nothing(records):
    assert refusal(records) is ErrorCode.INVALID_RECORD


def test_bytes_that_are_no_batch(batch):
    good = batch(b"a")
    for cut in range(1, len(good)):
        assert refusal(good[:cut]) is ErrorCode.INVALID_RECORD
    assert refusal(b"\x00" * 100) is ErrorCode.CORRUPT_MESSAGE
    assert refusal(b"\xff" * 100) is ErrorCode.CORRUPT_MESSAGE


def test_exactly_one_batch(batch):
    assert refusal(batch(b"a") * 2) is ErrorCode.INVALID_RECORD
    assert refusal(batch(b"a") + b"\x00") is ErrorCode.INVALID_RECORD


def test_every_flipped_bit_behind_the_checksum_is_noticed(batch):
    good = batch(b"hello")
    for position in range(17, len(good)):
        bad = bytearray(good)
        bad[position] ^= 1
        assert refusal(bytes(bad)) in (
            ErrorCode.CORRUPT_MESSAGE,
            ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
        )


@pytest.mark.parametrize("magic", [0, 1])
def test_old_formats(batch, magic):
    assert refusal(batch(b"a" * 50, magic=magic)) is ErrorCode.INVALID_RECORD


def test_size_limit(batch):
    assert refusal(batch(b"a" * 1000)) is ErrorCode.MESSAGE_TOO_LARGE


def test_compression_by_version(batch):
    zstd = batch(b"a", attributes=4)
    assert refusal(zstd, version=6) is ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    check_records(zstd, version=7, max_bytes=1000)
    unknown = batch(b"a", attributes=5)
    assert refusal(unknown) is ErrorCode.UNSUPPORTED_COMPRESSION_TYPE


def test_what_only_brokers_or_transactions_write(batch):
    assert refusal(batch(b"a", attributes=0x20)) is ErrorCode.INVALID_RECORD
    transactional = batch(b"a", attributes=0x10)
    assert refusal(transactional) is ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED


def test_counts_that_do_not_fit(batch):
    assert refusal(batch(b"a", count=2)) is ErrorCode.INVALID_RECORD
    assert refusal(batch(b"a", count=0)) is ErrorCode.INVALID_RECORD
    assert refusal(batch(b"a", producer=(7, 0, -1))) is ErrorCode.INVALID_RECORD


def test_offset_and_epoch_are_written_in_and_the_checksum_stays_good(batch):
    partition = Partition("t", 0, [1, 2])
    partition.elect(2)
    partition.log.append(StoredBatch(0, 41, 0, b""))
    records = batch(b"a", b"b")
    made = stored(check_records(records, version=9, max_bytes=1000), records, partition)
    assert (made.base_offset, made.last_offset, made.max_timestamp) == (42, 43, 1001)
    (header,) = read_batch_headers(made.data)
    assert (header.base_offset, header.partition_leader_epoch) == (42, 1)
    assert crc_ok(made.data, header)
