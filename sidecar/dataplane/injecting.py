"""From a refused Produce request to the records of what was done, one per topic-partition."""

from dataclasses import dataclass
from typing import Any

from codec.api_keys import ApiKey
from codec.errors import DecodeError
from codec.headers import RequestHeader
from codec.records.batch import BatchHeader, read_batch_headers
from sidecar.dataplane.pipeline import Stage
from sidecar.faults.base import Answer, Disconnect
from sidecar.model.identity import Identity
from sidecar.model.injection import Injection

_TEXT_LIMIT = 256
"""Characters of a client's free text in an event: an event must fit into one pipe write."""


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


def injections(
    *,
    peer: Peer,
    identity: Identity,
    header: RequestHeader,
    request: Any,
    stage: Stage,
    draw: int,
    reason: str,
    decision: Answer | Disconnect,
    now: float,
) -> list[Injection]:
    """Records of one decision about a decoded Produce request."""
    return [
        _injection(
            peer,
            identity,
            header,
            request,
            stage,
            draw,
            reason,
            decision,
            now,
            topic.name,
            partition,
        )
        for topic in request.topic_data
        for partition in topic.partition_data
    ]


def _injection(
    peer: Peer,
    identity: Identity,
    header: RequestHeader,
    request: Any,
    stage: Stage,
    draw: int,
    reason: str,
    decision: Answer | Disconnect,
    now: float,
    topic: str,
    partition: Any,
) -> Injection:
    batches = _batches(partition.records)
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
        partition=partition.index,
        acks=request.acks,
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
    return text if text is None or len(text) <= _TEXT_LIMIT else text[:_TEXT_LIMIT] + "…"
