"""The four messages of codec_peers.py, as plain data and as messages of the codec."""

import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import codec
from codec.messages.fetch import FetchResponse
from codec.messages.metadata import MetadataResponse
from codec.messages.produce import ProduceRequest, ProduceResponse

TOPIC = "tenant-a.orders.0001"
BATCH = bytes(i * 31 + 7 & 255 for i in range(1024))
BROKERS = [(i, f"broker-{i}.kafka.internal.example", 9092, f"az-{i % 3}") for i in range(1, 7)]
TOPIC_COUNT = 100
PARTITIONS = range(10)
THROTTLE, SESSION, CONTROLLER, CLUSTER = 0, 1234567, 3, "lkc-3XzTq0aPQk2"
NO_OPERATIONS = -(1 << 31)

METADATA = "Metadata response"
PRODUCE_REQUEST = "Produce request"
PRODUCE_RESPONSE = "Produce response"
FETCH = "Fetch response"


@dataclass(frozen=True)
class Case:
    """One message in one version: two functions to be timed."""

    version: int
    encode: Callable[[], bytes]
    decode: Callable[[bytes], Any]


Peer = dict[str, Case]


def topics() -> Iterator[tuple[str, uuid.UUID]]:
    """Names and ids of the topics in the Metadata response."""
    for i in range(TOPIC_COUNT):
        yield f"tenant-a.orders.{i:04}", uuid.UUID(int=0x123456789ABCDEF0 << 64 | i + 1)


def replicas(topic: int, partition: int) -> list[int]:
    """The brokers of one partition; the first is its leader."""
    return [1 + (topic + partition + k) % len(BROKERS) for k in range(3)]


def our_metadata() -> MetadataResponse:
    """The Metadata response."""
    topic = MetadataResponse.MetadataResponseTopic
    broker = MetadataResponse.MetadataResponseBroker

    def partition(t: int, p: int) -> Any:
        brokers = replicas(t, p)
        return topic.MetadataResponsePartition(
            partition_index=p,
            leader_id=brokers[0],
            leader_epoch=7,
            replica_nodes=brokers,
            isr_nodes=brokers,
        )

    return MetadataResponse(
        brokers=[broker(node_id=i, host=h, port=p, rack=r) for i, h, p, r in BROKERS],
        cluster_id=CLUSTER,
        controller_id=CONTROLLER,
        topics=[
            topic(name=name, topic_id=id_.bytes, partitions=[partition(t, p) for p in PARTITIONS])
            for t, (name, id_) in enumerate(topics())
        ],
    )


def our_messages() -> dict[str, codec.Message]:
    """All four."""
    data = ProduceRequest.TopicProduceData
    produced = ProduceResponse.TopicProduceResponse
    fetched = FetchResponse.FetchableTopicResponse
    return {
        METADATA: our_metadata(),
        PRODUCE_REQUEST: ProduceRequest(
            acks=-1,
            timeout_ms=30000,
            topic_data=[
                data(
                    name=TOPIC,
                    partition_data=[
                        data.PartitionProduceData(index=p, records=BATCH) for p in PARTITIONS
                    ],
                )
            ],
        ),
        PRODUCE_RESPONSE: ProduceResponse(
            responses=[
                produced(
                    name=TOPIC,
                    partition_responses=[
                        produced.PartitionProduceResponse(
                            index=p, base_offset=1000 + p, log_start_offset=5
                        )
                        for p in PARTITIONS
                    ],
                )
            ]
        ),
        FETCH: FetchResponse(
            session_id=SESSION,
            responses=[
                fetched(
                    topic=TOPIC,
                    partitions=[
                        fetched.PartitionData(
                            partition_index=p,
                            high_watermark=1000 + p,
                            last_stable_offset=1000 + p,
                            log_start_offset=5,
                            aborted_transactions=None,
                            records=b"",
                        )
                        for p in PARTITIONS
                    ],
                )
            ],
        ),
    }


def our_case(message: codec.Message, version: int) -> Case:
    """The codec on one message, through its public functions."""
    key = int(message.API_KEY)
    decode = codec.decode_request if message.IS_REQUEST else codec.decode_response
    return Case(
        version, lambda: codec.encode(message, version), lambda body: decode(key, version, body)
    )


class Renaming:
    """Hooks of a tenant: every topic gets a prefix, every broker another address."""

    def topic(self, name: bytes) -> bytes | None:
        return b"tenant-b." + name

    group = transactional_id = topic

    def text(self, message: bytes) -> bytes:
        return message

    topic_id = topic_pattern = transactional_id_pattern = text

    def broker(self, node_id: int, host: bytes, port: int) -> tuple[bytes, int]:
        return b"proxy.example", 19000 + node_id


def our_rewrite(message: codec.Message, version: int) -> Callable[[bytes], Any]:
    """Renaming of one message in its bytes."""
    key, hooks = int(message.API_KEY), Renaming()
    rewrite = codec.rewrite_request if message.IS_REQUEST else codec.rewrite_response
    return lambda body: rewrite(key, version, body, hooks)
