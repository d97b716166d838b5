"""OffsetCommit and OffsetFetch over a socket."""

import pytest

from codec.error_codes import ErrorCode
from codec.messages.offset_commit import OffsetCommitRequest, OffsetCommitResponse
from codec.messages.offset_fetch import OffsetFetchRequest, OffsetFetchResponse

GROUP = "g"
CommitTopic = OffsetCommitRequest.OffsetCommitRequestTopic
FetchTopic = OffsetFetchRequest.OffsetFetchRequestTopic
FetchGroup = OffsetFetchRequest.OffsetFetchRequestGroup


@pytest.fixture
def topic(running):
    return running.on_hub(lambda cluster: cluster.create_topic("t", 3))


@pytest.fixture
def wire(running, topic):
    return running.wire(running.cluster.coordinator_of(GROUP).node_id)


def commit(wire, topic, offset, version=8, name="t", partition=0, text="note", **more):
    asked = CommitTopic.OffsetCommitRequestPartition(
        partition_index=partition, committed_offset=offset, committed_metadata=text
    )
    data = CommitTopic(name=name, topic_id=topic.id, partitions=[asked])
    if version < 10:
        data.topic_id = bytes(16)
    wish = OffsetCommitRequest(group_id=GROUP, topics=[data], **more)
    return wire.ask(wish, version, OffsetCommitResponse).topics[0].partitions[0].error_code


def fetch(wire, topic, version, *partitions, everything=False):
    """[(topic name or id, partition, offset, metadata)] of the answer."""
    if version < 8:
        asked = None if everything else [FetchTopic(name="t", partition_indexes=partitions)]
        wish = OffsetFetchRequest(group_id=GROUP, topics=asked)
        topics = wire.ask(wish, version, OffsetFetchResponse).topics
    else:
        kind = FetchGroup.OffsetFetchRequestTopics
        asked = [kind(name="t", topic_id=topic.id, partition_indexes=partitions)]
        group = FetchGroup(group_id=GROUP, topics=None if everything else asked)
        answer = wire.ask(OffsetFetchRequest(groups=[group]), version, OffsetFetchResponse)
        (found,) = answer.groups
        assert (found.group_id, found.error_code) == (GROUP, 0)
        topics = found.topics
    for each in topics:
        assert each.topic_id == topic.id if version >= 10 else each.name == "t"
    return [
        (p.partition_index, p.committed_offset, p.metadata) for t in topics for p in t.partitions
    ]


@pytest.mark.parametrize("version", range(2, 11))
def test_every_version_commits(running, topic, wire, version):
    assert commit(wire, topic, 42, version) == 0
    assert running.cluster.groups.offsets(GROUP)[("t", 0)].offset == 42


@pytest.mark.parametrize("version", range(1, 11))
def test_every_version_fetches(topic, wire, version):
    commit(wire, topic, 42)
    commit(wire, topic, 7, partition=2)
    assert fetch(wire, topic, version, 0, 1) == [(0, 42, "note"), (1, -1, "")]
    if version >= 2:
        everything = fetch(wire, topic, version, everything=True)
        assert everything == [(0, 42, "note"), (2, 7, "note")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "x"}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ({"partition": 3}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ({"text": "x" * 4097}, ErrorCode.OFFSET_METADATA_TOO_LARGE),
        ({"member_id": "m", "generation_id_or_member_epoch": 3}, ErrorCode.ILLEGAL_GENERATION),
    ],
)
def test_refused_commits(running, topic, wire, changes, code):
    assert ErrorCode(commit(wire, topic, 1, **changes)) is code
    assert running.cluster.groups.offsets(GROUP) == {}


def test_the_wrong_broker(running, topic):
    other = running.wire(running.cluster.coordinator_of(GROUP).node_id % 3 + 1)
    assert commit(other, topic, 1) == ErrorCode.NOT_COORDINATOR
    old = OffsetFetchRequest(group_id=GROUP, topics=[FetchTopic(name="t", partition_indexes=(0,))])
    for version in (1, 2, 7):
        answer = other.ask(old, version, OffsetFetchResponse)
        assert answer.topics[0].partitions[0].error_code == ErrorCode.NOT_COORDINATOR
        assert version < 2 or answer.error_code == ErrorCode.NOT_COORDINATOR
    group = FetchGroup(group_id=GROUP, topics=None)
    answer = other.ask(OffsetFetchRequest(groups=[group]), 8, OffsetFetchResponse)
    assert answer.groups[0].error_code == ErrorCode.NOT_COORDINATOR


def test_an_unknown_topic_id(running, wire):
    kind = FetchGroup.OffsetFetchRequestTopics
    asked = [kind(topic_id=b"x" * 16, partition_indexes=(0,))]
    wish = OffsetFetchRequest(groups=[FetchGroup(group_id=GROUP, topics=asked)])
    answer = wire.ask(wish, 10, OffsetFetchResponse).groups[0].topics[0].partitions[0]
    assert (answer.error_code, answer.committed_offset) == (ErrorCode.UNKNOWN_TOPIC_ID, -1)
