"""From a refused Produce request to the records of what was done, one per topic-partition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from codec.api_keys import ApiKey
from codec.errors import DecodeError
from codec.headers import RequestHeader
from codec.records.batch import BatchHeader, read_batch_headers
from sidecar.dataplane.pipeline import Stage
from sidecar.faults.base import Answer, Disconnect
from sidecar.model.identity import Identity
from sidecar.model.injection import Injection

_TEXT_LIMIT: Final = 512
"""Bytes of each free text of a client in an event: an event must fit into one pipe write."""
_LONGEST_ESCAPE: Final = 6
"""Bytes of a character in JSON, at most: ``\\u0000``."""


@dataclass(slots=True)
class Peer:
    """What is known about the client of a connection.

    Args:
        connection_id: unique within the process.
        broker_id: whose listener it is connected to.
        identity: None until it has authenticated.
    """

    connection_id: int
    broker_id: int
    identity: Identity | None = None
    client_software_name: str | None = None
    client_software_version: str | None = None


def injections(*, header: RequestHeader, request: Any, **common: Any) -> list[Injection]:
    """Records of one decision about a decoded Produce request; `common` as for `injection`."""
    return [
        injection(
            header=header,
            topic=topic.name,
            partition=partition.index,
            acks=request.acks,
            batches=_batches(partition.records),
            **common,
        )
        for topic in request.topic_data
        for partition in topic.partition_data
    ]


def injection(
    *,
    peer: Peer,
    identity: Identity,
    header: RequestHeader,
    stage: Stage,
    draw: int,
    reason: str,
    decision: Answer | Disconnect,
    now: float,
    topic: str,
    partition: int,
    acks: int,
    batches: Sequence[BatchHeader],
) -> Injection:
    """The record of one decision about one partition."""
    first = batches[0] if batches and batches[0].magic == 2 else None
    return Injection(
        time=now,
        interceptor=stage.interceptor.name,
        interceptor_uid=stage.interceptor.uid,
        fault=stage.rule.kind,
        rung=stage.rule.rung,
        outcome="DISCONNECT" if isinstance(decision, Disconnect) else "REJECT",
        error=decision.error.name,
        error_code=int(decision.error),
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
        topic=_short(topic) or "",
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
        leader_id=None,
        leader_epoch=None,
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
