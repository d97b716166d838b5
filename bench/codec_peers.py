"""How fast the codec is, next to other Python codecs, on four fixed messages.

    .venv/bin/python bench/codec_peers.py [--quick]

The messages: a Metadata response of 100 topics with 10 partitions each, a Produce request of ten
1 KiB batches, the Produce response to it, and a Fetch response of ten partitions without records.
Bodies only, without headers; "encode" starts from a made object, "decode" ends with one. Each peer
is compared in the version it speaks (aiokafka: v5, v8, v8, v11; others: v12, v9, v9, v12), and its
bytes are compared with ours before anything is timed.

Rounds of ours and of the peer alternate, so that a busy machine slows both: the ratio of a round is
that of neighbours in time, and the median of these is what counts. Peers that are not installed are
left out. Large Metadata responses come last: see codec_metadata.py.

Exit status 1 if a peer in pure Python is faster than the codec anywhere, or if a large Metadata
response takes too long.
"""

import argparse
import gc
import importlib.metadata
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import codec_adapters
import codec_metadata
from codec_messages import (
    Case,
    Peer,
    ProduceRequest,
    codec,
    our_case,
    our_messages,
    our_rewrite,
)

# Name of the distribution, how to load it, whether it has to be beaten: kio decodes in Rust.
PEERS: list[tuple[str, Callable[[], Peer], bool]] = [
    ("kafka-python", codec_adapters.kafka_python, True),
    ("aiokafka", codec_adapters.aiokafka, True),
    ("kio", codec_adapters.kio, False),
]


@dataclass(frozen=True)
class Plan:
    """How much to measure: rounds, and seconds of each."""

    rounds: int
    seconds: float


@dataclass(frozen=True)
class Rates:
    """Operations per second of two functions, round by round."""

    ours: list[float]
    theirs: list[float]

    @property
    def ratio(self) -> float:
        """How many times faster ours is: the median over the rounds."""
        return statistics.median(o / t for o, t in zip(self.ours, self.theirs, strict=True))


def repetitions(function: Callable[[], object], seconds: float) -> int:
    """How often to call a function to fill this time."""
    count = 1
    while (taken := timed(function, count)) < seconds / 4:
        count *= 2
    return max(1, int(count * seconds / taken))


def timed(function: Callable[[], object], count: int) -> float:
    """Seconds that many calls take."""
    begin = time.perf_counter()
    for _ in range(count):
        function()
    return time.perf_counter() - begin


def race(ours: Callable[[], object], theirs: Callable[[], object], plan: Plan) -> Rates:
    """Time two functions in turns, the garbage collector off."""
    our_count, their_count = repetitions(ours, plan.seconds), repetitions(theirs, plan.seconds)
    rates = Rates([], [])
    gc.collect()
    gc.disable()
    try:
        for _ in range(plan.rounds):
            rates.ours.append(our_count / timed(ours, our_count))
            rates.theirs.append(their_count / timed(theirs, their_count))
    finally:
        gc.enable()
    return rates


def compare(peer: str, name: str, theirs: Case, plan: Plan) -> list[float]:
    """Print both directions of one message; returns the ratios."""
    ours = our_case(our_messages()[name], theirs.version)
    body = ours.encode()
    if theirs.encode() != body:
        sys.exit(f"{peer} encodes the {name} v{theirs.version} differently")
    theirs.decode(body)
    ours.decode(body)
    races = {
        "encode": race(ours.encode, theirs.encode, plan),
        "decode": race(lambda: ours.decode(body), lambda: theirs.decode(body), plan),
    }
    rewrite = our_rewrite(our_messages()[name], theirs.version)
    rewriting = race(lambda: rewrite(body), lambda: theirs.decode(body), plan)
    for direction, rates in [*races.items(), ("rewrite by their decode", rewriting)]:
        print(
            f"{name:17} v{theirs.version:<3} {len(body):7} B  {direction:23}"
            f" {max(rates.ours):11,.0f} {max(rates.theirs):11,.0f}"
            f"   x{rates.ratio:.2f}  (best x{max(rates.ours) / max(rates.theirs):.2f})"
        )
    return [rates.ratio for rates in races.values()]


def skeleton(plan: Plan) -> None:
    """Print how long reading a Produce request takes whose records are left alone."""
    print("\nour own: a Produce request v9 of ten partitions, read without its records")
    data = ProduceRequest.TopicProduceData
    for size in (1 << 10, 100 << 10):
        partitions = [data.PartitionProduceData(index=n, records=bytes(size)) for n in range(10)]
        topic = data(name="orders", partition_data=partitions)
        body = codec.encode(ProduceRequest(acks=-1, timeout_ms=30_000, topic_data=[topic]), 9)
        walk = lambda b=body: codec.decode_request(0, 9, b)  # noqa: E731 - timed as it is
        best = max(race(walk, walk, plan).ours)
        print(f"records of {size >> 10:4} KiB each  {best:11,.0f} op/s")


def compare_rewriting(plan: Plan) -> None:
    """Print what renaming in the bytes takes, next to decoding and encoding again."""
    print("\nour own: rewriting, next to decode + encode (best op/s, median ratio)")
    for name, message in our_messages().items():
        version = 12 if name.startswith(("Metadata", "Fetch")) else 9
        case, rewrite = our_case(message, version), our_rewrite(message, version)
        body = case.encode()
        through_objects = our_round_trip(case, version, body)
        rates = race(lambda r=rewrite, b=body: r(b), through_objects, plan)
        print(
            f"{name:17} v{version:<3} {len(body):7} B  rewrite"
            f" {max(rates.ours):10,.0f} {max(rates.theirs):11,.0f}   x{rates.ratio:.2f}"
        )


def our_round_trip(case: Case, version: int, body: bytes) -> Callable[[], bytes]:
    """Decode and encode again, without any edit in between."""
    return lambda: codec.encode(case.decode(body), version)


def main() -> int:
    """Compare with every peer installed; the exit status."""
    parser = argparse.ArgumentParser(description="Compare the codec with other Python codecs.")
    parser.add_argument("--quick", action="store_true", help="a few short rounds only")
    plan = Plan(7, 0.02) if parser.parse_args().quick else Plan(31, 0.05)
    print(f"Python {platform.python_version()}, {platform.machine()}: {plan.rounds} rounds")
    lost = compared = 0
    for peer, load, must_beat in PEERS:
        try:
            cases = load()
        except ImportError as error:
            print(f"\n{peer}: not installed ({error})")
            continue
        print(f"\n{peer} {importlib.metadata.version(peer)}: best op/s ours, theirs, median ratio")
        ratios = [ratio for name in cases for ratio in compare(peer, name, cases[name], plan)]
        compared += 1
        if must_beat:
            lost += sum(ratio < 1 for ratio in ratios)
    compare_rewriting(plan)
    skeleton(plan)
    missed = codec_metadata.compare(plan.rounds)
    if not compared:
        print("no peer is installed: nothing was compared")
    return 1 if lost or missed or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
