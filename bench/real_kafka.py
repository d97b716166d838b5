"""The sidecar before three real Kafka brokers, beside no proxy and other Kafka-aware proxies.

    .venv/bin/python bench/real_kafka.py [--rounds 5] [--records 600000]

In each round, in a drawn order, each target gets a new topic of three partitions. Kafka's own
kafka-producer-perf-test fills it (1 KiB records, the producer's defaults), kafka-consumer-perf-test
empties it, and a confluent-kafka producer fills it once more. Ratios are of the same round. Clients
run on a JVM with its own defaults, brokers on small heaps with the first compiler only
(tests/kafka), all on the same processors: a proxy's time is taken from the client's and the
broker's.

Writes bench/results/real_kafka.json. Wants Java 17 and Maven.
"""

import argparse
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import clients
from cached import Unavailable
from children import cpu_seconds, free_ports
from matrix import say
from results import Json, machine
from targets.base import Running
from targets.go import KafkaProxy
from targets.kroxylicious import Kroxylicious
from targets.sidecar import Mapped, Pass

from tests.kafka.cluster import RealKafka, running

RESULTS = Path(__file__).with_name("results")
WORKLOADS: dict[str, Callable[[clients.Job], Json]] = {
    "producer": clients.java_producer,
    "consumer": clients.java_consumer,
    "confluent": clients.confluent_producer,
}
BROKERS = 3


def _sidecar(kafka: RealKafka, home: Path) -> Running:
    """The sidecar with a client port for every broker."""
    first = free_ports(BROKERS)[0]
    target = Pass()
    target.settings = MappingProxyType(
        {"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap, "GATEWAY_PORT_START": str(first)}
    )
    started, _ = target.launch(0, home)
    started.port = first
    return started


def _mapped(kafka: RealKafka, home: Path) -> Running:
    """The same in a virtual cluster."""
    first = free_ports(BROKERS)[0]
    target = Mapped()
    target.settings = MappingProxyType(
        {
            **Mapped.settings,
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "GATEWAY_PORT_START": str(first),
        }
    )
    started, http_port = target.launch(0, home)
    target.set_up(started, http_port)
    started.port = first
    return started


def _kroxylicious(kafka: RealKafka, home: Path) -> Running:
    target = Kroxylicious()
    target.prepare()
    return target.launch(kafka.bootstrap, BROKERS, home)


def _kafka_proxy(kafka: RealKafka, home: Path) -> Running:
    target = KafkaProxy()
    target.prepare()
    return target.launch([kafka.ports[node] for node in sorted(kafka.ports)], home)


def _direct(kafka: RealKafka, home: Path) -> Running:
    return Running(kafka.ports[1])


TARGETS: dict[str, Callable[[RealKafka, Path], Running]] = {
    "direct": _direct,
    "sidecar-pass": _sidecar,
    "sidecar-mapped": _mapped,
    "kafka-proxy": _kafka_proxy,
    "kroxylicious": _kroxylicious,
}
PEERS = ("kafka-proxy", "kroxylicious")
"""Relays that do not read Kafka cannot stand before a cluster: clients leave them for the brokers'
own addresses."""


@contextlib.contextmanager
def _started(kafka: RealKafka, home: Path) -> Iterator[tuple[dict[str, Running], dict[str, str]]]:
    up: dict[str, Running] = {}
    missing: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        for name, start in TARGETS.items():
            folder = home / name
            folder.mkdir()
            try:
                up[name] = start(kafka, folder)
                stack.callback(up[name].stop)
            except (Unavailable, OSError, RuntimeError, TimeoutError) as error:
                missing[name] = str(error)
                say(f"  {name} not measured: {error}")
        yield up, missing


def _one(job: clients.Job, workload: str, target: Running) -> Json:
    """One measurement, with the proxy's processor time."""
    pids = target.pids()
    before, began = cpu_seconds(pids), time.monotonic()
    found = WORKLOADS[workload](job)
    used = cpu_seconds(pids) - before
    found["proxy_cpu_us_per_record"] = round(used * 1e6 / job.records, 3)
    found["seconds"] = round(time.monotonic() - began, 2)
    return found


Rounds = list[dict[str, dict[str, Json]]]
"""Of each round: by target and workload."""


def _measure(kafka: RealKafka, options: argparse.Namespace, up: dict[str, Running]) -> Rounds:
    draw = random.Random(1)
    rounds: Rounds = []
    for number in range(options.rounds + 1):
        say("warming up" if number == 0 else f"round {number} of {options.rounds}")
        found: dict[str, dict[str, Json]] = {}
        for name in draw.sample(list(up), len(up)):
            job = clients.Job(
                kafka=kafka,
                bootstrap=f"127.0.0.1:{up[name].port}",
                token=up[name].token,
                topic=f"bench-{number}-{name}",
                records=options.records if number else options.records // 10,
                size=1024,
            )
            with clients.topic(job):
                found[name] = {each: _one(job, each, up[name]) for each in WORKLOADS}
        if number:
            rounds.append(found)
    return rounds


def _ratio(rounds: Rounds, workload: str, one: str, others: tuple[str, ...]) -> float | None:
    """Median of same-round ratios of records per second, by the best of `others`."""
    ratios = []
    for each in rounds:
        rates = [each[name][workload]["records_per_s"] for name in others if name in each]
        if one in each and rates:
            ratios.append(each[one][workload]["records_per_s"] / max(rates))
    return round(statistics.median(ratios), 3) if ratios else None


def _medians(rounds: Rounds, name: str, workload: str) -> Json:
    samples = [each[name][workload] for each in rounds]
    return {key: round(statistics.median(s[key] for s in samples), 3) for key in samples[0]}


def _summary(rounds: Rounds, up: dict[str, Running], missing: dict[str, str]) -> Json:
    content: dict[str, Any] = {"machine": machine(), "rounds": len(rounds), "missing": missing}
    for workload in WORKLOADS:
        content[workload] = {name: _medians(rounds, name, workload) for name in up}
        for name in up:
            if name != "direct":
                by_direct = _ratio(rounds, workload, name, ("direct",))
                content[workload][name]["ratio_to_direct"] = by_direct
        content[f"{workload}_to_direct"] = _ratio(rounds, workload, "sidecar-pass", ("direct",))
        content[f"{workload}_to_best_peer"] = _ratio(rounds, workload, "sidecar-pass", PEERS)
    return content


def main() -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=600_000)
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FOLDER")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as home, running("4.x") as kafka:
        with _started(kafka, Path(home)) as (up, missing):
            rounds = _measure(kafka, options, up)
            content = _summary(rounds, up, missing)
        content["kafka"] = kafka.distribution.version
    content["records"] = options.records
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "real_kafka.json").write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps(content, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
