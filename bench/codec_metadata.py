"""What large Metadata responses of a virtual cluster cost: rewritten, next to the way over objects.

    .venv/bin/python bench/codec_metadata.py [--quick]

10,000 partitions with three replicas each, in few topics or many. The hooks are those of a virtual
cluster: all names lose its prefix, the directory learns which topic an id is of, brokers get the
sidecar's address. The other way is to decode, do the same to the message, and encode. Both give the
same bytes, and alternate: the ratio is the median over the rounds. The garbage collector is on, and
what was there before is frozen, as in a running sidecar: objects have to pay for it, bytes do not.
`--no-gc` turns it off.

Meanwhile the event loop stands still. "Longest" is the most processor time that one rewriting took,
and "session" the most from the whole frame of the broker to what is sent to the client
(`Session.on_response`, where the directory knows nothing yet). Lines with 100,000 partitions, with
topics of others only, and with partitions that have unequally many replicas are for information.

Exit status 1 if 10,000 partitions are rewritten less than four times as fast as the other way, or
hold the loop longer than 20 ms.
"""

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from codec_messages import BROKERS, CLUSTER, CONTROLLER, codec

from codec.api_keys import ApiKey
from codec.messages.metadata import MetadataRequest, MetadataResponse
from sidecar.dataplane.addresses import AddressBook, Broker
from sidecar.dataplane.tenancy.exchange import Exchange, decoded, encoded
from sidecar.dataplane.tenancy.hooks import Learning
from sidecar.dataplane.tenancy.names import Names
from sidecar.dataplane.tenancy.topic_ids import Masks, TopicDirectory
from tests.support.messages import response
from tests.support.sessions import TENANT, tenant

VERSIONS = (8, 12, 13)
IDS_SINCE = 10
LEAST_RATIO = 4.0
LONGEST_MS = 20.0


@dataclass(frozen=True)
class Shape:
    """Topics, partitions of each, and whose topics they are.

    Args:
        replicas: how many partitions have, in turns.
        held: whether it has to keep to the bars.
    """

    topics: int
    partitions: int
    prefix: str = str(TENANT.virtual_cluster)
    replicas: tuple[int, ...] = (3,)
    note: str = ""
    held: bool = True


SHAPES = [
    Shape(1, 10_000),
    Shape(10, 1_000),
    Shape(100, 100),
    Shape(1_000, 10),
    Shape(10_000, 1),
    Shape(1, 10_000, replicas=(1, 2, 3), note="unequal replicas", held=False),
    Shape(10_000, 1, prefix="teamB", note="of others", held=False),
    Shape(1, 100_000, held=False),
    Shape(10_000, 10, held=False),
    Shape(100_000, 1, held=False),
]


def message(shape: Shape) -> MetadataResponse:
    """The response of a cluster of this shape."""
    topic = MetadataResponse.MetadataResponseTopic
    broker = MetadataResponse.MetadataResponseBroker

    def partition(t: int, p: int) -> Any:
        count = shape.replicas[p % len(shape.replicas)]
        nodes = [1 + (t + p + k) % len(BROKERS) for k in range(count)]
        return topic.MetadataResponsePartition(
            partition_index=p,
            leader_id=nodes[0],
            leader_epoch=7,
            replica_nodes=nodes,
            isr_nodes=nodes,
        )

    return MetadataResponse(
        brokers=[broker(node_id=i, host=h, port=p, rack=r) for i, h, p, r in BROKERS],
        cluster_id=CLUSTER,
        controller_id=CONTROLLER,
        topics=[
            topic(
                name=f"{shape.prefix}{'payments-orders-retry'[: 6 + t % 16]}.{t}",
                topic_id=(t + 1).to_bytes(16, "big"),
                partitions=[partition(t, p) for p in range(shape.partitions)],
            )
            for t in range(shape.topics)
        ],
    )


