"""A Produce request of which only some topic-partitions are forwarded, and its one answer.

Messages have their topics' names, whichever way they travel; records are passed on, never copied.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

from codec.error_codes import ErrorCode
from codec.messages.produce import ProduceResponse
from sidecar.faults.base import Hints, Place
from sidecar.faults.refusals import add_endpoints, refused_partition

_TopicResponse = ProduceResponse.TopicProduceResponse
_PartitionResponse = _TopicResponse.PartitionProduceResponse


def picked(request: Any, keep: Callable[[Place], bool]) -> Any:
    """The request with those of its topic-partitions that are kept; the original stays."""
    topics = []
    for topic in request.topic_data or ():
        left = [part for part in topic.partition_data or () if keep((topic.name, part.index))]
        if left:
            narrowed = copy(topic)
            narrowed.partition_data = left
            topics.append(narrowed)
    result = copy(request)
    result.topic_data = topics
    return result


def order_of(request: Any) -> list[tuple[str, bytes, list[int]]]:
    """Name, id and partitions of the topics, as an answer is to have them."""
    return [
        (topic.name, topic.topic_id, [part.index for part in topic.partition_data or ()])
        for topic in request.topic_data or ()
    ]


def merged(
    response: Any,
    order: Sequence[tuple[str, bytes, list[int]]],
    refused: Mapping[Place, ErrorCode],
    hints: Hints,
) -> Any:
    """One answer to a request that had this order, of which these were not forwarded.

    Args:
        response: the broker's, about the others. What it says of nothing that was asked is left
            out; what it does not say is not made up. Hints of its own stay.
        hints: what is told of those that were not forwarded.
    """
    found = {
        (topic.name, part.index): part
        for topic in response.responses
        for part in topic.partition_responses
    }
    result = copy(response)
    result.responses = []
    for name, topic_id, indexes in order:
        parts = []
        for index in indexes:
            error = refused.get((name, index))
            part = found.get((name, index))
            if error is not None:
                parts.append(
                    refused_partition(_PartitionResponse, index, error, hints.get((name, index)))
                )
            elif part is not None:
                parts.append(part)
        result.responses.append(
            _TopicResponse(name=name, topic_id=topic_id, partition_responses=parts)
        )
    add_endpoints(result, hints)
    return result
