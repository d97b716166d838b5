"""Leadership of a partition and who is told about it."""

import pytest

from codec.error_codes import ErrorCode
from sidecar.embedded.errors import ApiError
from sidecar.embedded.log import StoredBatch
from sidecar.embedded.partition import Partition


def test_the_first_replica_leads_at_first() -> None:
    partition = Partition("t", 0, [2, 3])
    partition.check_leader(2)
    with pytest.raises(ApiError) as caught:
        partition.check_leader(3)
    assert caught.value.code is ErrorCode.NOT_LEADER_OR_FOLLOWER


def test_an_election_raises_the_epoch_and_notes_where_it_begins() -> None:
    partition = Partition("t", 0, [1, 2])
    partition.log.append(StoredBatch(0, 4, 1, b"x"))
    partition.elect(2)
    assert (partition.leader, partition.leader_epoch) == (2, 1)
    assert partition.log.epochs.end_offset(0, 5) == (0, 5)
    partition.elect(2)
    assert partition.leader_epoch == 2


def test_a_broker_without_replica_takes_the_leaders_place() -> None:
    partition = Partition("t", 0, [1, 2])
    partition.elect(3)
    assert partition.replicas == [3, 2]


@pytest.mark.parametrize(
    ("epoch", "code"),
    [
        (-1, None),
        (1, None),
        (0, ErrorCode.FENCED_LEADER_EPOCH),
        (2, ErrorCode.UNKNOWN_LEADER_EPOCH),
    ],
)
def test_epoch_check(epoch: int, code: ErrorCode | None) -> None:
    partition = Partition("t", 0, [1, 2])
    partition.elect(2)
    if code is None:
        partition.check_epoch(epoch)
    else:
        with pytest.raises(ApiError) as caught:
            partition.check_epoch(epoch)
        assert caught.value.code is code


def test_watchers_hear_of_elections_and_deletion_until_they_leave() -> None:
    partition, heard = Partition("t", 0, [1, 2]), []

    def note() -> None:
        heard.append(partition.leader_epoch)

    partition.watch(note)
    partition.elect(2)
    partition.delete()
    partition.unwatch(note)
    partition.elect(1)
    assert heard == [1, 1]
    assert partition.deleted
