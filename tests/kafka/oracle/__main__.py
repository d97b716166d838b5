"""``make oracle``: mixed faults between clients and a real cluster, and who lost what."""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.kafka.clients import librdkafka_config
from tests.kafka.cluster import running
from tests.kafka.oracle import verdict
from tests.kafka.oracle.clients import PARTITIONS, Consumer, Producer, stored
from tests.kafka.oracle.faults import Chaos
from tests.kafka.sidecars import Sidecar

VCLUSTER = "oracle-"
EXACT, LOOSE = 10, 3
CONSUMERS = 5
FIRST_PORT = 26969
CALM, HEALS_WITHIN = 15.0, 5.0


def main() -> int:
    """Run it; 0 if nothing is wrong."""
    parser = argparse.ArgumentParser(prog="make oracle ARGS=", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="of faults (300)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="oracle-"))
    print(f"seed {options.seed}, {options.seconds:g} s of faults", flush=True)
    try:
        with running("4.x") as kafka:
            sidecar = Sidecar("oracle", kafka, FIRST_PORT, home, GATEWAY_SEQUENCE_ORACLE="true")
            try:
                problems = run(sidecar, kafka.bootstrap, options.seconds, options.seed)
            finally:
                sidecar.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    for problem in problems:
        print(f"WRONG: {problem}")
    print("nothing is wrong" if not problems else f"seed {options.seed} gives these")
    return 1 if problems else 0


def run(sidecar: Sidecar, bootstrap: str, seconds: float, seed: int) -> list[str]:
    """What is wrong in the end."""
    access = sidecar.access(VCLUSTER)
    admin = AdminClient(librdkafka_config(access))
    wanted = [NewTopic(name, PARTITIONS, 3) for name in ("exact", "loose")]
    for made in admin.create_topics(wanted).values():
        made.result(30)
    exact = [Producer(access, f"exact{n}", "exact", True) for n in range(EXACT)]
    loose = [Producer(access, f"loose{n}", "loose", False) for n in range(LOOSE)]
    consumers = [Consumer(access) for _ in range(CONSUMERS)]
    chaos = Chaos(sidecar, VCLUSTER, seed)
    produced, consumed = threading.Event(), threading.Event()
    with ThreadPoolExecutor(EXACT + LOOSE + CONSUMERS) as pool:
        running_ones = [pool.submit(each.run, produced) for each in (*exact, *loose)]
        reading = [pool.submit(each.run, consumed) for each in consumers]
        try:
            chaos.run(time.monotonic() + seconds, produced)
            healed = heals((*exact, *loose))
            produced.set()
            for each in running_ones:
                each.result(120)
            settle((*exact, *loose), consumers)
        finally:
            produced.set()
            consumed.set()
        for each in reading:
            each.result(60)
    logs = {name: stored(bootstrap, f"{VCLUSTER}{name}") for name in ("exact", "loose")}
    events = sidecar.events(virtual_cluster=VCLUSTER)
    recoveries = sidecar.events("client_recovered", virtual_cluster=VCLUSTER)
    show(exact, loose, chaos, events, healed)
    show_recoveries(recoveries)
    seen = set().union(*(each.seen for each in consumers))
    once = sum(verdict.repeated(logs["exact"]).values())
    return [
        *verdict.lost(exact, logs["exact"]),
        *verdict.lost(loose, logs["loose"]),
        *([f"{once} records of idempotent producers are there twice"] if once else []),
        *verdict.reordered(logs["exact"]),
        *verdict.anomalous(sidecar.events("sequence_anomaly", virtual_cluster=VCLUSTER)),
        *verdict.unexplained(logs["loose"], events, "loose"),
        *verdict.unseen((*exact, *loose), seen),
        *([] if healed <= HEALS_WITHIN else [f"healed after {healed:.1f} s"]),
        *([] if events else ["nothing was injected"]),
    ]


def heals(producers: tuple[Producer, ...]) -> float:
    """Seconds from the end of all faults until every producer has had an acknowledgement."""
    begin = time.monotonic()
    pause = threading.Event()
    while time.monotonic() < begin + CALM:
        if all(each.last > begin for each in producers):
            break
        pause.wait(0.02)
    return time.monotonic() - begin


def settle(producers: tuple[Producer, ...], consumers: list[Consumer]) -> None:
    """Wait until consumers have seen what was acknowledged, or see no more."""
    wanted = sum(len(each.acknowledged) for each in producers)
    pause = threading.Event()
    for _ in range(int(4 * CALM)):
        if len(set().union(*(each.seen for each in consumers))) >= wanted:
            return
        pause.wait(0.25)


def show(
    exact: list[Producer],
    loose: list[Producer],
    chaos: Chaos,
    events: list[dict[str, object]],
    healed: float,
) -> None:
    """A summary for people."""
    for what, producers in (("idempotent", exact), ("other", loose)):
        acknowledged = sum(len(each.acknowledged) for each in producers)
        failed = sum((each.failed for each in producers), Counter())
        print(f"{what} producers: {acknowledged} records acknowledged, failed: {dict(failed)}")
    print(f"faults: {dict(Counter(chaos.applied))}")
    outcomes = Counter((str(e["fault"]), str(e["outcome"])) for e in events)
    for (fault, outcome), count in sorted(outcomes.items()):
        print(f"  {count:6} {fault} {outcome}")
    print(f"healed {healed:.2f} s after the last fault", flush=True)


def show_recoveries(recoveries: list[dict[str, Any]]) -> None:
    """How long clients took, as the sidecar saw it."""
    for api in ("PRODUCE", "FETCH"):
        seconds = sorted(each["seconds"] for each in recoveries if each["api"] == api)
        if seconds:
            print(
                f"{api}: {len(seconds)} recoveries, {statistics.median(seconds):.3f} s (median),"
                f" {seconds[-1]:.3f} s (slowest)"
            )


if __name__ == "__main__":
    sys.exit(main())