class Ways:
    """The two ways for the body of one response."""

    def __init__(self, body: bytes, version: int) -> None:
        self.body = body
        self.version = version
        self._names = Names(str(TENANT.virtual_cluster))
        self._directory = TopicDirectory()
        self._book = AddressBook("sidecar", 6969)
        self._book.learn(Broker(node, host, port) for node, host, port, _ in BROKERS)

    def _hooks(self) -> Learning:
        exchange = Exchange(self._names, self._directory, Masks(b""))
        return Learning(exchange, self._book.advertised)

    def rewrite(self) -> bytes:
        """In the bytes."""
        chunks = codec.rewrite_response(ApiKey.METADATA, self.version, self.body, self._hooks())
        return b"".join(chunks)

    def over_objects(self) -> bytes:
        """Decoded, edited and encoded."""
        hooks = self._hooks()
        made: Any = codec.decode_response(ApiKey.METADATA, self.version, self.body)
        for broker in made.brokers:
            host, broker.port = hooks.broker(broker.node_id, encoded(broker.host), broker.port)
            broker.host = decoded(host)
        kept = []
        for topic in made.topics:
            name = hooks.topic(encoded(topic.name))
            if self.version >= IDS_SINCE:
                topic.topic_id = hooks.topic_id(topic.topic_id)
            if name is not None:
                topic.name = decoded(name)
                kept.append(topic)
        made.topics = kept
        return codec.encode(made, self.version)


@dataclass(frozen=True)
class Result:
    """Medians of the two ways and the longest stretches, in ms; and the median of the ratios."""

    rewritten: float
    over_objects: float
    ratio: float
    longest: float
    session: float


def measure(shape: Shape, version: int, rounds: int, *, collector: bool) -> Result:
    """Time both ways in turns, and the session."""
    made = message(shape)
    ways = Ways(codec.encode(made, version), version)
    if ways.rewrite() != ways.over_objects():
        sys.exit(f"Metadata v{version}: the two ways do not give the same")
    ours, theirs, stretches = [], [], []
    frame = response(made, version)
    sessions = [_session(frame, version) for _ in range(rounds)]
    del made
    gc.collect()
    gc.freeze()
    if not collector:
        gc.disable()
    try:
        for _ in range(rounds):
            begin = time.thread_time()
            ours.append(_milliseconds(ways.rewrite, time.perf_counter))
            stretches.append(1000 * (time.thread_time() - begin))
            theirs.append(_milliseconds(ways.over_objects, time.perf_counter))
        answers = [_milliseconds(answer, time.thread_time) for answer in sessions]
    finally:
        gc.enable()
        gc.unfreeze()
    ratio = statistics.median(t / o for o, t in zip(ours, theirs, strict=True))
    return Result(
        statistics.median(ours), statistics.median(theirs), ratio, max(stretches), max(answers)
    )


def _session(frame: bytes, version: int) -> Callable[[], object]:
    """The answer to a client that asked for all topics, as its session gives it."""
    client = tenant()
    client.sends(MetadataRequest(topics=None), version)
    return lambda: client.broker_answers(frame)


def _milliseconds(function: Callable[[], object], clock: Callable[[], float]) -> float:
    begin = clock()
    function()
    return 1000 * (clock() - begin)


def compare(rounds: int, *, collector: bool = True) -> int:
    """Print the table; returns how many of its lines miss a bar."""
    print(
        "\nMetadata responses of a virtual cluster (ms; median ratio)\n"
        "  topics x partitions        rewritten  over objects   ratio  longest  session"
    )
    missed = 0
    for shape in SHAPES:
        for version in VERSIONS if shape.held else VERSIONS[1:2]:
            found = measure(shape, version, rounds if shape.held else 3, collector=collector)
            short = found.ratio < LEAST_RATIO or max(found.longest, found.session) > LONGEST_MS
            missed += shape.held and short
            print(
                f"{shape.topics:>8,} x {shape.partitions:<10,} v{version:<5}"
                f"{found.rewritten:9.2f} {found.over_objects:13.2f}  x{found.ratio:6.2f}"
                f" {found.longest:8.2f} {found.session:8.2f}"
                f"  {shape.note}{'  MISSED' if shape.held and short else ''}".rstrip()
            )
    return missed


def main() -> int:
    """Measure; the exit status."""
    parser = argparse.ArgumentParser(description="Rewrite large Metadata responses.")
    parser.add_argument("--quick", action="store_true", help="a few rounds only")
    parser.add_argument("--no-gc", action="store_true", help="with the garbage collector off")
    args = parser.parse_args()
    return 1 if compare(7 if args.quick else 21, collector=not args.no_gc) else 0


if __name__ == "__main__":
    sys.exit(main())
