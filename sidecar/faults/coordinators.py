"""How a broker answers that does not coordinate a group or transactional id, or not yet.

FindCoordinator and OffsetFetch may ask about several at once: they are forwarded, and what the
broker says of some is replaced. Everything else is about one and is refused.
"""

from collections.abc import Callable
from copy import copy
from typing import Any, Final

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.registry import response_class

GROUP_APIS: Final = frozenset(
    {
        ApiKey.JOIN_GROUP,
        ApiKey.SYNC_GROUP,
        ApiKey.HEARTBEAT,
        ApiKey.LEAVE_GROUP,
        ApiKey.OFFSET_COMMIT,
        ApiKey.OFFSET_FETCH,
        ApiKey.TXN_OFFSET_COMMIT,
        ApiKey.CONSUMER_GROUP_HEARTBEAT,
        ApiKey.SHARE_GROUP_HEARTBEAT,
        ApiKey.FIND_COORDINATOR,
    }
)
TRANSACTION_APIS: Final = frozenset(
    {
        ApiKey.INIT_PRODUCER_ID,
        ApiKey.ADD_PARTITIONS_TO_TXN,
        ApiKey.ADD_OFFSETS_TO_TXN,
        ApiKey.END_TXN,
        ApiKey.FIND_COORDINATOR,
    }
)
GROUP, TRANSACTION = 0, 1
"""Key types of FindCoordinator."""
_NOWHERE: Final = -1
_BROKERS_ONLY_SINCE: Final = 4
"""AddPartitionsToTxn of brokers."""


def keys_of(api: ApiKey, version: int, request: Any, key_type: int) -> list[str]:
    """The groups (key type 0) or transactional ids (1) that a decoded request is about."""
    if api is ApiKey.FIND_COORDINATOR:
        kind = request.key_type if version > 0 else GROUP
        asked = list(request.coordinator_keys or ()) if version >= 4 else [request.key]
        return asked if kind == key_type else []
    if api is ApiKey.OFFSET_FETCH and version >= 8:
        return [group.group_id for group in request.groups or ()]
    if api is ApiKey.ADD_PARTITIONS_TO_TXN:
        known = version < _BROKERS_ONLY_SINCE
        return [request.v3_and_below_transactional_id] if known else []
    name = request.group_id if key_type == GROUP else request.transactional_id
    return [] if name is None else [name]


def refusal(api: ApiKey, request: Any, error: ErrorCode) -> Any:
    """The response to a request about one group or transactional id."""
    kind: Any = response_class(api)
    if api is ApiKey.OFFSET_COMMIT or api is ApiKey.TXN_OFFSET_COMMIT:
        return kind(topics=[_committed(kind, topic, error) for topic in request.topics or ()])
    if api is ApiKey.ADD_PARTITIONS_TO_TXN:
        topics = request.v3_and_below_topics or ()
        return kind(results_by_topic_v3_and_below=[_added(topic, error) for topic in topics])
    if api is ApiKey.JOIN_GROUP:
        return kind(error_code=error, member_id=request.member_id, protocol_name="", leader="")
    return kind(error_code=error)


def denied(
    api: ApiKey, version: int, response: Any, lost: Callable[[str], bool], error: ErrorCode
) -> Any:
    """An answer to FindCoordinator or OffsetFetch that says `error` of those that are `lost`.

    Before several could be asked about, an answer does not name the one it is about: then `lost`
    is asked about "".
    """
    result = copy(response)
    if api is ApiKey.FIND_COORDINATOR:
        if version < 4:
            return _nowhere(response, error) if lost("") else response
        result.coordinators = [
            _nowhere(each, error) if lost(each.key) else each for each in response.coordinators
        ]
        return result
    if version >= 8:
        result.groups = [
            _with(each, error_code=error, topics=[]) if lost(each.group_id) else each
            for each in response.groups
        ]
        return result
    if version >= 2:
        return _with(response, error_code=error, topics=[]) if lost("") else response
    result.topics = [
        _with(topic, partitions=[_with(part, error_code=error) for part in topic.partitions])
        for topic in response.topics
    ]
    return result if lost("") else response


def _with(message: Any, **fields: Any) -> Any:
    told = copy(message)
    for name, value in fields.items():
        setattr(told, name, value)
    return told


def _nowhere(message: Any, error: ErrorCode) -> Any:
    return _with(message, error_code=error, node_id=_NOWHERE, host="", port=_NOWHERE)


def _committed(kind: Any, topic: Any, error: ErrorCode) -> Any:
    topic_kind, part_kind = _committed_kinds(kind)
    parts = [
        part_kind(partition_index=part.partition_index, error_code=error)
        for part in topic.partitions
    ]
    told = topic_kind(name=topic.name, partitions=parts)
    if hasattr(told, "topic_id"):
        told.topic_id = topic.topic_id
    return told


def _committed_kinds(kind: Any) -> tuple[Any, Any]:
    if hasattr(kind, "OffsetCommitResponseTopic"):
        topic = kind.OffsetCommitResponseTopic
        return topic, topic.OffsetCommitResponsePartition
    topic = kind.TxnOffsetCommitResponseTopic
    return topic, topic.TxnOffsetCommitResponsePartition


def _added(topic: Any, error: ErrorCode) -> Any:
    from codec.messages import add_partitions_to_txn as messages  # when it is first needed

    result = messages.AddPartitionsToTxnTopicResult
    part = result.AddPartitionsToTxnPartitionResult
    return result(
        name=topic.name,
        results_by_partition=[
            part(partition_index=index, partition_error_code=error) for index in topic.partitions
        ],
    )
