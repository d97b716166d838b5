"""The questions of ListOffsets."""

import pytest

from codec.error_codes import ErrorCode
from sidecar.embedded.batches import check_records, stored
from sidecar.embedded.errors import ApiError
from sidecar.embedded.partition import Partition
from sidecar.embedded.timestamps import EARLIEST, LATEST, LATEST_TIERED, MAX_TIMESTAMP, offset_at


def log_of(*batches):
    partition = Partition("t", 0, [1])
    for records in batches:
        header = check_records(records, version=9, max_bytes=1 << 20)
        partition.log.append(stored(header, records, partition))
    return partition.log


def test_ends(batch):
    log = log_of(batch(b"a", b"b"), batch(b"c"))
    assert offset_at(log, LATEST) == (-1, 3)
    assert offset_at(log, EARLIEST) == (-1, 0)
    assert offset_at(log, LATEST_TIERED) == (-1, -1)


def test_the_first_record_not_before_a_time(batch):
    log = log_of(batch(b"a", b"b", b"c", times=(10, 30, 20)), batch(b"d", times=(40,)))
    assert offset_at(log, 0) == (10, 0)
    assert offset_at(log, 11) == (30, 1)
    assert offset_at(log, 31) == (40, 3)
    assert offset_at(log, 41) == (-1, -1)


def test_the_highest_timestamp(batch):
    log = log_of(batch(b"a", b"b", times=(10, 90)), batch(b"c", times=(50,)))
    assert offset_at(log, MAX_TIMESTAMP) == (90, 1)
    assert offset_at(log_of(), MAX_TIMESTAMP) == (-1, -1)


def test_compressed_batches_answer_as_a_whole(batch):
    log = log_of(batch(b"a", b"b", times=(10, 90), attributes=1))
    assert offset_at(log, 50) == (90, 0)
    assert offset_at(log, MAX_TIMESTAMP) == (90, 1)


def test_records_that_lie_about_themselves_do_no_harm(batch):
    log = log_of(batch(b"a", b"\xff" * 40, times=(10, 90), attributes=0)[:])
    assert offset_at(log, 50)[1] in (0, 1)


def test_other_negative_times_mean_nothing():
    with pytest.raises(ApiError) as caught:
        offset_at(log_of(), -9)
    assert caught.value.code is ErrorCode.INVALID_REQUEST
