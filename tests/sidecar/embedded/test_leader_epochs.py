"""Start offsets of leader epochs."""

from sidecar.embedded.leader_epochs import LeaderEpochs


def epochs(*begun: tuple[int, int]) -> LeaderEpochs:
    found = LeaderEpochs()
    for epoch, start in begun:
        found.begin(epoch, start)
    return found


def test_an_older_epoch_ends_where_the_next_begins() -> None:
    found = epochs((0, 0), (2, 10), (5, 30))
    assert found.end_offset(0, 42) == (0, 10)
    assert found.end_offset(2, 42) == (2, 30)
    assert found.end_offset(5, 42) == (5, 42)


def test_a_skipped_epoch_answers_for_the_one_below() -> None:
    assert epochs((0, 0), (2, 10), (5, 30)).end_offset(3, 42) == (2, 30)


def test_an_epoch_below_the_first_ends_where_the_first_begins() -> None:
    assert epochs((4, 7)).end_offset(2, 9) == (2, 7)


def test_future_and_undefined_epochs_are_unknown() -> None:
    assert epochs((0, 0)).end_offset(1, 42) == (-1, -1)
    assert epochs((0, 0)).end_offset(-1, 42) == (-1, -1)
    assert LeaderEpochs().end_offset(0, 0) == (-1, -1)


def test_an_epoch_without_records_leaves_no_trace() -> None:
    found = epochs((0, 0), (1, 5), (2, 5))
    assert found.end_offset(0, 9) == (0, 5)
    assert found.end_offset(1, 9) == (0, 5)
    assert found.epoch_at(4) == 0
    assert found.epoch_at(5) == 2
