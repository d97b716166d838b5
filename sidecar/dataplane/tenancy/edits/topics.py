"""DeleteTopics: an alias is another name for somebody else's topic, and does not delete it.

Such a topic, by name or by id, is answered with TOPIC_AUTHORIZATION_FAILED; the others are deleted.
A topic of one's own that an alias hides has no name here, and its id is nobody's.
"""

from typing import Any, Final

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.schema import ZERO_UUID, Response, Struct
from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.edits.refused import all_refused, put_in, refusal, take_out
from sidecar.dataplane.tenancy.exchange import Exchange, decoded, encoded

_IDS_SINCE: Final = 6
_TEXT: Final = "Topic authorization failed."


def _request(request: Any, version: int, exchange: Exchange) -> Response | None:
    if exchange.names.plain:
        return None

    def refuse(name: str | None, topic_id: bytes = ZERO_UUID) -> Struct | None:
        meant = (name, _name(topic_id, exchange))
        alias = next((n for n in meant if n is not None and _is_alias(n, exchange)), None)
        if alias is None:
            return None
        error = ErrorCode.TOPIC_AUTHORIZATION_FAILED
        return refusal(
            ApiKey.DELETE_TOPICS, "responses", error, _TEXT, name=alias, topic_id=topic_id
        )

    if version >= _IDS_SINCE:
        request.topics, refused = take_out(request.topics, lambda t: refuse(t.name, t.topic_id))
        left = request.topics
    else:
        request.topic_names, refused = take_out(request.topic_names, refuse)
        left = request.topic_names
    if refused and not left:
        return all_refused(ApiKey.DELETE_TOPICS, "responses", refused)
    exchange.kept = refused
    return None


def _is_alias(name: str, exchange: Exchange) -> bool:
    return exchange.names.is_alias(encoded(name))


def _name(topic_id: bytes, exchange: Exchange) -> str | None:
    physical = exchange.directory.name(topic_id)
    logical = None if physical is None else exchange.names.logical_topic(physical)
    return None if logical is None else decoded(logical)


def _response(response: Any, version: int, exchange: Exchange) -> None:
    refused = exchange.kept or {}
    for answer in refused.values():
        # As a broker says it: what comes next spells it as the client does.
        answer.name = decoded(exchange.names.physical_topic(encoded(answer.name)))
    response.responses = put_in(response.responses, refused)


DELETE_TOPICS = Edit(_request, _response)
