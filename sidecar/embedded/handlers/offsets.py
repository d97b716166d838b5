"""ListOffsets and OffsetForLeaderEpoch: offsets by time, and by leader epoch."""

from codec.messages.list_offsets import ListOffsetsRequest, ListOffsetsResponse
from codec.messages.offset_for_leader_epoch import (
    OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
)
from codec.schema import ZERO_UUID
from sidecar.embedded.errors import ApiError
from sidecar.embedded.handlers.context import Context
from sidecar.embedded.timestamps import offset_at

ListTopic = ListOffsetsRequest.ListOffsetsTopic
ListTopicResponse = ListOffsetsResponse.ListOffsetsTopicResponse
ListPartitionResponse = ListTopicResponse.ListOffsetsPartitionResponse
EpochTopicResponse = OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult
EpochTopic = OffsetForLeaderEpochRequest.OffsetForLeaderTopic


def list_offsets(request: ListOffsetsRequest, context: Context) -> ListOffsetsResponse:
    """Answer each partition's question about time."""
    return ListOffsetsResponse(topics=[_listed(topic, context) for topic in request.topics])


def offset_for_leader_epoch(
    request: OffsetForLeaderEpochRequest, context: Context
) -> OffsetForLeaderEpochResponse:
    """Tell where each partition's leader epoch ended (KIP-320: has my log been truncated?)."""
    return OffsetForLeaderEpochResponse(topics=[_ended(topic, context) for topic in request.topics])


def _listed(topic: ListTopic, context: Context) -> ListTopicResponse:
    answer = ListTopicResponse(name=topic.name)
    for each in topic.partitions:
        response = ListPartitionResponse(partition_index=each.partition_index)
        answer.partitions.append(response)
        try:
            found = context.topic(topic.name, ZERO_UUID)
            partition = context.led_partition(
                found, each.partition_index, each.current_leader_epoch
            )
            response.timestamp, response.offset = offset_at(partition.log, each.timestamp)
            if response.offset >= 0:
                response.leader_epoch = partition.log.epochs.epoch_at(response.offset)
        except ApiError as error:
            response.error_code = error.code
    return answer


def _ended(topic: EpochTopic, context: Context) -> EpochTopicResponse:
    answer = EpochTopicResponse(topic=topic.topic)
    for each in topic.partitions:
        response = EpochTopicResponse.EpochEndOffset(partition=each.partition)
        answer.partitions.append(response)
        try:
            found = context.topic(topic.topic, ZERO_UUID)
            log = context.led_partition(found, each.partition, each.current_leader_epoch).log
            response.leader_epoch, response.end_offset = log.epochs.end_offset(
                each.leader_epoch, log.end_offset
            )
        except ApiError as error:
            response.error_code = error.code
    return answer
