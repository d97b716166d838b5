"""Fetch over a socket."""

from threading import Timer
from time import monotonic

import pytest

from codec.error_codes import ErrorCode
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.produce import ProduceRequest, ProduceResponse
from codec.records.batch import read_batch_headers

Topic = FetchRequest.FetchTopic
Partition = Topic.FetchPartition


def request(*wanted, wait=0, min_bytes=1, max_bytes=1 << 20, topic="t", topic_id=bytes(16), **more):
    """`wanted` are keyword dictionaries of partitions."""
    made = [Partition(**{"partition_max_bytes": 1 << 20, **each}) for each in wanted]
    data = [Topic(topic=topic, topic_id=topic_id, partitions=made)]
    return FetchRequest(
        max_wait_ms=wait, min_bytes=min_bytes, max_bytes=max_bytes, topics=data, **more
    )


def at(offset, partition=0, **more):
    return {"partition": partition, "fetch_offset": offset, **more}


def ask(wire, wish, version=12):
    return wire.ask(wish, version, FetchResponse).responses[0].partitions


@pytest.fixture
def topic(running):
    """Three partitions, all led by broker 1."""

    def make(cluster):
        made = cluster.create_topic("t", 3)
        for partition in made.partitions:
            partition.leader = 1
        return made

    return running.on_hub(make)


@pytest.fixture
def put(running, batch):
    wire = []

    def put_one(*values, partition=0, node=1):
        if not wire:
            wire.append(running.wire(node))
        kind = ProduceRequest.TopicProduceData
        data = kind.PartitionProduceData(index=partition, records=batch(*values))
        wish = ProduceRequest(acks=-1, topic_data=[kind(name="t", partition_data=[data])])
        answer = wire[0].ask(wish, 9, ProduceResponse)
        assert answer.responses[0].partition_responses[0].error_code == 0

    return put_one


def offsets(partition):
    return [header.base_offset for header in read_batch_headers(partition.records)]


@pytest.mark.parametrize("version", range(4, 19))
def test_every_version_reads(running, topic, put, version):
    put(b"a", b"b")
    put(b"c")
    wish = request(at(1), at(0, 1), topic_id=topic.id if version >= 13 else bytes(16))
    response = running.wire().ask(wish, version, FetchResponse)
    assert (response.error_code, response.session_id) == (0, 0)
    first, second = response.responses[0].partitions
    assert offsets(first) == [0, 2]
    assert (first.high_watermark, first.last_stable_offset, first.error_code) == (3, 3, 0)
    assert (second.high_watermark, bytes(second.records)) == (0, b"")


def test_limits_give_at_least_one_batch_in_all(running, topic, put):
    for partition in (0, 1):
        put(b"x" * 100, partition=partition)
        put(b"x" * 100, partition=partition)
    wire = running.wire()
    whole = request(at(0), at(0, 1), max_bytes=1)
    assert [offsets(p) for p in ask(wire, whole)] == [[0], []]
    each = request(at(0, partition_max_bytes=1), at(0, 1, partition_max_bytes=1))
    assert [offsets(p) for p in ask(wire, each)] == [[0], []]
    assert [offsets(p) for p in ask(wire, request(at(0), at(0, 1)))] == [[0, 1], [0, 1]]


def test_a_fetch_waits_and_is_woken_by_an_append(running, topic, put):
    put(b"warm-up")
    began = monotonic()
    timer = Timer(0.2, put, (b"late",))
    timer.start()
    (partition,) = ask(running.wire(), request(at(1), wait=5000))
    assert offsets(partition) == [1]
    assert 0.15 < monotonic() - began < 2
    timer.join()


def test_a_fetch_waits_for_enough(running, topic, put):
    put(b"x" * 100)
    began = monotonic()
    timer = Timer(0.2, put, (b"x" * 100,))
    timer.start()
    (partition,) = ask(running.wire(), request(at(0), wait=5000, min_bytes=250))
    assert offsets(partition) == [0, 1]
    assert monotonic() - began > 0.15
    timer.join()


def test_a_fetch_ends_with_what_there_is_when_time_is_up(running, topic, put):
    put(b"a")
    began = monotonic()
    (partition,) = ask(running.wire(), request(at(0), wait=200, min_bytes=1000))
    assert offsets(partition) == [0]
    assert 0.15 < monotonic() - began < 2


