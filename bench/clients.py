"""Real clients against real Kafka: Kafka's own performance tools, and confluent-kafka."""

import contextlib
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.kafka.cluster import RealKafka
from tests.kafka.tools import client_properties

PRODUCER = "org.apache.kafka.tools.ProducerPerformance"
CONSUMER = "org.apache.kafka.tools.ConsumerPerformance"
_LINE = re.compile(
    r"records sent, ([\d.]+) records/sec \(([\d.]+) MB/sec\), .* "
    r"(\d+) ms 50th, \d+ ms 95th, (\d+) ms 99th"
)
_PATIENCE = 300


@dataclass(frozen=True)
class Job:
    """One target's turn.

    Args:
        kafka: the cluster itself.
        bootstrap: where the client goes.
        token: what it authenticates with, if it has to.
    """

    kafka: RealKafka
    bootstrap: str
    token: str | None
    topic: str
    records: int
    size: int

    def librdkafka(self) -> dict[str, Any]:
        """The client settings of confluent-kafka."""
        settings: dict[str, Any] = {"bootstrap.servers": self.bootstrap}
        if self.token:
            settings |= {
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "PLAIN",
                "sasl.username": "sa",
                "sasl.password": self.token,
            }
        return settings


@contextlib.contextmanager
def topic(job: Job) -> Iterator[None]:
    """The job's topic of three partitions, made through the target and dropped at the end."""
    admin = AdminClient(job.librdkafka())
    for made in admin.create_topics([NewTopic(job.topic, 3, 1)]).values():
        made.result(30)
    try:
        yield
    finally:
        for gone in admin.delete_topics([job.topic]).values():
            gone.result(30)


def _java(job: Job, main_class: str, *arguments: str) -> str:
    """Run a tool of Kafka's with the JVM's defaults; its output."""
    distribution = job.kafka.distribution
    command = [distribution.java, "-Xmx512m", distribution.logging_flag]
    command += ["-cp", distribution.classpath, main_class, *arguments]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{main_class} failed: {done.stdout[-500:]}")
    return done.stdout


@contextlib.contextmanager
def _properties(job: Job) -> Iterator[str]:
    """A Java client's configuration file."""
    with tempfile.TemporaryDirectory(prefix="bench-client-") as folder:
        path = Path(folder, "client.properties")
        if job.token:
            path.write_text(client_properties(job.bootstrap, "sa", job.token))
        else:
            path.write_text(f"bootstrap.servers={job.bootstrap}\n")
        yield str(path)


def java_producer(job: Job) -> dict[str, Any]:
    """kafka-producer-perf-test with the producer's defaults."""
    with _properties(job) as config:
        numbers = ["--num-records", str(job.records), "--record-size", str(job.size)]
        rest = ["--throughput", "-1", "--producer.config", config]
        shown = _java(job, PRODUCER, "--topic", job.topic, *numbers, *rest)
    found = _LINE.findall(shown)
    if not found:
        raise RuntimeError(f"no result in: {shown[-500:]}")
    rate, megabytes, p50, p99 = map(float, found[-1])
    return {"records_per_s": rate, "mb_per_s": megabytes, "p50_ms": p50, "p99_ms": p99}


def java_consumer(job: Job) -> dict[str, Any]:
    """kafka-consumer-perf-test; the time that counts begins after the group has formed."""
    with _properties(job) as config:
        # The configuration's option is deprecated and its successor is not in 4.1 yet.
        arguments = ["--bootstrap-server", job.bootstrap, "--topic", job.topic]
        arguments += ["--messages", str(job.records), "--consumer.config", config]
        shown = _java(job, CONSUMER, *arguments, "--timeout", "60000")
    lines = [line.split(", ") for line in shown.splitlines() if line.count(", ") == 9]
    numbers = [line for line in lines if line[0][:1].isdigit()]
    if not numbers or int(numbers[-1][4]) < job.records:
        raise RuntimeError(f"not everything was consumed: {shown[-500:]}")
    return {"records_per_s": float(numbers[-1][9]), "mb_per_s": float(numbers[-1][8])}


def confluent_producer(job: Job) -> dict[str, Any]:
    """confluent-kafka with librdkafka's defaults; latencies from produce() to the report."""
    producer = Producer(job.librdkafka())
    value = bytes(range(256)) * (job.size // 256)
    latencies: list[float] = []
    failures: list[str] = []

    def report(error: Any, message: Any) -> None:
        if error:
            failures.append(str(error))
        else:
            latencies.append(message.latency())

    began = time.monotonic()
    for _ in range(job.records):
        while True:
            try:
                producer.produce(job.topic, value, on_delivery=report)
                break
            except BufferError:
                producer.poll(0.05)
        producer.poll(0)
    producer.flush(60)
    seconds = time.monotonic() - began
    if failures or len(latencies) != job.records:
        raise RuntimeError(f"{len(latencies)} of {job.records} delivered: {failures[:1]}")
    points = statistics.quantiles(latencies, n=100)
    return {
        "records_per_s": job.records / seconds,
        "mb_per_s": job.records * job.size / seconds / 1e6,
        "p50_ms": points[49] * 1000,
        "p99_ms": points[98] * 1000,
    }
