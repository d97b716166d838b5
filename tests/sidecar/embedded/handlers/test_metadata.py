"""Metadata and DescribeCluster over a socket."""

import pytest

from codec.error_codes import ErrorCode
from codec.messages.describe_cluster import DescribeClusterRequest, DescribeClusterResponse
from codec.messages.metadata import MetadataRequest, MetadataResponse

Topic = MetadataRequest.MetadataRequestTopic


def ask(running, version, *topics, node=1, **more):
    wish = MetadataRequest(topics=list(topics), **more)
    return running.wire(node).ask(wish, version, MetadataResponse)


@pytest.mark.parametrize("version", range(14))
def test_every_version_lists_all(running, version):
    running.on_hub(lambda cluster: cluster.create_topic("t", 3, 2))
    everything = MetadataRequest(topics=[] if version == 0 else None)
    answer = running.wire().ask(everything, version, MetadataResponse)
    addresses = ",".join(f"{b.host}:{b.port}" for b in answer.brokers)
    assert addresses == running.bootstrap_servers
    (topic,) = answer.topics
    assert [p.leader_id for p in topic.partitions] == [1, 2, 3]
    assert topic.partitions[0].replica_nodes == topic.partitions[0].isr_nodes == (1, 2)
    if version >= 1:
        assert answer.controller_id in [b.node_id for b in answer.brokers]


def test_an_empty_list_asks_for_no_topic(running):
    running.on_hub(lambda cluster: cluster.create_topic("t"))
    assert ask(running, 1).topics == []


def test_leaders_and_epochs_follow_elections_on_every_broker(running):
    running.on_hub(lambda cluster: cluster.create_topic("t"))
    running.on_hub(lambda cluster: cluster.elect("t", 0, 3))
    for node in (1, 2, 3):
        (topic,) = ask(running, 7, Topic(name="t"), node=node).topics
        assert (topic.partitions[0].leader_id, topic.partitions[0].leader_epoch) == (3, 1)


@pytest.mark.parametrize(
    ("version", "topic", "code"),
    [
        (1, Topic(name="x"), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        (9, Topic(name="x"), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        (10, Topic(name=None, topic_id=b"x" * 16), ErrorCode.UNKNOWN_TOPIC_ID),
        (12, Topic(name=None, topic_id=b"x" * 16), ErrorCode.UNKNOWN_TOPIC_ID),
        (12, Topic(name=None), ErrorCode.UNKNOWN_TOPIC_ID),
    ],
)
def test_what_does_not_exist(running, version, topic, code):
    (answer,) = ask(running, version, topic).topics
    assert ErrorCode(answer.error_code) is code


def test_topics_by_id(running):
    made = running.on_hub(lambda cluster: cluster.create_topic("t"))
    (topic,) = ask(running, 12, Topic(name=None, topic_id=made.id)).topics
    assert (topic.name, topic.topic_id) == ("t", made.id)


def test_topics_are_created_only_where_that_is_allowed(start):
    running = start(auto_create_topics=True, num_partitions=2)
    (answer,) = ask(running, 4, Topic(name="no"), allow_auto_topic_creation=False).topics
    assert answer.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    (answer,) = ask(running, 4, Topic(name="yes")).topics
    assert (answer.error_code, len(answer.partitions)) == (0, 2)
    (answer,) = ask(running, 4, Topic(name="not legal")).topics
    assert answer.error_code == ErrorCode.INVALID_TOPIC_EXCEPTION


@pytest.mark.parametrize("version", range(3))
def test_describe_cluster(running, version):
    answer = running.wire(2).ask(DescribeClusterRequest(), version, DescribeClusterResponse)
    assert ",".join(f"{b.host}:{b.port}" for b in answer.brokers) == running.bootstrap_servers
    assert (answer.controller_id, answer.cluster_id) == (1, running.cluster.id)


def test_controllers_have_no_listener(running):
    wish = DescribeClusterRequest(endpoint_type=2)
    answer = running.wire().ask(wish, 1, DescribeClusterResponse)
    assert answer.error_code == ErrorCode.MISMATCHED_ENDPOINT_TYPE
