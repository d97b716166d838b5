"""How a broker answers that has lost the leadership of some partitions, until somebody has it.

Produce is refused, and the rest of the request goes on. Reads are forwarded, and what the broker
says of those partitions is replaced: nothing is kept of a read, so clients ask again. DeleteRecords
is refused if it is about such partitions only; else it is forwarded and denied, and does the same
when it comes again. Metadata says that there is no leader and keeps the epoch, as a controller does
between two leaders.

Facts: Kafka protocol, errors 5 LEADER_NOT_AVAILABLE and 6 NOT_LEADER_OR_FOLLOWER.
"""

from collections.abc import Callable
from copy import copy
from typing import Any, Final

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.registry import response_class
from sidecar.faults.base import (
    FORWARD,
    Answer,
    Answered,
    Asked,
    Await,
    Decision,
    Deny,
    Disconnect,
    Hint,
    Part,
    Place,
    Refuse,
    ResponseDecision,
)
from sidecar.faults.leaders import HintingRule
from sidecar.faults.refusals import add_endpoints

ERROR: Final = ErrorCode.NOT_LEADER_OR_FOLLOWER
APIS: Final = frozenset(
    {
        ApiKey.PRODUCE,
        ApiKey.FETCH,
        ApiKey.LIST_OFFSETS,
        ApiKey.METADATA,
        ApiKey.OFFSET_FOR_LEADER_EPOCH,
        ApiKey.DELETE_RECORDS,
    }
)
"""What notices that a partition has no leader."""
_UNKNOWN: Final = -1
Lost = Callable[[Place], bool]
"""Whether a topic-partition has no leader."""


def strike(rule: HintingRule, asked: Asked, lost: Lost) -> Decision:
    """What becomes of a request of one of `APIS`, by a rule with these hints."""
    if asked.api is ApiKey.PRODUCE:
        chosen = [place for place in produced(asked.request) if lost(place)]
        if not chosen:
            return FORWARD
        if asked.request.acks == 0:
            return Disconnect(ERROR, parts=[Part(*place) for place in chosen])
        return Refuse(frozenset(chosen), ERROR, rule.hints(asked, chosen))
    if asked.api is ApiKey.DELETE_RECORDS:
        places = [
            (topic.name, part.partition_index)
            for topic in asked.request.topics or ()
            for part in topic.partitions or ()
        ]
        if places and all(map(lost, places)):
            return Answer(_refused_deletion(asked.request), ERROR)
    if asked.api is ApiKey.FETCH:
        return Await(_fetched_places(asked.request))
    return Await(True)


def _fetched_places(request: Any) -> list[tuple[str, bytes, int]]:
    """Name, id and partition of all that a decoded Fetch request names."""
    return [
        (topic.topic, topic.topic_id, part.partition)
        for topic in request.topics or ()
        for part in topic.partitions or ()
    ]


def produced(request: Any) -> list[Place]:
    """The topic-partitions of a decoded Produce request."""
    return [
        (topic.name, partition.index)
        for topic in request.topic_data or ()
        for partition in topic.partition_data or ()
    ]


def strike_answer(rule: HintingRule, answered: Answered, lost: Lost) -> ResponseDecision:
    """What becomes of an answer of one of `APIS` but Produce, by a rule with these hints."""
    api, response = answered.api, answered.response
    topics_in, name_of, index_of, strike_part = _ANSWERS[api]
    parts: list[Part] = []
    topics = []
    hints: dict[Place, Hint] = {}
    given = list(getattr(response, topics_in) or ())
    if api is ApiKey.FETCH and answered.kept and not response.error_code:
        given += _silent(answered, given, lost)
    for topic in given:
        told = copy(topic)
        told.partitions = []
        for part in topic.partitions or ():
            place = (getattr(topic, name_of), getattr(part, index_of))
            if lost(place) and not part.error_code:
                parts.append(Part(*place))
                part = strike_part(part)
                hint = rule.hint_in(answered, topic, place)
                if hint is not None:
                    hints[place] = hint
                    part.current_leader = _current_leader(hint)
            told.partitions.append(part)
        topics.append(told)
    if not parts:
        return FORWARD
    result = copy(response)
    setattr(result, topics_in, topics)
    add_endpoints(result, hints)
    error = ErrorCode.LEADER_NOT_AVAILABLE if api is ApiKey.METADATA else ERROR
    return Deny(result, error, parts, appended=api is ApiKey.DELETE_RECORDS, hints=hints)


