"""``make soak``: a sidecar under load for a while, half of the produces refused, brokers bounced.

Prints memory, descriptors, connections, processor time and the producers' latency at the start,
each minute and at the end, and says whether the lines are flat: from the end of the first minute on
memory grows by less than 8 MiB, descriptors by no more than 20, and the last minute's median
latency is no more than twice that of the first (and 20 ms). Exit status 1 if not, or if a record
was lost.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from dataclasses import dataclass

from tests.kafka.cluster import running
from tests.kafka.reliability.load import Load
from tests.kafka.reliability.world import World
from tests.kafka.sidecars import PLUGIN

BOUNCE_SECONDS = 25.0
GROWTH_MIB, GROWTH_DESCRIPTORS, SLACK_SECONDS = 8.0, 20, 0.02


@dataclass(frozen=True)
class Line:
    """What was seen at one moment; latencies of the time since the one before."""

    seconds: float
    memory: float
    descriptors: int
    connections: int
    processor: float
    acknowledged: int
    median: float
    p99: float

    def __str__(self) -> str:
        return (
            f"{self.seconds:6.0f} s  {self.memory:6.1f} MiB  {self.descriptors:4} descriptors "
            f"{self.connections:4} connections  {self.processor:5.1f} s of processor "
            f"{self.acknowledged:8,} acknowledged  p50 {self.median * 1000:6.1f} ms"
            f"  p99 {self.p99 * 1000:7.1f} ms"
        )


def look(world: World, load: Load, began: float, since: int) -> Line:
    """Measure; `since` is how many latencies were there at the line before."""
    memory, descriptors = world.measure()
    latencies = sorted(load.latencies[since:]) or [0.0]
    return Line(
        time.monotonic() - began,
        memory,
        descriptors,
        int(world.sidecar.metric("kafka_chaos_client_connections_open")),
        world.processor_seconds(),
        load.acknowledged,
        statistics.median(latencies),
        latencies[int(len(latencies) * 0.99)],
    )


def bounce(world: World, stopping: threading.Event) -> None:
    """Restart one broker after the other, for as long as nobody says stop."""
    broker = 0
    while not stopping.wait(BOUNCE_SECONDS):
        world.kafka.restart_broker(1 + broker % 3)
        broker += 1


def bent(first: Line, last: Line) -> list[str]:
    """What is not flat."""
    found = []
    if last.memory - first.memory >= GROWTH_MIB:
        found.append(f"memory grew by {last.memory - first.memory:.1f} MiB")
    if last.descriptors - first.descriptors > GROWTH_DESCRIPTORS:
        found.append(f"descriptors grew by {last.descriptors - first.descriptors}")
    if last.median > 2 * first.median + SLACK_SECONDS:
        found.append(f"the median latency went from {first.median:.3f} to {last.median:.3f} s")
    return found


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.kafka.reliability.soak")
    parser.add_argument("--minutes", type=float, default=10, help="how long (default 10)")
    minutes = parser.parse_args().minutes
    with running() as kafka:
        world = World(kafka)
        path = "/admin/interceptors/v1/global/interceptor/half"
        body = {"pluginClass": PLUGIN, "priority": 1, "config": {"rateInPercent": 50}}
        assert world.sidecar.request("POST", path, body)[0] == 201
        load = Load(world.sidecar.bootstrap, kafka.bootstrap, "soak")
        stopping = threading.Event()
        bouncing = threading.Thread(target=bounce, args=(world, stopping))
        bouncing.start()
        began = time.monotonic()
        lines = [look(world, load, began, 0)]
        print(lines[0], flush=True)
        while lines[-1].seconds < minutes * 60 - 1:
            since = len(load.latencies)
            threading.Event().wait(min(60.0, minutes * 60 - lines[-1].seconds))
            lines.append(look(world, load, began, since))
            print(lines[-1], flush=True)
        stopping.set()
        bouncing.join()
        load.stop()
        injected = int(world.sidecar.metric("kafka_chaos_injections_total"))
        stored = load.stored()
        world.stop()
    lost = sum(
        len(set(seen.acked) - set(values)) for seen, values in zip(load.seen, stored, strict=True)
    )
    repeated = sum(len(values) - len(set(values)) for values in stored)
    failed = sum(seen.failed.total() for seen in load.seen)
    problems = bent(lines[min(1, len(lines) - 1)], lines[-1])
    print(
        f"{load.acknowledged:,} acknowledged, {injected:,} injected, {lost} lost, {repeated}"
        f" repeated, {failed} given up: {'; '.join(problems) or 'all lines are flat'}"
    )
    return 1 if problems or lost or repeated or failed else 0


if __name__ == "__main__":
    sys.exit(main())
