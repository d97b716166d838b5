"""CreateTopics, DeleteTopics and CreatePartitions over a socket."""

import pytest

from codec.error_codes import ErrorCode
from codec.messages.create_partitions import CreatePartitionsRequest, CreatePartitionsResponse
from codec.messages.create_topics import CreateTopicsRequest, CreateTopicsResponse
from codec.messages.delete_topics import DeleteTopicsRequest, DeleteTopicsResponse

Topic = CreateTopicsRequest.CreatableTopic
More = CreatePartitionsRequest.CreatePartitionsTopic


def new(name="t", partitions=3, replicas=2, **more):
    return Topic(name=name, num_partitions=partitions, replication_factor=replicas, **more)


def create(wire, *topics, version=7, **more):
    return wire.ask(
        CreateTopicsRequest(topics=topics, **more), version, CreateTopicsResponse
    ).topics


@pytest.mark.parametrize("version", range(2, 8))
def test_every_version_creates_on_any_broker(running, version):
    (answer,) = create(running.wire(3), new(), version=version)
    assert (answer.name, answer.error_code) == ("t", 0)
    if version >= 5:
        assert (answer.num_partitions, answer.replication_factor) == (3, 2)
        assert {c.name for c in answer.configs} >= {"retention.ms", "cleanup.policy"}
    topic = running.cluster.topics.find("t")
    assert version < 7 or answer.topic_id == topic.id
    assert len(topic.partitions) == 3


def test_defaults_of_version_4(running):
    (answer,) = create(running.wire(), new(partitions=-1, replicas=-1), version=5)
    assert (answer.num_partitions, answer.replication_factor) == (1, 3)


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        (new("a b"), 17),
        (new("taken"), 36),
        (new(partitions=0), 37),
        (new(partitions=-5), 37),
        (new(replicas=4), 38),
        (new(replicas=0), 38),
        (new(configs=[Topic.CreatableTopicConfig(name="x", value="y")]), 40),
        (new(assignments=[Topic.CreatableReplicaAssignment(broker_ids=(1,))]), 42),
        (
            new(
                partitions=-1,
                replicas=-1,
                assignments=[Topic.CreatableReplicaAssignment(broker_ids=(1,))] * 2,
            ),
            39,
        ),
    ],
)
def test_refusals_do_not_stop_the_others(running, topic, code):
    wire = running.wire()
    create(wire, new("taken"))
    refused, made = create(wire, topic, new("good"))
    assert (refused.error_code, made.error_code) == (code, 0)
    assert refused.error_message
    assert {topic.name for topic in running.cluster.topics} == {"taken", "good"}


def test_a_name_asked_for_twice(running):
    (answer,) = create(running.wire(), new(), new())
    assert answer.error_code == ErrorCode.INVALID_REQUEST
    assert list(running.cluster.topics) == []


def test_validate_only(running):
    (answer,) = create(running.wire(), new(), validate_only=True)
    assert (answer.error_code, answer.topic_id) == (0, bytes(16))
    assert list(running.cluster.topics) == []


@pytest.mark.parametrize("version", range(1, 7))
def test_every_version_deletes(running, version):
    running.on_hub(lambda cluster: cluster.create_topic("t"))
    state = DeleteTopicsRequest.DeleteTopicState
    wish = DeleteTopicsRequest(
        topic_names=["t", "x"], topics=[state(name="t"), state(name="x")], timeout_ms=1
    )
    deleted, unknown = running.wire().ask(wish, version, DeleteTopicsResponse).responses
    assert (deleted.name, deleted.error_code) == ("t", 0)
    assert (unknown.name, unknown.error_code) == ("x", 3)
    assert list(running.cluster.topics) == []


def test_deletion_by_id(running):
    topic = running.on_hub(lambda cluster: cluster.create_topic("t"))
    state = DeleteTopicsRequest.DeleteTopicState
    wish = DeleteTopicsRequest(topics=[state(topic_id=topic.id), state(topic_id=b"x" * 16)])
    deleted, unknown = running.wire().ask(wish, 6, DeleteTopicsResponse).responses
    assert (deleted.name, deleted.error_code) == ("t", 0)
    assert (unknown.name, unknown.error_code) == (None, ErrorCode.UNKNOWN_TOPIC_ID)


@pytest.mark.parametrize("version", range(4))
def test_every_version_adds_partitions(running, version):
    running.on_hub(lambda cluster: cluster.create_topic("t", 1, 1))
    replicas = More.CreatePartitionsAssignment(broker_ids=(3,))
    wish = CreatePartitionsRequest(
        topics=[
            More(name="t", count=2, assignments=[replicas]),
            More(name="t", count=2, assignments=None),
            More(name="x", count=2, assignments=None),
        ]
    )
    answer = running.wire().ask(wish, version, CreatePartitionsResponse)
    assert [result.error_code for result in answer.results] == [0, 37, 3]
    assert [p.leader for p in running.cluster.topics.find("t").partitions] == [1, 3]
