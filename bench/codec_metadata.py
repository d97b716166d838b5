"""Large Metadata responses for a virtual cluster: rewritten, next to decoded, edited and encoded.

    .venv/bin/python bench/codec_metadata.py [--quick]

10,000 partitions with three replicas each, in few topics or many, whose names differ in length. All
names lose their prefix, ids are asked about, brokers get the sidecar's address. Both ways give the
same bytes, and alternate: the ratio is the median over the rounds. The garbage collector is on and
all that was there before is frozen, as in a running sidecar; with it off the other way gains up to
a tenth where topics are many.

"Longest" is the most CPU time one rewriting took: meanwhile the event loop stands still. The lines
for 100,000 partitions are for information. Exit status 1 if a ratio is below 4, or 10,000
partitions take longer than 20 ms.
"""

import argparse
import gc
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from codec_messages import BROKERS, CLUSTER, CONTROLLER, codec, replicas

from codec.api_keys import ApiKey
from codec.messages.metadata import MetadataResponse

SHAPES = [(1, 10_000), (10, 1_000), (100, 100), (1_000, 10), (10_000, 1)]
"""Topics, and partitions of each."""
LARGE = [(1, 100_000), (1_000, 100), (100_000, 1)]
VERSIONS = (8, 12, 13)
PREFIX = "tenant-a."
LEAST_RATIO = 4.0
LONGEST_MS = 20.0


class Logical:
    """Hooks of a virtual cluster: its names lose the prefix, others go, the address is its own."""

    def __init__(self) -> None:
        self._prefix = PREFIX.encode()
        self._length = len(PREFIX)

    def topic(self, name: bytes) -> bytes | None:
        return name[self._length :] if name.startswith(self._prefix) else None

    group = transactional_id = topic

    def topic_id(self, topic_id: bytes) -> bytes:
        return topic_id

    text = topic_pattern = transactional_id_pattern = topic_id

    def broker(self, node_id: int, host: bytes, port: int) -> tuple[bytes, int]:
        return b"proxy.example", 19000 + node_id


HOOKS = Logical()


@dataclass(frozen=True)
class Result:
    """Milliseconds of the two ways, the ratio, and the longest rewriting."""

    rewritten: float
    decoded: float
    ratio: float
    longest: float


def response(topics: int, partitions: int) -> MetadataResponse:
    """The response of a cluster with that many."""
    rng = random.Random(topics)
    topic = MetadataResponse.MetadataResponseTopic
    broker = MetadataResponse.MetadataResponseBroker

    def partition(t: int, p: int) -> Any:
        nodes = replicas(t, p)
        return topic.MetadataResponsePartition(
            partition_index=p,
            leader_id=nodes[0],
            leader_epoch=7,
            replica_nodes=nodes,
            isr_nodes=nodes,
        )

    def name(t: int) -> str:
        return f"{PREFIX}{'payments.orders.retry.europe'[: rng.randint(3, 28)]}.{t}"

    return MetadataResponse(
        brokers=[broker(node_id=i, host=h, port=p, rack=r) for i, h, p, r in BROKERS],
        cluster_id=CLUSTER,
        controller_id=CONTROLLER,
        topics=[
            topic(
                name=name(t),
                topic_id=(t + 1).to_bytes(16, "big"),
                partitions=[partition(t, p) for p in range(partitions)],
            )
            for t in range(topics)
        ],
    )


def through_objects(body: bytes, version: int) -> bytes:
    """Decode, edit and encode."""
    message: Any = codec.decode_response(ApiKey.METADATA, version, body)
    for broker in message.brokers:
        broker.host, broker.port = "proxy.example", 19000 + broker.node_id
    kept = []
    for topic in message.topics:
        if topic.name is not None:
            if not topic.name.startswith(PREFIX):
                continue
            topic.name = topic.name[len(PREFIX) :]
        topic.topic_id = HOOKS.topic_id(topic.topic_id)
        kept.append(topic)
    message.topics = kept
    return codec.encode(message, version)


def rewritten(body: bytes, version: int) -> bytes:
    """Rewrite in the bytes."""
    return b"".join(codec.rewrite_response(ApiKey.METADATA, version, body, HOOKS))


def measure(topics: int, partitions: int, version: int, rounds: int) -> Result:
    """Time both ways in turns."""
    body = codec.encode(response(topics, partitions), version)
    if rewritten(body, version) != through_objects(body, version):
        sys.exit(f"Metadata v{version}: the two ways do not give the same")
    ours, theirs, held = [], [], []
    gc.collect()
    gc.freeze()
    try:
        for _ in range(rounds):
            begin = time.thread_time()
            ours.append(_milliseconds(rewritten, body, version))
            held.append(1000 * (time.thread_time() - begin))
            theirs.append(_milliseconds(through_objects, body, version))
    finally:
        gc.unfreeze()
    ratio = statistics.median(t / o for o, t in zip(ours, theirs, strict=True))
    return Result(statistics.median(ours), statistics.median(theirs), ratio, max(held))


def _milliseconds(function: Callable[[bytes, int], bytes], body: bytes, version: int) -> float:
    begin = time.perf_counter()
    function(body, version)
    return 1000 * (time.perf_counter() - begin)


def compare(rounds: int) -> int:
    """Print the table; how many lines of it fall short."""
    print("\nMetadata responses of a virtual cluster: rewritten, next to decode + edit + encode")
    print(
        f"{'topics x partitions':>21}  {'':3} {'rewritten':>9} {'decoded':>11} {'ratio':>6} longest"
    )
    short = 0
    for topics, partitions in SHAPES + LARGE:
        counts = (topics, partitions) in SHAPES
        for version in VERSIONS if counts else VERSIONS[1:2]:
            result = measure(topics, partitions, version, rounds if counts else 3)
            print(
                f"{topics:>9,} x {partitions:>9,}  v{version:<3}{result.rewritten:6.2f} ms"
                f" {result.decoded:8.2f} ms  x{result.ratio:5.2f} {result.longest:5.2f} ms"
            )
            if counts and (result.ratio < LEAST_RATIO or result.longest > LONGEST_MS):
                short += 1
    return short


def main() -> int:
    """Measure; the exit status."""
    parser = argparse.ArgumentParser(description="Rewrite large Metadata responses.")
    parser.add_argument("--quick", action="store_true", help="a few rounds only")
    return 1 if compare(7 if parser.parse_args().quick else 21) else 0


if __name__ == "__main__":
    sys.exit(main())
