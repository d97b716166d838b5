"""Record batches made and read by aiokafka, whose code for them owes nothing to ours."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

import codec
from codec.api_keys import ApiKey
from codec.messages.fetch import FetchResponse
from codec.records.batch import read_batch_headers, set_base_offset, set_leader_epoch
from sidecar.faults.base import Answered, Asked, Connection
from tests.support.messages import produce, topic_id

T = 1_700_000_000_000
HEADERS = [("trace", b"1"), ("empty", None)]
NOBODY = (-1, -1, -1)
TOPIC = FetchResponse.FetchableTopicResponse


class Seen(NamedTuple):
    """A record as a client reads it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def batch(
    values: Sequence[bytes | None],
    *,
    base: int = 0,
    compression: int = 0,
    producer: tuple[int, int, int] = NOBODY,
    transactional: bool = False,
    leader_epoch: int = -1,
) -> bytes:
    """A batch with these values, a millisecond apart; producer id, epoch and sequence."""
    producer_id, epoch, sequence = producer
    builder = DefaultRecordBatchBuilder(
        2, compression, transactional, producer_id, epoch, sequence, 1 << 26
    )
    for n, value in enumerate(values):
        builder.append(n, T + n, b"key%d" % n, value, HEADERS)
    blob = bytearray(builder.build())
    [header] = read_batch_headers(blob)
    set_base_offset(blob, header, base)
    set_leader_epoch(blob, header, leader_epoch)
    return bytes(blob)


def seen(blob: Any) -> list[Seen]:
    """All records; every checksum is right."""
    found = []
    records = MemoryRecords(bytes(blob))
    while (each := records.next_batch()) is not None:
        assert each.validate_crc()
        found += [Seen(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in each]
    return found


def values(blob: Any) -> list[bytes | None]:
    """The values of all records."""
    return [record.value for record in seen(blob)]


def produced(topics: dict[str, dict[int, bytes | None]], version: int = 9) -> Any:
    """A Produce request as it was read, topics by name."""
    body = codec.encode(produce(topics), version)
    return codec.decode_request(ApiKey.PRODUCE, version, body)


def fetched(
    topics: dict[str, dict[int, bytes | None]],
    *,
    aborted: Sequence[tuple[int, int]] = (),
    error: int = 0,
) -> FetchResponse:
    """A Fetch response; aborted transactions by producer id and first offset."""
    part = TOPIC.PartitionData
    transactions = [
        part.AbortedTransaction(producer_id=who, first_offset=first) for who, first in aborted
    ]
    return FetchResponse(
        responses=[
            TOPIC(
                topic=name,
                topic_id=topic_id(name),
                partitions=[
                    part(
                        partition_index=index,
                        error_code=error,
                        records=records,
                        aborted_transactions=transactions,
                    )
                    for index, records in partitions.items()
                ],
            )
            for name, partitions in topics.items()
        ]
    )


def read_back(response: Any, version: int = 12) -> Any:
    """A Fetch response as it was read."""
    return codec.decode_response(ApiKey.FETCH, version, codec.encode(response, version))


def asked(request: Any, chances: Sequence[float] = (), connection: Any = None) -> Asked:
    """A Produce request for a rule, with these draws and no others."""
    return Asked(ApiKey.PRODUCE, 9, request, iter(chances).__next__, connection or Connection())


def answered(response: Any, chances: Sequence[float] = (), connection: Any = None) -> Answered:
    """A Fetch response for a rule, with these draws and no others."""
    return Answered(ApiKey.FETCH, 12, response, iter(chances).__next__, connection or Connection())


def blobs(message: Any) -> dict[tuple[str, int], Any]:
    """The records in a Produce request or a Fetch response, by topic and partition."""
    if hasattr(message, "topic_data"):
        return {
            (topic.name, p.index): p.records
            for topic in message.topic_data
            for p in topic.partition_data
        }
    return {
        (topic.topic, p.partition_index): p.records
        for topic in message.responses
        for p in topic.partitions
    }
