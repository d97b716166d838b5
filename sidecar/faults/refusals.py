"""The responses of brokers that refuse every partition of a request."""

from collections.abc import Set
from copy import copy
from types import MappingProxyType
from typing import Any, Final

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.produce import ProduceResponse
from codec.registry import response_class
from sidecar.faults.base import Hint, Hints, Place

_UNKNOWN = -1
_NO_HINTS: Final[Hints] = MappingProxyType({})


def refuse_produce(request: Any, error: ErrorCode, hints: Hints = _NO_HINTS) -> ProduceResponse:
    """The response to a Produce request with this error in each partition, and these hints."""
    topic_response = ProduceResponse.TopicProduceResponse
    partition_response = topic_response.PartitionProduceResponse
    response = ProduceResponse(
        responses=[
            topic_response(
                name=topic.name,
                topic_id=topic.topic_id,
                partition_responses=[
                    refused_partition(
                        partition_response,
                        partition.index,
                        error,
                        hints.get((topic.name, partition.index)),
                    )
                    for partition in topic.partition_data
                ],
            )
            for topic in request.topic_data
        ]
    )
    add_endpoints(response, hints)
    return response


def deny_produce(
    response: Any, places: Set[Place], error: ErrorCode, hints: Hints = _NO_HINTS
) -> Any:
    """A Produce response that says `error` of these topic-partitions; of others what it did."""
    denied = ProduceResponse.TopicProduceResponse.PartitionProduceResponse
    result = copy(response)
    result.responses = []
    for topic in response.responses:
        told = copy(topic)
        told.partition_responses = [
            refused_partition(denied, partition.index, error, hints.get(place))
            if (place := (topic.name, partition.index)) in places
            else partition
            for partition in topic.partition_responses
        ]
        result.responses.append(told)
    add_endpoints(result, hints)
    return result


def refused_partition(kind: Any, index: int, error: ErrorCode, hint: Hint | None = None) -> Any:
    """What a Produce response says of a partition that nothing was appended to."""
    refused = kind(
        index=index,
        error_code=error,
        base_offset=_UNKNOWN,
        log_append_time_ms=_UNKNOWN,
        log_start_offset=_UNKNOWN,
    )
    if hint is not None:
        refused.current_leader = kind.LeaderIdAndEpoch(
            leader_id=hint.leader_id, leader_epoch=hint.leader_epoch
        )
    return refused


def add_endpoints(response: Any, hints: Hints) -> None:
    """Say in a Produce or Fetch response where the brokers are that its hints name.

    What it says already, of the broker's own hints, stays. The list it had is left as it is.
    """
    if not hints:
        return
    told = list(response.node_endpoints or ())
    named = {endpoint.node_id for endpoint in told}
    kind: Any = type(response).NodeEndpoint
    for hint in hints.values():
        if hint.leader_id not in named:
            named.add(hint.leader_id)
            told.append(
                kind(node_id=hint.leader_id, host=hint.host, port=hint.port, rack=hint.rack)
            )
    response.node_endpoints = told


def refuse_whole_fetch(error: ErrorCode) -> Any:
    """The response to a Fetch request with this error in its head."""
    return response_class(ApiKey.FETCH)(error_code=error)


def refuse_fetch(request: Any, error: ErrorCode) -> Any:
    """The response to a Fetch request with this error in each partition that it names.

    Without a session, whose epoch must not go on without the broker: a client that has one is told
    that none was kept, and asks for everything again.
    """
    fetch_response: Any = response_class(ApiKey.FETCH)  # imported when first needed
    topic_response = fetch_response.FetchableTopicResponse
    partition_data = topic_response.PartitionData
    return fetch_response(
        responses=[
            topic_response(
                topic=topic.topic,
                topic_id=topic.topic_id,
                partitions=[
                    partition_data(
                        partition_index=partition.partition,
                        error_code=error,
                        high_watermark=_UNKNOWN,
                        last_stable_offset=_UNKNOWN,
                        log_start_offset=_UNKNOWN,
                        aborted_transactions=None,
                        records=b"",
                    )
                    for partition in topic.partitions
                ],
            )
            for topic in request.topics or ()
        ]
    )
