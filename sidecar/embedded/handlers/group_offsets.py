"""OffsetCommit and OffsetFetch: how far a group has read."""

from collections.abc import Mapping

from codec.error_codes import ErrorCode
from codec.messages.offset_commit import OffsetCommitRequest, OffsetCommitResponse
from codec.messages.offset_fetch import OffsetFetchRequest, OffsetFetchResponse
from sidecar.embedded.errors import ApiError
from sidecar.embedded.groups.coordinator import (
    MAX_OFFSET_METADATA_BYTES,
    CommittedOffset,
    TopicPartition,
)
from sidecar.embedded.handlers.context import Context

CommitTopic = OffsetCommitRequest.OffsetCommitRequestTopic
CommitPartition = CommitTopic.OffsetCommitRequestPartition
CommitTopicResponse = OffsetCommitResponse.OffsetCommitResponseTopic
CommitPartitionResponse = CommitTopicResponse.OffsetCommitResponsePartition
FetchTopicResponse = OffsetFetchResponse.OffsetFetchResponseTopic
FetchPartitionResponse = FetchTopicResponse.OffsetFetchResponsePartition
FetchGroup = OffsetFetchRequest.OffsetFetchRequestGroup
FetchGroupResponse = OffsetFetchResponse.OffsetFetchResponseGroup
GroupTopicResponse = FetchGroupResponse.OffsetFetchResponseTopics
GroupPartitionResponse = GroupTopicResponse.OffsetFetchResponsePartitions

_GROUP_LIST_FROM = 8
_TOPIC_IDS_FROM = 10
_NOTHING = CommittedOffset(-1)


def offset_commit(request: OffsetCommitRequest, context: Context) -> OffsetCommitResponse:
    """Keep offsets: all that name an existing partition, if the member may commit at all."""
    response = OffsetCommitResponse()
    offsets: dict[TopicPartition, CommittedOffset] = {}
    accepted: list[CommitPartitionResponse] = []
    for topic in request.topics:
        answer = CommitTopicResponse(name=topic.name, topic_id=topic.topic_id)
        response.topics.append(answer)
        for each in topic.partitions:
            result = CommitPartitionResponse(partition_index=each.partition_index)
            answer.partitions.append(result)
            try:
                key = _commit_key(topic, each, context)
                offsets[key] = CommittedOffset(
                    each.committed_offset,
                    each.committed_leader_epoch,
                    each.committed_metadata or "",
                )
                accepted.append(result)
            except ApiError as error:
                result.error_code = error.code
    try:
        context.cluster.check_coordinator(request.group_id, context.node_id)
        context.cluster.groups.commit(
            request.group_id, request.member_id, request.generation_id_or_member_epoch, offsets
        )
    except ApiError as error:
        for result in accepted:
            result.error_code = error.code
    return response


def _commit_key(topic: CommitTopic, each: CommitPartition, context: Context) -> TopicPartition:
    found = context.topic(topic.name, topic.topic_id)
    found.partition(each.partition_index)
    text = (each.committed_metadata or "").encode("utf-8", "surrogateescape")
    if len(text) > MAX_OFFSET_METADATA_BYTES:
        raise ApiError(ErrorCode.OFFSET_METADATA_TOO_LARGE)
    return found.name, each.partition_index


def offset_fetch(request: OffsetFetchRequest, context: Context) -> OffsetFetchResponse:
    """Tell the offsets asked for, or all of them; -1 where there is none."""
    if context.version >= _GROUP_LIST_FROM:
        return OffsetFetchResponse(groups=[_group(each, context) for each in request.groups])
    try:
        context.cluster.check_coordinator(request.group_id, context.node_id)
    except ApiError as error:
        return _refused(request, error.code)
    committed = context.cluster.groups.offsets(request.group_id)
    asked = (
        _by_topic(committed)
        if request.topics is None
        else [(topic.name, list(topic.partition_indexes)) for topic in request.topics]
    )
    return OffsetFetchResponse(
        topics=[
            FetchTopicResponse(
                name=name,
                partitions=[
                    _old_partition(index, committed.get((name, index), _NOTHING))
                    for index in indexes
                ],
            )
            for name, indexes in asked
        ]
    )


def _refused(request: OffsetFetchRequest, code: ErrorCode) -> OffsetFetchResponse:
    """Versions 0 and 1 have no error but that of each partition."""
    topics = [
        FetchTopicResponse(
            name=topic.name,
            partitions=[
                FetchPartitionResponse(
                    partition_index=index, committed_offset=-1, metadata="", error_code=code
                )
                for index in topic.partition_indexes
            ],
        )
        for topic in request.topics or ()
    ]
    return OffsetFetchResponse(topics=topics, error_code=code)


def _old_partition(index: int, offset: CommittedOffset) -> FetchPartitionResponse:
    return FetchPartitionResponse(
        partition_index=index,
        committed_offset=offset.offset,
        committed_leader_epoch=offset.leader_epoch,
        metadata=offset.metadata,
    )


def _group(asked: FetchGroup, context: Context) -> FetchGroupResponse:
    answer = FetchGroupResponse(group_id=asked.group_id)
    try:
        context.cluster.check_coordinator(asked.group_id, context.node_id)
    except ApiError as error:
        answer.error_code = error.code
        return answer
    committed = context.cluster.groups.offsets(asked.group_id)
    if asked.topics is None:
        for name, indexes in _by_topic(committed):
            topic_id = context.cluster.topics.find(name).id
            answer.topics.append(_group_topic(name, topic_id, indexes, committed))
        return answer
    for topic in asked.topics:
        name, code = topic.name, ErrorCode.NONE
        if context.version >= _TOPIC_IDS_FROM:
            name, code = _name_of(topic.topic_id, context)
        indexes = list(topic.partition_indexes)
        response = _group_topic(name, topic.topic_id, indexes, committed)
        for each in response.partitions:
            each.error_code = code
        answer.topics.append(response)
    return answer


def _name_of(topic_id: bytes, context: Context) -> tuple[str, ErrorCode]:
    try:
        return context.topic(None, topic_id).name, ErrorCode.NONE
    except ApiError as error:
        return "", error.code


def _group_topic(
    name: str,
    topic_id: bytes,
    indexes: list[int],
    committed: Mapping[TopicPartition, CommittedOffset],
) -> GroupTopicResponse:
    found = [(index, committed.get((name, index), _NOTHING)) for index in indexes]
    return GroupTopicResponse(
        name=name,
        topic_id=topic_id,
        partitions=[
            GroupPartitionResponse(
                partition_index=index,
                committed_offset=offset.offset,
                committed_leader_epoch=offset.leader_epoch,
                metadata=offset.metadata,
            )
            for index, offset in found
        ],
    )


def _by_topic(committed: Mapping[TopicPartition, CommittedOffset]) -> list[tuple[str, list[int]]]:
    topics: dict[str, list[int]] = {}
    for name, index in committed:
        topics.setdefault(name, []).append(index)
    return list(topics.items())