@pytest.mark.parametrize(
    ("happening", "code"),
    [
        (lambda cluster: cluster.elect("t", 0, 2), ErrorCode.NOT_LEADER_OR_FOLLOWER),
        (
            lambda cluster: cluster.delete_topic(cluster.topics.find("t")),
            ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ),
    ],
)
def test_a_parked_fetch_hears_of_elections_and_deletion(running, topic, happening, code):
    timer = Timer(0.1, running.on_hub, (happening,))
    timer.start()
    began = monotonic()
    (partition,) = ask(running.wire(), request(at(0), wait=8000))
    assert partition.error_code == code
    assert monotonic() - began < 5
    timer.join()


def test_leader_hints(running, topic):
    running.on_hub(lambda cluster: cluster.elect("t", 0, 3))
    wish = request(at(0), topic_id=topic.id, wait=5000)
    response = running.wire(1).ask(wish, 16, FetchResponse)
    partition = response.responses[0].partitions[0]
    assert partition.error_code == ErrorCode.NOT_LEADER_OR_FOLLOWER
    assert (partition.current_leader.leader_id, partition.current_leader.leader_epoch) == (3, 1)
    assert [node.node_id for node in response.node_endpoints] == [3]


@pytest.mark.parametrize(
    ("node", "epoch", "code"),
    [(1, 0, 74), (2, 0, 74), (2, 2, 75), (2, 1, 0), (2, -1, 0), (1, 1, 6)],
)
def test_leader_epochs_are_compared_before_leadership(running, topic, node, epoch, code):
    running.on_hub(lambda cluster: cluster.elect("t", 0, 2))
    (partition,) = ask(running.wire(node), request(at(0, current_leader_epoch=epoch)))
    assert partition.error_code == code


def test_where_logs_part(running, topic, put):
    put(b"a")
    running.on_hub(lambda cluster: cluster.elect("t", 0, 2))
    running.on_hub(lambda cluster: cluster.elect("t", 0, 1))
    put(b"b")
    wire = running.wire()
    (partition,) = ask(wire, request(at(2, last_fetched_epoch=0)))
    assert (partition.diverging_epoch.epoch, partition.diverging_epoch.end_offset) == (0, 1)
    assert bytes(partition.records) == b""
    (partition,) = ask(wire, request(at(1, last_fetched_epoch=2)))
    assert partition.diverging_epoch is None
    assert offsets(partition) == [1]


@pytest.mark.parametrize("offset", [-1, 2])
def test_offsets_out_of_range(running, topic, put, offset):
    put(b"a")
    (partition,) = ask(running.wire(), request(at(offset), wait=5000))
    assert partition.error_code == ErrorCode.OFFSET_OUT_OF_RANGE


def test_unknown_topics_and_ids(running, topic):
    wire = running.wire()
    (partition,) = ask(wire, request(at(0), topic="x", wait=5000))
    assert partition.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    (partition,) = ask(wire, request(at(0, 7), wait=5000))
    assert partition.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    (partition,) = ask(wire, request(at(0), topic_id=b"x" * 16, wait=5000), 13)
    assert partition.error_code == ErrorCode.UNKNOWN_TOPIC_ID


def test_one_refused_partition_does_not_hold_up_the_others(running, topic, put):
    put(b"a", partition=1)
    running.on_hub(lambda cluster: cluster.elect("t", 0, 2))
    refused, read, empty = ask(running.wire(), request(at(0), at(0, 1), at(0, 2), wait=5000))
    assert (refused.error_code, read.error_code, empty.error_code) == (6, 0, 0)
    assert offsets(read) == [0]


def test_sessions_are_declined(running, topic):
    wire = running.wire()
    response = wire.ask(request(at(0), session_epoch=0), 12, FetchResponse)
    assert response.session_id == 0
    response = wire.ask(request(session_id=5, session_epoch=1), 12, FetchResponse)
    assert response.error_code == ErrorCode.FETCH_SESSION_ID_NOT_FOUND


def test_nothing_asked_is_answered_at_once(running):
    began = monotonic()
    response = running.wire().ask(FetchRequest(max_wait_ms=5000, min_bytes=1), 12, FetchResponse)
    assert response.responses == []
    assert monotonic() - began < 2
