"""``make soak``: a sidecar under load for a while, half of the produces refused, brokers bounced.

Prints memory, descriptors, connections, processor time and the producers' latency at the start,
each minute and at the end, and says whether the lines are flat: memory grows by less than 8 MiB
from the minute on in which the latest 10,000 injections are there, which the sidecar keeps, and
half of the run at the latest; from the end of the first minute on descriptors grow by no more than
20, and the last minute's median latency is no more than twice that of the first (and 20 ms). Exit
status 1 if not, or if a record was lost.
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
KEPT = 10_000
"""Injections a sidecar keeps: memory until then, and no more."""
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
    injected: int
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
        int(world.sidecar.metric("kafka_chaos_injections_total")),
        statistics.median(latencies),
        latencies[int(len(latencies) * 0.99)],
    )


def wait(world: World, until: float, bounced: int) -> int:
    """Restart one broker after the other until that time; returns how many have been.

    On the main thread: brokers end with the thread that has started them.
    """
    while True:
        left = until - time.monotonic()
        threading.Event().wait(max(0.0, min(left, BOUNCE_SECONDS)))
        if left <= BOUNCE_SECONDS:
            return bounced
        world.kafka.restart_broker(1 + bounced % 3)
        bounced += 1


def bent(lines: list[Line]) -> list[str]:
    """What is not flat."""
    first, last = lines[min(1, len(lines) - 1)], lines[-1]
    full = next(
        line for line in lines[1:] if line.injected >= KEPT or line.seconds >= last.seconds / 2
    )
    found = []
    if last.memory - full.memory >= GROWTH_MIB:
        found.append(f"memory grew by {last.memory - full.memory:.1f} MiB")
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
        began = time.monotonic()
        bounced = 0
        lines = [look(world, load, began, 0)]
        print(lines[0], flush=True)
        while lines[-1].seconds < minutes * 60 - 1:
            since = len(load.latencies)
            until = began + min(60.0 * len(lines), minutes * 60)
            bounced = wait(world, until, bounced)
            lines.append(look(world, load, began, since))
            print(lines[-1], flush=True)
        load.stop()
        stored = load.stored()
        world.stop()
    lost = sum(
        len(set(seen.acked) - set(values)) for seen, values in zip(load.seen, stored, strict=True)
    )
    repeated = sum(len(values) - len(set(values)) for values in stored)
    failed = sum(seen.failed.total() for seen in load.seen)
    problems = bent(lines)
    print(
        f"{bounced} brokers restarted, {load.acknowledged:,} acknowledged,"
        f" {lines[-1].injected:,} injected, {lost} lost, {repeated} repeated, {failed} given up:"
        f" {'; '.join(problems) or 'all lines are flat'}"
    )
    return 1 if problems or lost or repeated or failed else 0


if __name__ == "__main__":
    sys.exit(main())
