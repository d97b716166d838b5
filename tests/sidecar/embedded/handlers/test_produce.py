"""Produce over a socket."""

import pytest

from codec.error_codes import ErrorCode
from codec.messages.produce import ProduceRequest, ProduceResponse
from codec.records.batch import read_batch_headers

Topic = ProduceRequest.TopicProduceData
Partition = Topic.PartitionProduceData


def request(records, *, topic="t", partition=0, acks=-1, topic_id=bytes(16), **more):
    data = Topic(
        name=topic,
        topic_id=topic_id,
        partition_data=[Partition(index=partition, records=records)],
    )
    return ProduceRequest(acks=acks, timeout_ms=1000, topic_data=[data], **more)


def ask(wire, wish, version=9):
    response = wire.ask(wish, version, ProduceResponse)
    return response.responses[0].partition_responses[0]


@pytest.fixture
def topic(running):
    return running.on_hub(lambda cluster: cluster.create_topic("t", 3))


@pytest.mark.parametrize("version", range(3, 14))
def test_every_version_appends(running, topic, batch, version):
    wire = running.wire()
    wish = request(batch(b"a", b"b"), topic_id=topic.id if version >= 13 else bytes(16))
    answers = [ask(wire, wish, version) for _ in range(2)]
    assert [(a.error_code, a.base_offset) for a in answers] == [(0, 0), (0, 2)]
    assert running.cluster.records("t", 0).count == 4


def test_the_wrong_broker_says_who_leads(running, topic, batch):
    running.on_hub(lambda cluster: cluster.elect("t", 0, 3))
    wire = running.wire(1)
    response = wire.ask(request(batch(b"a")), 10, ProduceResponse)
    partition = response.responses[0].partition_responses[0]
    assert partition.error_code == ErrorCode.NOT_LEADER_OR_FOLLOWER
    assert (partition.base_offset, partition.current_leader.leader_id) == (-1, 3)
    assert partition.current_leader.leader_epoch == 1
    (node,) = response.node_endpoints
    assert f"{node.host}:{node.port}" == running.bootstrap_servers.split(",")[2]
    assert node.node_id == 3
    older = wire.ask(request(batch(b"a")), 9, ProduceResponse)
    assert older.responses[0].partition_responses[0].error_code == 6
    assert running.cluster.records("t", 0).count == 0
    assert ask(running.wire(3), request(batch(b"a"))).error_code == 0


