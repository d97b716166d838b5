"""From a decision to the records of what was done, one per topic-partition it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.errors import DecodeError
from codec.headers import RequestHeader
from codec.records.batch import BatchHeader, read_batch_headers
from codec.schema import Request
from sidecar.dataplane.pipeline import Stage
from sidecar.faults.base import (
    Answer,
    Change,
    Delay,
    Deny,
    Disconnect,
    Refuse,
    Swallow,
    Throttle,
)
from sidecar.model.identity import Identity
from sidecar.model.injection import Injection

_TEXT_LIMIT: Final = 512
"""Bytes of each free text of a client in an event: an event must fit into one pipe write."""
_LONGEST_ESCAPE: Final = 6
"""Bytes of a character in JSON, at most: ``\\u0000``."""


Injected = Answer | Refuse | Deny | Disconnect | Swallow | Throttle | Delay | Change
"""Decisions that are put on record."""
REJECT: Final = "REJECT"
DISCONNECT: Final = "DISCONNECT"
APPEND_THEN_REJECT: Final = "APPEND_THEN_REJECT"
APPEND_THEN_DISCONNECT: Final = "APPEND_THEN_DISCONNECT"
SWALLOW: Final = "SWALLOW"
APPEND_THEN_SWALLOW: Final = "APPEND_THEN_SWALLOW"
THROTTLE: Final = "THROTTLE"
DELAY: Final = "DELAY"
CHANGE_REQUEST: Final = "CHANGE_REQUEST"
CHANGE_RESPONSE: Final = "CHANGE_RESPONSE"


def outcome_of(decision: Injected, *, response: bool = False) -> str:
    """What events call it."""
    match decision:
        case Answer() | Refuse():
            return REJECT
        case Deny(appended=appended):
            return APPEND_THEN_REJECT if appended else REJECT
        case Disconnect(appended=appended):
            return APPEND_THEN_DISCONNECT if appended else DISCONNECT
        case Swallow(appended=appended):
            return APPEND_THEN_SWALLOW if appended else SWALLOW
        case Throttle():
            return THROTTLE
        case Delay():
            return DELAY
        case Change():
            return CHANGE_RESPONSE if response else CHANGE_REQUEST


@dataclass(slots=True)
class Peer:
    """What is known about the client of a connection.

    Args:
        connection_id: unique within the process.
        broker_id: whose listener it is connected to.
        identity: None until it has authenticated.
        client_id: of its latest request that was looked at; None before the first, and empty where
            it has none.
    """

    connection_id: int
    broker_id: int
    identity: Identity | None = None
    client_id: str | None = None
    client_software_name: str | None = None
    client_software_version: str | None = None


def injections(
    *, header: RequestHeader, message: Any, decision: Injected, **common: Any
) -> list[Injection]:
    """Records of one decision about a decoded message; `common` as for `injection`."""
    if isinstance(decision, Delay | Throttle):
        place = _only_part(ApiKey(header.api_key), message)
        return [injection(header=header, decision=decision, **place, **common)]
    whole = isinstance(decision, Deny | Disconnect) and not decision.parts
    if whole and (common.get("response") or isinstance(decision, Deny)):
        return [injection(header=header, decision=decision, **common)]
    if isinstance(decision, Change | Deny) or (isinstance(decision, Disconnect) and decision.parts):
        return [
            injection(
                header=header,
                decision=decision,
                topic=part.topic,
                partition=part.partition,
                acks=getattr(message, "acks", None),
                records_changed=part.records,
                **common,
            )
            for part in decision.parts
        ]
    parts = _parts(ApiKey(header.api_key), message) or [{}]
    return [injection(header=header, decision=decision, **part, **common) for part in parts]


def count_parts(api: ApiKey, message: Any) -> int:
    """Topic-partitions that a decoded request names."""
    if api is ApiKey.PRODUCE:
        return sum(len(topic.partition_data or ()) for topic in message.topic_data or ())
    if api is ApiKey.FETCH:
        return sum(len(topic.partitions or ()) for topic in message.topics or ())
    return 0


def _parts(api: ApiKey, message: Any) -> list[dict[str, Any]]:
    """What is known of each topic-partition that a decoded request names."""
    if api is ApiKey.PRODUCE:
        return [
            {
                "topic": topic.name,
                "partition": partition.index,
                "acks": message.acks,
                "batches": _batches(partition.records),
            }
            for topic in message.topic_data or ()
            for partition in topic.partition_data or ()
        ]
    if api is ApiKey.FETCH:
        return [
            {"topic": topic.topic, "partition": partition.partition}
            for topic in message.topics or ()
            for partition in topic.partitions or ()
        ]
    return []


def _only_part(api: ApiKey, message: Any) -> dict[str, Any]:
    """As `_parts`, of a request that is told of as a whole: if it names one only, that."""
    if isinstance(message, Request) and count_parts(api, message) == 1:
        return _parts(api, message)[0]
    return {"acks": message.acks} if hasattr(message, "acks") else {}


def injection(
    *,
    peer: Peer,
    identity: Identity,
    header: RequestHeader,
    stage: Stage,
    draw: int,
    reason: str,
    decision: Injected,
    now: float,
    response: bool = False,
    topic: str | None = None,
    partition: int | None = None,
    acks: int | None = None,
    batches: Sequence[BatchHeader] = (),
    records_changed: int | None = None,
) -> Injection:
    """The record of one decision about one partition, or about a request."""
    first = batches[0] if batches and batches[0].magic == 2 else None
    error = ErrorCode.NONE
    if not isinstance(decision, Delay | Throttle | Change):
        error = decision.error
    hints = decision.hints if isinstance(decision, Answer | Refuse | Deny) else {}
    hint = hints.get((topic, partition)) if topic is not None and partition is not None else None
    seconds = decision.seconds if isinstance(decision, Delay | Swallow) else None
    return Injection(
        time=now,
        interceptor=stage.interceptor.name,
        interceptor_uid=stage.interceptor.uid,
        fault=stage.kind,
        rung=stage.rule.rung,
        outcome=outcome_of(decision, response=response),
        error=error.name,
        error_code=int(error),
        virtual_cluster=identity.virtual_cluster,
        principal=identity.username,
        connection_id=peer.connection_id,
        client_id=_short(header.client_id),
        client_software_name=_short(peer.client_software_name),
        client_software_version=_short(peer.client_software_version),
        broker_id=peer.broker_id,
        api=ApiKey(header.api_key).name,
        version=header.api_version,
        correlation_id=header.correlation_id,
        topic=_short(topic),
        partition=partition,
        acks=acks,
        batch_count=len(batches),
        record_count=sum(b.records_count for b in batches) if first else None,
        producer_id=first.producer_id if first and first.producer_id >= 0 else None,
        producer_epoch=first.producer_epoch if first and first.producer_id >= 0 else None,
        base_sequence=first.base_sequence if first and first.producer_id >= 0 else None,
        draw=draw,
        reason=reason,
        seed=stage.interceptor.seed,
        leader_id=None if hint is None else hint.leader_id,
        leader_epoch=None if hint is None else hint.leader_epoch,
        delay_ms=None if seconds is None else round(seconds * 1000),
        records_changed=records_changed,
        coordinator_key=_short(decision.key) if isinstance(decision, Answer | Deny) else None,
    )


def _batches(records: Any) -> list[BatchHeader]:
    """Batch headers, or none where the records are not what they should be."""
    if not records:
        return []
    try:
        return list(read_batch_headers(records))
    except DecodeError:
        return []


def _short(text: str | None) -> str | None:
    """Text that takes at most `_TEXT_LIMIT` bytes in a JSON line, escaped as it may have to be."""
    if text is None or len(text) * _LONGEST_ESCAPE <= _TEXT_LIMIT:
        return text
    size = 0
    for place, character in enumerate(text):
        size += _LONGEST_ESCAPE if _is_escaped(character) else len(character.encode())
        if size > _TEXT_LIMIT:
            return text[:place] + "…"
    return text


def _is_escaped(character: str) -> bool:
    return character < " " or character in '"\\' or "\ud800" <= character <= "\udfff"