def _silent(answered: Answered, given: list[Any], lost: Lost) -> list[Any]:
    """Topics for a Fetch answer with the lost partitions of its session that it leaves out.

    An answer that goes on with a session tells of partitions that have news only, and an error is.
    """
    kind: Any = response_class(ApiKey.FETCH)
    topic_kind = kind.FetchableTopicResponse
    there = {(topic.topic, part.partition_index) for topic in given for part in topic.partitions}
    added: dict[str, Any] = {}
    for name, topic_id, index in answered.kept:
        if (name, index) in there or not lost((name, index)):
            continue
        topic = added.get(name)
        if topic is None:
            topic = added[name] = topic_kind(topic=name, topic_id=topic_id, partitions=[])
        topic.partitions.append(topic_kind.PartitionData(partition_index=index))
    return list(added.values())


def _refused_deletion(request: Any) -> Any:
    kind: Any = response_class(ApiKey.DELETE_RECORDS)  # imported when first needed
    topic_kind = kind.DeleteRecordsTopicResult
    part_kind = topic_kind.DeleteRecordsPartitionResult
    return kind(
        topics=[
            topic_kind(
                name=topic.name,
                partitions=[
                    part_kind(
                        partition_index=part.partition_index,
                        low_watermark=_UNKNOWN,
                        error_code=ERROR,
                    )
                    for part in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    )


def _with(part: Any, **fields: Any) -> Any:
    """A copy, whichever class the codec made it of, with other values."""
    told = copy(part)
    for name, value in fields.items():
        setattr(told, name, value)
    return told


def _current_leader(hint: Hint) -> Any:
    kind: Any = response_class(ApiKey.FETCH)
    leader: Any = kind.FetchableTopicResponse.PartitionData.LeaderIdAndEpoch
    return leader(leader_id=hint.leader_id, leader_epoch=hint.leader_epoch)


def _fetched(part: Any) -> Any:
    return _with(
        part,
        error_code=ERROR,
        high_watermark=_UNKNOWN,
        last_stable_offset=_UNKNOWN,
        log_start_offset=_UNKNOWN,
        aborted_transactions=None,
        preferred_read_replica=_UNKNOWN,
        records=b"",
    )


def _listed(part: Any) -> Any:
    nothing: Any = ()
    return _with(
        part,
        error_code=ERROR,
        old_style_offsets=nothing,
        timestamp=_UNKNOWN,
        offset=_UNKNOWN,
        leader_epoch=_UNKNOWN,
    )


def _ended(part: Any) -> Any:
    return _with(part, error_code=ERROR, leader_epoch=_UNKNOWN, end_offset=_UNKNOWN)


def _deleted(part: Any) -> Any:
    return _with(part, error_code=ERROR, low_watermark=_UNKNOWN)


def _leaderless(part: Any) -> Any:
    return _with(part, error_code=ErrorCode.LEADER_NOT_AVAILABLE, leader_id=_UNKNOWN)


_ANSWERS: Final[dict[ApiKey, tuple[str, str, str, Callable[[Any], Any]]]] = {
    # Fields that hold the topics, a topic's name, a partition's number; and what is said of it.
    ApiKey.FETCH: ("responses", "topic", "partition_index", _fetched),
    ApiKey.LIST_OFFSETS: ("topics", "name", "partition_index", _listed),
    ApiKey.METADATA: ("topics", "name", "partition_index", _leaderless),
    ApiKey.OFFSET_FOR_LEADER_EPOCH: ("topics", "topic", "partition", _ended),
    ApiKey.DELETE_RECORDS: ("topics", "name", "partition_index", _deleted),
}