def test_the_leader_epoch_is_written_into_batches(running, topic, batch):
    ask(running.wire(1), request(batch(b"a")))
    running.on_hub(lambda cluster: cluster.elect("t", 0, 2))
    ask(running.wire(2), request(batch(b"b")))
    stored = b"".join(b.data for b in running.cluster.records("t", 0).batches)
    headers = list(read_batch_headers(stored))
    assert [(h.base_offset, h.partition_leader_epoch) for h in headers] == [(0, 0), (1, 1)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"topic": "x"}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ({"partition": 3}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ({"partition": -1}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ({"acks": 2}, ErrorCode.INVALID_REQUIRED_ACKS),
        ({"transactional_id": "x"}, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
    ],
)
def test_refusals(running, topic, batch, changes, code):
    answer = ask(running.wire(), request(batch(b"a"), **changes))
    assert ErrorCode(answer.error_code) is code
    assert answer.error_message


def test_unknown_topic_ids(running, topic, batch):
    answer = ask(running.wire(), request(batch(b"a"), topic_id=b"x" * 16), 13)
    assert answer.error_code == ErrorCode.UNKNOWN_TOPIC_ID


def test_a_bad_checksum_is_refused_and_the_connection_lives(running, topic, batch):
    wire = running.wire()
    bad = bytearray(batch(b"hello"))
    bad[-3] ^= 1
    assert ask(wire, request(bytes(bad))).error_code == ErrorCode.CORRUPT_MESSAGE
    assert ask(wire, request(batch(b"hello"))).error_code == 0


def test_a_topic_may_have_a_smaller_limit(running, batch):
    from sidecar.embedded.topics import NewTopic

    wish = NewTopic("t", 1, configs={"max.message.bytes": "100"})
    running.on_hub(lambda cluster: cluster.topics.create(wish))
    answer = ask(running.wire(), request(batch(b"x" * 100)))
    assert answer.error_code == ErrorCode.MESSAGE_TOO_LARGE


def test_a_full_cluster_says_so(start, batch):
    running = start(max_bytes=200)
    running.on_hub(lambda cluster: cluster.create_topic("t"))
    wire = running.wire()
    codes = [ask(wire, request(batch(b"x" * 50))).error_code for _ in range(3)]
    assert codes == [0, 56, 56]


def test_retried_batches_are_stored_once(running, topic, batch):
    wire = running.wire()
    first, second = batch(b"a", b"b", producer=(9, 0, 0)), batch(b"c", producer=(9, 0, 2))
    answers = [ask(wire, request(each)) for each in (first, second, first, second)]
    assert [(a.error_code, a.base_offset) for a in answers] == [(0, 0), (0, 2), (0, 0), (0, 2)]
    assert running.cluster.records("t", 0).count == 3
    gap = ask(wire, request(batch(b"x", producer=(9, 0, 9))))
    assert gap.error_code == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert ask(wire, request(batch(b"x", producer=(9, 1, 0)))).error_code == 0
    old = ask(wire, request(batch(b"x", producer=(9, 0, 3))))
    assert old.error_code == ErrorCode.INVALID_PRODUCER_EPOCH


def test_a_refused_batch_leaves_no_trace_in_the_producer_state(start, batch):
    running = start(max_bytes=200)
    running.on_hub(lambda cluster: cluster.create_topic("t"))
    wire = running.wire()
    big = batch(b"x" * 200, producer=(9, 0, 0))
    assert [ask(wire, request(big)).error_code for _ in range(2)] == [56, 56]
    assert ask(wire, request(batch(b"x", producer=(9, 0, 0)))).error_code == 0


def test_sequences_survive_an_election(running, topic, batch):
    ask(running.wire(1), request(batch(b"a", producer=(9, 0, 0))))
    running.on_hub(lambda cluster: cluster.elect("t", 0, 2))
    wire = running.wire(2)
    assert ask(wire, request(batch(b"a", producer=(9, 0, 0)))).base_offset == 0
    assert ask(wire, request(batch(b"b", producer=(9, 0, 1)))).base_offset == 1


def test_without_acks_there_is_no_response(running, topic, batch):
    wire = running.wire()
    wire.send(request(batch(b"a"), acks=0), 9)
    wire._sent.clear()
    assert ask(wire, request(batch(b"b"))).base_offset == 1


def test_without_acks_a_refusal_closes_the_connection(running, topic, batch):
    wire = running.wire(2)
    wire.send(request(batch(b"a"), acks=0), 9)
    assert wire.receive() is None
    ((event, values),) = running.logged
    assert event == "embedded_connection_closed"
    assert values["reason"] == "produce_without_acks_refused"
    assert values["detail"] == "NOT_LEADER_OR_FOLLOWER"


def test_sequences_are_judged_as_by_kafka_4_3_1(running, topic, batch):
    """Recorded from a real broker: epoch, base sequence, records -> error, base offset."""
    recorded = [
        ((0, 1, 1), (0, 0)),
        ((0, 0, 1), (45, -1)),
        ((0, 1, 1), (0, 0)),
        ((0, 2, 1), (0, 1)),
        ((0, 9, 1), (45, -1)),
        ((1, 5, 1), (45, -1)),
        ((1, 0, 1), (0, 2)),
        ((0, 3, 1), (47, -1)),
        ((1, 1, 2), (0, 3)),
        ((1, 1, 1), (45, -1)),
        ((1, 3, 1), (0, 5)),
        ((1, 4, 1), (0, 6)),
        ((1, 5, 1), (0, 7)),
        ((1, 6, 1), (0, 8)),
        ((1, 7, 1), (0, 9)),
        ((1, 1, 2), (45, -1)),
    ]
    wire = running.wire()
    for (epoch, sequence, count), expected in recorded:
        answer = ask(wire, request(batch(*[b"x"] * count, producer=(9, epoch, sequence))))
        assert (answer.error_code, answer.base_offset) == expected
        assert answer.error_message is None
