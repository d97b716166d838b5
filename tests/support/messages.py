"""Requests and responses as the bytes a peer would send, and back."""

from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct, pack
from typing import Any

import codec
from codec.frames import FrameDecoder, frame
from codec.headers import (
    read_request_header,
    request_header,
    response_body_start,
    response_correlation_id,
    response_header,
)
from codec.messages.produce import ProduceRequest
from codec.records.crc32c import crc32c
from codec.schema import Message

_BATCH = Struct(">qiibIhiqqqhii")
_CRC_FROM = 21


def request(
    message: Message, version: int, correlation_id: int = 1, client_id: str | None = "app"
) -> bytes:
    """A request frame without its size."""
    head = request_header(message.API_KEY, version, correlation_id, client_id)
    return head + codec.encode(message, version)


def response(message: Message, version: int, correlation_id: int = 1) -> bytes:
    """A response frame without its size."""
    head = response_header(message.API_KEY, version, correlation_id)
    return head + codec.encode(message, version)


def sized(data: bytes) -> bytes:
    """A frame as it goes over the wire."""
    return b"".join(frame(data))


def frames(chunks: Iterable[Any]) -> list[bytes]:
    """The frames in buffers that were to be sent, without their sizes."""
    decoder = FrameDecoder(1 << 31)
    found = list(decoder.feed(b"".join(chunks)))
    assert not len(decoder), "the buffers end inside a frame"
    return found


def read_request(data: bytes) -> tuple[int, Any]:
    """Correlation id and message of a request frame."""
    header = read_request_header(data)
    body = data[header.body_start :]
    return header.correlation_id, codec.decode_request(header.api_key, header.api_version, body)


def read_response(api_key: int, version: int, data: bytes) -> tuple[int, Any]:
    """Correlation id and message of a response frame; every byte must be understood."""
    body = data[response_body_start(api_key, version, data) :]
    message = codec.decode_response(api_key, version, body)
    assert not message.trailing
    return response_correlation_id(data), message


def batch(
    records: int = 1,
    *,
    producer_id: int = -1,
    producer_epoch: int = -1,
    base_sequence: int = -1,
    payload: bytes = b"not really records",
) -> bytes:
    """A record batch v2 with a true checksum; its payload is opaque."""
    producer = (producer_id, producer_epoch, base_sequence)
    length = _BATCH.size - 12 + len(payload)
    head = _BATCH.pack(0, length, -1, 2, 0, 0, records - 1, 0, 0, *producer, records)
    data = bytearray(head + payload)
    data[17:21] = pack(">I", crc32c(bytes(data[_CRC_FROM:])))
    return bytes(data)


def topic_id(name: str) -> bytes:
    """The id that topics of this name have in tests."""
    return blake2b(name.encode(errors="surrogateescape"), digest_size=16).digest()


def produce(
    topics: dict[str, dict[int, bytes | None]] | None = None,
    *,
    acks: int = -1,
    transactional_id: str | None = None,
) -> ProduceRequest:
    """A Produce request: records by topic and partition; one batch for `cars` 0 by default."""
    topic_data = ProduceRequest.TopicProduceData
    wanted = {"cars": {0: batch()}} if topics is None else topics
    return ProduceRequest(
        transactional_id=transactional_id,
        acks=acks,
        timeout_ms=30_000,
        topic_data=[
            topic_data(
                name=name,
                topic_id=topic_id(name),
                partition_data=[
                    topic_data.PartitionProduceData(index=index, records=records)
                    for index, records in partitions.items()
                ],
            )
            for name, partitions in wanted.items()
        ],
    )
