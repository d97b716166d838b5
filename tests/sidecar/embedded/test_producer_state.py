"""The sequence check of idempotent producers."""

import pytest

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError
from sidecar.embedded.producer_state import ProducerBatch, ProducerStates


def batch(sequence: int, count: int = 1, epoch: int = 0, pid: int = 7) -> ProducerBatch:
    return ProducerBatch(pid, epoch, sequence, count)


def states(*batches: ProducerBatch) -> ProducerStates:
    found, offset = ProducerStates(), 0
    for each in batches:
        found.check(each)
        found.appended(each, offset)
        offset += each.record_count
    return found


def refusal(found: ProducerStates, each: ProducerBatch) -> ErrorCode:
    with pytest.raises(ApiError) as caught:
        found.check(each)
    return caught.value.code


def test_the_last_five_batches_are_recognised_with_their_offsets() -> None:
    sent = [batch(n * 10, 10) for n in range(6)]
    found = states(*sent)
    assert [found.duplicate_of(each) for each in sent] == [None, 10, 20, 30, 40, 50]
    assert refusal(found, sent[0]) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_a_gap_is_out_of_order() -> None:
    assert refusal(states(batch(0)), batch(2)) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_same_start_but_another_length_is_no_duplicate() -> None:
    found = states(batch(0, 3))
    assert found.duplicate_of(batch(0, 2)) is None
    assert refusal(found, batch(0, 2)) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_an_older_epoch_is_fenced() -> None:
    assert refusal(states(batch(0, epoch=3)), batch(1, epoch=2)) is ErrorCode.INVALID_PRODUCER_EPOCH


def test_a_new_epoch_starts_at_zero_and_forgets_the_old_batches() -> None:
    found = states(batch(0), batch(1))
    late = batch(2, epoch=1)
    assert refusal(found, late) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    first = batch(0, epoch=1)
    assert found.duplicate_of(first) is None
    found.check(first)
    found.appended(first, 9)
    assert found.duplicate_of(first) == 9
    assert found.duplicate_of(batch(1)) is None


def test_an_unknown_producer_may_start_anywhere() -> None:
    states(batch(41))


def test_producers_do_not_disturb_each_other() -> None:
    found = states(batch(0, pid=1), batch(0, pid=2))
    found.check(batch(1, pid=1))
    assert found.duplicate_of(batch(0, pid=2)) == 1


def test_sequences_wrap_to_zero() -> None:
    last = batch(0x7FFFFFFE, 2)
    found = states(last)
    assert last.last_sequence == 0x7FFFFFFF
    found.check(batch(0))
    wrapped = batch(0x7FFFFFFF, 3)
    assert wrapped.last_sequence == 1
