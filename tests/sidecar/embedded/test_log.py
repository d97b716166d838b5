"""The log of one partition."""

import pytest

from sidecar.embedded.log import PartitionLog, StoredBatch


def filled(*batches: tuple[int, int]) -> PartitionLog:
    """A log of (record count, max timestamp) batches of ten bytes a record."""
    log = PartitionLog()
    for count, timestamp in batches:
        start = log.end_offset
        log.append(StoredBatch(start, start + count - 1, timestamp, bytes([start]) * 10 * count))
    return log


def test_offsets_and_size_grow() -> None:
    log = filled((3, 1), (2, 1))
    assert (log.start_offset, log.end_offset, log.size) == (0, 5, 50)
    assert PartitionLog().end_offset == 0


def test_a_batch_that_does_not_continue_the_log_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at 3"):
        filled((3, 1)).append(StoredBatch(2, 2, 1, b""))


def test_read_starts_with_the_batch_that_holds_the_offset() -> None:
    log = filled((3, 1), (2, 1), (1, 1))
    assert [len(b) for b in log.read(4, 1000, at_least_one=True)] == [20, 10]
    assert log.read(6, 1000, at_least_one=True) == []


def test_read_is_limited_but_may_be_told_to_give_one_batch() -> None:
    log = filled((3, 1), (2, 1), (1, 1))
    assert [len(b) for b in log.read(0, 50, at_least_one=True)] == [30, 20]
    assert [len(b) for b in log.read(0, 1, at_least_one=True)] == [30]
    assert log.read(0, 1, at_least_one=False) == []
    assert [len(b) for b in log.read(0, 0, at_least_one=True)] == [30]


def test_available_bytes_stops_counting_when_there_is_enough() -> None:
    log = filled((3, 1), (2, 1), (1, 1))
    assert log.available_bytes(3, 1000) == 30
    assert log.available_bytes(0, 1) == 30
    assert log.available_bytes(6, 1) == 0


def test_time_is_found_though_batches_are_not_in_its_order() -> None:
    log = filled((1, 10), (1, 30), (1, 20), (1, 40))

    def at(timestamp: int) -> int | None:
        found = log.first_batch_not_before(timestamp)
        return found and found.base_offset

    assert [at(5), at(11), at(30), at(31), at(41)] == [0, 1, 1, 3, None]
    latest = log.latest_batch()
    assert latest is not None
    assert latest.base_offset == 3
    assert PartitionLog().latest_batch() is None
