"""Produce: append a batch per partition, and tell where it landed."""

from codec.error_codes import ErrorCode
from codec.messages.produce import ProduceRequest, ProduceResponse
from codec.primitives import Buffer
from sidecar.embedded.batches import check_records, stored
from sidecar.embedded.errors import ApiError, CloseConnection
from sidecar.embedded.handlers.context import Context
from sidecar.embedded.partition import Partition
from sidecar.embedded.producer_state import ProducerBatch
from sidecar.embedded.topics import Topic

TopicResponse = ProduceResponse.TopicProduceResponse
PartitionResponse = TopicResponse.PartitionProduceResponse
TopicData = ProduceRequest.TopicProduceData

_NO_PRODUCER = -1
# Kafka sends no message with these, and Java's log line would show that there is one.
_SAID_WITHOUT_WORDS = (
    ErrorCode.NOT_LEADER_OR_FOLLOWER,
    ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    ErrorCode.INVALID_PRODUCER_EPOCH,
)
_NO_OFFSET = -1


def produce(request: ProduceRequest, context: Context) -> ProduceResponse | None:
    """Append, or refuse partition by partition. acks 0 has no response.

    Raises:
        CloseConnection: acks is 0 and something was refused: nothing else can tell the client.
    """
    leaders: list[int] = []
    responses = [_topic(topic, request, context, leaders) for topic in request.topic_data]
    if request.acks == 0:
        _close_on_error(responses)
        return None
    return ProduceResponse(
        responses=responses,
        node_endpoints=[
            ProduceResponse.NodeEndpoint(node_id=node.node_id, host=node.host, port=node.port)
            for node in context.cluster.leader_endpoints(leaders)
        ],
    )


def _close_on_error(responses: list[TopicResponse]) -> None:
    for topic in responses:
        for partition in topic.partition_responses:
            if partition.error_code != ErrorCode.NONE:
                detail = ErrorCode(partition.error_code).name
                raise CloseConnection("produce_without_acks_refused", detail)


def _topic(
    data: TopicData, request: ProduceRequest, context: Context, leaders: list[int]
) -> TopicResponse:
    answer = TopicResponse(name=data.name, topic_id=data.topic_id)
    for each in data.partition_data:
        response = PartitionResponse(index=each.index, base_offset=_NO_OFFSET)
        answer.partition_responses.append(response)
        partition: Partition | None = None
        try:
            _check_request(request)
            topic = context.topic(data.name, data.topic_id)
            partition = topic.partition(each.index)
            response.base_offset = _append(topic, partition, each.records, context)
            response.log_start_offset = partition.log.start_offset
        except ApiError as error:
            response.error_code = error.code
            if error.code not in _SAID_WITHOUT_WORDS:
                response.error_message = error.message
            if partition is not None and error.code is ErrorCode.NOT_LEADER_OR_FOLLOWER:
                _hint(response, partition, leaders)
    return answer


def _check_request(request: ProduceRequest) -> None:
    if request.acks not in (-1, 0, 1):
        raise ApiError(ErrorCode.INVALID_REQUIRED_ACKS, f"acks cannot be {request.acks}")
    if request.transactional_id is not None:
        reason = "the embedded cluster has no transactions"
        raise ApiError(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, reason)


def _append(topic: Topic, partition: Partition, records: Buffer | None, context: Context) -> int:
    """Append one batch; returns the offset it has, the old one if it is there already."""
    cluster = context.cluster
    partition.check_leader(context.node_id)
    limit = topic.max_message_bytes(cluster.settings.max_message_bytes)
    header = check_records(records, version=context.version, max_bytes=limit)
    batch = stored(header, records or b"", partition)
    if header.producer_id == _NO_PRODUCER:
        cluster.store(partition, batch)
        return batch.base_offset
    numbered = ProducerBatch(
        header.producer_id, header.producer_epoch, header.base_sequence, header.records_count
    )
    known = partition.producers.duplicate_of(numbered)
    if known is not None:
        return known
    partition.producers.check(numbered)
    cluster.store(partition, batch)
    partition.producers.appended(numbered, batch.base_offset)
    return batch.base_offset


def _hint(response: PartitionResponse, partition: Partition, leaders: list[int]) -> None:
    """Name the true leader (KIP-951)."""
    response.current_leader = PartitionResponse.LeaderIdAndEpoch(
        leader_id=partition.leader, leader_epoch=partition.leader_epoch
    )
    leaders.append(partition.leader)
