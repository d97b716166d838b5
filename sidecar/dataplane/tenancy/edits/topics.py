"""Topics: what deletes them, what lists them a page at a time, and an error that names others.

An alias is another name for somebody else's topic, which can be used and not deleted: by name or
by id, DeleteTopics refuses it as a broker refuses who lacks the right.

DescribeTopicPartitions without topics lists all of them in the order of names, so the own ones are
asked for from the prefix on, and end at the first that is not. Alias topics have their physical
names anywhere before or behind; they come on pages of their own, after the last of the own topics.
"""

import re
from typing import Any, Final

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.schema import Response
from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.edits.refused import all_refused, put_in, refusal, take_out
from sidecar.dataplane.tenancy.exchange import Exchange, decoded, encoded

_TOPIC_REFUSED: Final = "Topic authorization failed."
_BY_ID_SINCE: Final = 6

# DeleteTopics


def _delete_request(request: Any, version: int, exchange: Exchange) -> Response | None:
    def refuse(topic: Any) -> Any:
        ids = {"topic_id": topic.topic_id} if by_id else {}
        name = topic.name if by_id else topic
        if not _is_alias(name, ids.get("topic_id"), exchange):
            return None
        error = ErrorCode.TOPIC_AUTHORIZATION_FAILED
        return refusal(ApiKey.DELETE_TOPICS, "responses", error, _TOPIC_REFUSED, name=name, **ids)

    by_id = version >= _BY_ID_SINCE
    array = "topics" if by_id else "topic_names"
    topics, exchange.kept = take_out(getattr(request, array), refuse)
    if exchange.kept and not topics:
        return all_refused(ApiKey.DELETE_TOPICS, "responses", exchange.kept)
    setattr(request, array, topics)
    return None


def _is_alias(name: str | None, topic_id: bytes | None, exchange: Exchange) -> bool:
    names = exchange.names
    if name is not None:
        return names.is_alias(names.physical_topic(encoded(name)))
    physical = None if topic_id is None else exchange.directory.name(topic_id)
    return physical is not None and names.is_alias(physical)


def _delete_response(response: Any, version: int, exchange: Exchange) -> None:
    refused = exchange.kept or {}
    for result in refused.values():
        if result.name is not None:
            result.name = exchange.topic(result.name)
    response.responses = put_in(response.responses, refused)


DELETE_TOPICS: Final = Edit(_delete_request, _delete_response)


# CreateTopics

_COLLISION: Final = re.compile(r"(collides with existing topics?): (.*)", re.DOTALL)
"""Kafka's words for a name that differs from another in '.' and '_' only."""


def _create_response(response: Any, version: int, exchange: Exchange) -> None:
    def shown(match: re.Match[str]) -> str:
        found = (exchange.logical_topic(name.strip()) for name in match[2].split(","))
        own = ", ".join(name for name in found if name)
        return f"{match[1]}: {own}" if own else match[1]

    for topic in response.topics:
        if topic.error_message:
            topic.error_message = _COLLISION.sub(shown, topic.error_message)


CREATE_TOPICS: Final = Edit(response=_create_response)


# DescribeTopicPartitions

_FIRST: Final = "!"
"""Comes before every name that a topic can have, and is none itself."""
_ALL, _ALIASES = "all", "aliases"


def _describe_request(request: Any, version: int, exchange: Exchange) -> None:
    if request.topics:
        return
    exchange.kept = _ALL
    cursor = request.cursor
    if cursor is None or not cursor.topic_name:
        request.cursor = _cursor(_FIRST)
    elif _is_alias(cursor.topic_name, None, exchange):
        # The broker wants the cursor's topic among those asked for, and skips what is before it.
        exchange.kept = _ALIASES
        aliases = (exchange.logical_topic(decoded(name)) for name in exchange.names.alias_topics)
        request.topics = [request.TopicRequest(name=name) for name in aliases]


def _describe_response(response: Any, version: int, exchange: Exchange) -> None:
    cursor = response.next_cursor
    if exchange.kept == _ALL:
        # An alias that happens to stand behind the own topics has its turn later.
        response.topics = [t for t in response.topics if t.name and _is_own(t.name, exchange)]
        cursor = _next(cursor, exchange)
    elif exchange.kept == _ALIASES:
        # Who asks for all topics is not told of one that does not exist.
        unknown = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        response.topics = [t for t in response.topics if t.error_code != unknown]
    if cursor is not None and exchange.logical_topic(cursor.topic_name) is None:
        cursor = None
    response.next_cursor = cursor


def _next(cursor: Any, exchange: Exchange) -> Any:
    """Where the list of all topics goes on: among the own ones, or with the aliases."""
    if cursor is not None and _is_own(cursor.topic_name, exchange):
        if exchange.logical_topic(cursor.topic_name) is None:
            # An alias has taken its name: the one behind it.
            return _cursor(cursor.topic_name + _FIRST)
        return cursor
    aliases = exchange.names.alias_topics
    return _cursor(decoded(aliases[0])) if aliases else None


def _is_own(name: str, exchange: Exchange) -> bool:
    physical = encoded(name)
    return physical.startswith(exchange.names.prefix) and not exchange.names.is_alias(physical)


def _cursor(topic: str) -> Any:
    # Imported when needed, as all messages are.
    from codec.messages.describe_topic_partitions import Cursor

    return Cursor(topic_name=topic, partition_index=0)


DESCRIBE_TOPIC_PARTITIONS: Final = Edit(_describe_request, _describe_response)
