"""Fetch: read batches, waiting for new ones where there are too few.

Fetch sessions (KIP-227) are declined: every response has session id 0, after which clients name
all their partitions each time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from gevent.event import Event

from codec.error_codes import ErrorCode
from codec.messages.fetch import FetchRequest, FetchResponse
from sidecar.embedded.errors import ApiError
from sidecar.embedded.handlers.context import Context
from sidecar.embedded.leader_epochs import UNDEFINED_EPOCH
from sidecar.embedded.partition import Partition

TopicRequest = FetchRequest.FetchTopic
PartitionRequest = TopicRequest.FetchPartition
TopicResponse = FetchResponse.FetchableTopicResponse
PartitionResponse = TopicResponse.PartitionData

_NO_OFFSET = -1


@dataclass(slots=True)
class _Wanted:
    """One requested partition, in the order of the request."""

    topic: TopicRequest
    request: PartitionRequest
    partition: Partition | None = None
    error: ApiError | None = None

    def look(self, context: Context) -> None:
        """Find the partition and check what the client believes of it."""
        self.error = None
        try:
            found = context.topic(self.topic.topic, self.topic.topic_id)
            self.partition = found.partition(self.request.partition)
            epoch = self.request.current_leader_epoch
            context.led_partition(found, self.request.partition, epoch)
            log = self.partition.log
            if not log.start_offset <= self.request.fetch_offset <= log.end_offset:
                raise ApiError(ErrorCode.OFFSET_OUT_OF_RANGE)
        except ApiError as error:
            self.error = error

    def available(self, enough: int) -> int:
        """Bytes to read, counted until there are `enough`."""
        if self.partition is None:
            return 0
        return self.partition.log.available_bytes(self.request.fetch_offset, enough)


def fetch(request: FetchRequest, context: Context) -> FetchResponse:
    """Read from every partition asked for; waits up to max_wait_ms for min_bytes."""
    if request.session_id:
        return FetchResponse(error_code=ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    wanted = [_Wanted(topic, each) for topic in request.topics for each in topic.partitions]
    _wait(request, wanted, context)
    return _response(request, wanted, context)


def _wait(request: FetchRequest, wanted: list[_Wanted], context: Context) -> None:
    longest = context.cluster.settings.connection_idle_seconds
    deadline = monotonic() + min(max(request.max_wait_ms, 0) / 1000, longest)
    event = Event()
    watched: set[Partition] = set()
    try:
        while not _ready(wanted, request.min_bytes, context):
            remaining = deadline - monotonic()
            if remaining <= 0:
                return
            _watch(wanted, watched, event.set)
            event.clear()
            event.wait(remaining)
    finally:
        for partition in watched:
            partition.unwatch(event.set)


def _watch(wanted: list[_Wanted], watched: set[Partition], callback: Callable[[], object]) -> None:
    for each in wanted:
        if each.partition is not None and each.partition not in watched:
            watched.add(each.partition)
            each.partition.watch(callback)


def _ready(wanted: list[_Wanted], min_bytes: int, context: Context) -> bool:
    """An error ends the wait at once, as in Kafka; so do enough bytes, or nothing to wait for."""
    for each in wanted:
        each.look(context)
    if any(each.error is not None for each in wanted):
        return True
    missing = min_bytes
    for each in wanted:
        missing -= each.available(missing)
        if missing <= 0:
            return True
    return missing <= 0 or not wanted


def _response(request: FetchRequest, wanted: list[_Wanted], context: Context) -> FetchResponse:
    response = FetchResponse()
    topics: dict[int, TopicResponse] = {}
    leaders: list[int] = []
    room = min(max(request.max_bytes, 0), context.cluster.settings.max_fetch_bytes)
    nothing_yet = True
    for each in wanted:
        topic = topics.get(id(each.topic))
        if topic is None:
            topic = TopicResponse(topic=each.topic.topic, topic_id=each.topic.topic_id)
            topics[id(each.topic)] = topic
            response.responses.append(topic)
        if each.error is not None or each.partition is None:
            topic.partitions.append(_refusal(each, leaders))
            continue
        data = _read(each.partition, each.request, room, at_least_one=nothing_yet)
        size = len(data.records or b"")
        room = max(room - size, 0)
        nothing_yet = nothing_yet and not size
        topic.partitions.append(data)
    response.node_endpoints = [
        FetchResponse.NodeEndpoint(node_id=node.node_id, host=node.host, port=node.port)
        for node in context.cluster.leader_endpoints(leaders)
    ]
    return response


def _read(
    partition: Partition, request: PartitionRequest, room: int, *, at_least_one: bool
) -> PartitionResponse:
    log = partition.log
    response = PartitionResponse(
        partition_index=request.partition,
        high_watermark=log.end_offset,
        last_stable_offset=log.end_offset,
        log_start_offset=log.start_offset,
        records=b"",
    )
    diverging = _diverging(partition, request)
    if diverging is not None:
        response.diverging_epoch = diverging
        return response
    limit = min(max(request.partition_max_bytes, 0), room)
    batches = log.read(request.fetch_offset, limit, at_least_one=at_least_one)
    response.records = b"".join(batches)
    return response


def _diverging(
    partition: Partition, request: PartitionRequest
) -> PartitionResponse.EpochEndOffset | None:
    """Where the client's log and this one part, if they do (KIP-595); consumers seldom ask."""
    if request.last_fetched_epoch == UNDEFINED_EPOCH:
        return None
    log = partition.log
    epoch, end = log.epochs.end_offset(request.last_fetched_epoch, log.end_offset)
    if epoch >= request.last_fetched_epoch and end >= request.fetch_offset:
        return None
    return PartitionResponse.EpochEndOffset(epoch=epoch, end_offset=end)


def _refusal(wanted: _Wanted, leaders: list[int]) -> PartitionResponse:
    code = ErrorCode.NONE if wanted.error is None else wanted.error.code
    response = PartitionResponse(
        partition_index=wanted.request.partition,
        error_code=code,
        high_watermark=_NO_OFFSET,
        records=b"",
    )
    partition = wanted.partition
    stale = (ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.FENCED_LEADER_EPOCH)
    if code in stale and partition is not None:
        response.current_leader = PartitionResponse.LeaderIdAndEpoch(
            leader_id=partition.leader, leader_epoch=partition.leader_epoch
        )
        leaders.append(partition.leader)
    return response
