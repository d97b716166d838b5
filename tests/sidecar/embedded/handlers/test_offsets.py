"""ListOffsets and OffsetForLeaderEpoch over a socket."""

import pytest

from codec.messages.list_offsets import ListOffsetsRequest, ListOffsetsResponse
from codec.messages.offset_for_leader_epoch import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
)
from sidecar.embedded.batches import check_records, stored

ListTopic = ListOffsetsRequest.ListOffsetsTopic
EpochTopic = OffsetForLeaderEpochRequest.OffsetForLeaderTopic


@pytest.fixture
def log(running, batch):
    """Two records in epoch 0, one in epoch 1, broker 2 leads."""

    def put(cluster, records):
        partition = cluster.partition("t", 0)
        header = check_records(records, version=9, max_bytes=1000)
        cluster.store(partition, stored(header, records, partition))

    running.on_hub(lambda cluster: cluster.create_topic("t"))
    running.on_hub(lambda cluster: put(cluster, batch(b"a", b"b", times=(10, 20))))
    running.on_hub(lambda cluster: cluster.elect("t", 0, 2))
    running.on_hub(lambda cluster: put(cluster, batch(b"c", times=(30,))))


def list_one(wire, timestamp, version=7, epoch=-1, topic="t"):
    asked = ListTopic.ListOffsetsPartition(
        partition_index=0, timestamp=timestamp, current_leader_epoch=epoch
    )
    wish = ListOffsetsRequest(replica_id=-1, topics=[ListTopic(name=topic, partitions=[asked])])
    return wire.ask(wish, version, ListOffsetsResponse).topics[0].partitions[0]


@pytest.mark.parametrize("version", range(1, 11))
def test_every_version_lists(running, log, version):
    wire = running.wire(2)
    found = [list_one(wire, time, version) for time in (-2, 15, 25, 31, -1)]
    assert [p.offset for p in found] == [0, 1, 2, -1, 3]
    assert [p.timestamp for p in found] == [-1, 20, 30, -1, -1]
    if version >= 4:
        assert [p.leader_epoch for p in found] == [0, 0, 1, -1, 1]


@pytest.mark.parametrize(
    ("node", "epoch", "topic", "code"),
    [(1, -1, "t", 6), (2, 0, "t", 74), (2, 2, "t", 75), (2, 1, "t", 0), (2, -1, "x", 3)],
)
def test_errors(running, log, node, epoch, topic, code):
    assert list_one(running.wire(node), -1, epoch=epoch, topic=topic).error_code == code


def end_of(wire, epoch, version=4, current=-1, topic="t"):
    asked = EpochTopic.OffsetForLeaderPartition(
        partition=0, leader_epoch=epoch, current_leader_epoch=current
    )
    wish = OffsetForLeaderEpochRequest(topics=[EpochTopic(topic=topic, partitions=[asked])])
    return wire.ask(wish, version, OffsetForLeaderEpochResponse).topics[0].partitions[0]


@pytest.mark.parametrize("version", range(2, 5))
def test_every_version_tells_where_an_epoch_ended(running, log, version):
    wire = running.wire(2)
    found = [end_of(wire, epoch, version) for epoch in (0, 1, 2)]
    assert [(p.leader_epoch, p.end_offset) for p in found] == [(0, 2), (1, 3), (-1, -1)]


@pytest.mark.parametrize(
    ("node", "epoch", "topic", "code"),
    [(1, -1, "t", 6), (2, 0, "t", 74), (2, 2, "t", 75), (2, -1, "x", 3)],
)
def test_errors_of_epochs(running, log, node, epoch, topic, code):
    assert end_of(running.wire(node), 0, current=epoch, topic=topic).error_code == code
