"""Thousands of sidecars on one topic: what one costs, and a thousand readers at once.

``python bench/scale.py`` prints the figures of docs/scale.md: the topic by number of interceptors
(its bytes, the time and memory of reading it), then `--readers` long-polling readers, spoken by the
codec over plain sockets as a sidecar does, and how long after a commit the last of them
has it; then `--sidecars` real ones.
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

import codec
from codec.api_keys import ApiKey
from codec.frames import FrameDecoder, frame
from codec.headers import request_header, response_body_start
from codec.messages.fetch import FetchRequest
from sidecar.control.interceptors import InterceptorService
from sidecar.control.journal import Journal
from sidecar.control.state import ControlState
from sidecar.faults.leader_election import LeaderElection
from sidecar.model.interceptor import Interceptor, Scope
from sidecar.state.kafka import KafkaStore
from tests.kafka.cluster import RealKafka, running
from tests.kafka.processes import wait_until
from tests.kafka.sidecars import PLUGIN, Sidecar

WAIT_MS = 20_000
FETCH_VERSION = 11
_PAUSE = threading.Event()  # never set


class Quiet:
    """A log that nobody reads."""

    def info(self, event: str, **fields: object) -> None:
        """Drop it."""

    warning = error = info


def store(bootstrap: str, topic: str) -> KafkaStore:
    """A sidecar's store, which has begun to read."""
    made = KafkaStore(
        {"bootstrap.servers": bootstrap}, topic, 3, time.time, print, lambda: None, Quiet()
    )
    made.start()
    while not made.loaded:
        _PAUSE.wait(0.002)
    return made


def fill(bootstrap: str, topic: str, count: int) -> float:
    """Write interceptors, one change each; the seconds a change took, median."""
    state = ControlState(lambda _: None, store(bootstrap, topic))
    service = InterceptorService(state, Journal())
    took = []
    for number in range(count):
        fault = LeaderElection(rate_in_percent=50.0, seed=number)
        scope = Scope(virtual_cluster=f"team{number % 50:02}")
        item = Interceptor(name=f"interceptor-{number}", scope=scope, priority=100, fault=fault)
        began = time.perf_counter()
        service.create(item)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


READ = """
import sys, time, resource
sys.path[:0] = [sys.argv[3]]
from bench.scale import store
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * 4
before = rss()
began = time.perf_counter()
made = store(sys.argv[1], sys.argv[2])
fields = made.news()
seconds = time.perf_counter() - began
print(seconds, rss() - before, len((fields or {}).get("interceptors", ())))
"""


def read(bootstrap: str, topic: str) -> tuple[float, float, int]:
    """A fresh process reads it: seconds, MiB, interceptors."""
    root = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", READ, bootstrap, topic, root]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    seconds, kilobytes, found = done.stdout.split()[-3:]
    return float(seconds), int(kilobytes) / 1024, int(found)


def asked(topic: str, offset: int) -> bytes:
    """A Fetch that waits for what comes from `offset` on."""
    wanted = FetchRequest.FetchTopic
    part = wanted.FetchPartition(partition=0, fetch_offset=offset, partition_max_bytes=1 << 20)
    message = FetchRequest(
        max_wait_ms=WAIT_MS,
        min_bytes=1,
        isolation_level=1,
        session_epoch=-1,
        topics=[wanted(topic=topic, partitions=[part])],
    )
    head = request_header(ApiKey.FETCH, FETCH_VERSION, 1, "reader")
    return b"".join(bytes(c) for c in frame(head, codec.encode(message, FETCH_VERSION)))


class Readers:
    """Connections to the leader of the topic, each with a Fetch that waits."""

    def __init__(self, kafka: RealKafka, topic: str, count: int, offset: int) -> None:
        found = AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(topic, timeout=10)
        leader = found.topics[topic].partitions[0].leader
        self.pid = kafka._brokers[leader].pid
        self.poll = selectors.DefaultSelector()
        self.request = asked(topic, offset)
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", kafka.ports[leader]))
            sock.sendall(self.request)
            self.poll.register(sock, selectors.EVENT_READ, FrameDecoder(1 << 30))
        self.count = count

    def hear(self, began: float, seconds: float) -> list[float]:
        """When each had an answer with records, after `began`; who has none yet is left out."""
        heard: list[float] = []
        deadline = time.perf_counter() + seconds
        while len(heard) < self.count and time.perf_counter() < deadline:
            for key, _ in self.poll.select(0.5):
                sock: socket.socket = key.fileobj  # type: ignore[assignment]
                for answer in key.data.feed(sock.recv(1 << 16)):
                    start = response_body_start(ApiKey.FETCH, FETCH_VERSION, answer)
                    message = codec.decode_response(ApiKey.FETCH, FETCH_VERSION, answer, start)
                    if message.responses[0].partitions[0].records:
                        heard.append(time.perf_counter() - began)
                    else:
                        sock.sendall(self.request)  # nothing for so long: it waits again
        return heard

    def close(self) -> None:
        """End all connections."""
        for key in list(self.poll.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]


def processor(pid: int) -> float:
    """Seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def end_of(kafka: RealKafka, topic: str) -> int:
    """The offset behind the last record."""
    import confluent_kafka

    consumer = confluent_kafka.Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "x"})
    at = confluent_kafka.TopicPartition(topic, 0)
    end: int = consumer.get_watermark_offsets(at, timeout=10)[1]
    consumer.close()
    return end


FIRST_PORT = 23969
TURNS = 10


def fleet(kafka: RealKafka, count: int) -> str:
    """Real sidecars with one store, a change at one after the other; what was measured."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        began = time.perf_counter()
        sidecars = []
        for number in range(count):
            extra = {"GATEWAY_STORAGE_TYPE": "KAFKA", "GATEWAY_CLUSTER_ID": "scale"}
            made = Sidecar(f"s{number}", kafka, FIRST_PORT + 4 * number, home, **extra)
            stack.callback(made.stop)
            sidecars.append(made)
        started = time.perf_counter() - began
        sidecars[0].access("team")
        sidecars[0].inject("team", 0, 1)
        seen, said = [], []
        wait_until(lambda: all(listed(each) == 0 for each in sidecars), "all know of it", 10)
        for turn in range(TURNS):
            writer = sidecars[turn * 7 % count]
            began = time.perf_counter()
            change(writer, turn + 1)
            committed = time.perf_counter()
            said.append(committed - began)
            behind = [sidecar for sidecar in sidecars if sidecar is not writer]
            while behind:
                behind = [sidecar for sidecar in behind if listed(sidecar) != turn + 1]
            seen.append(time.perf_counter() - committed)
        memory = sum(proportional(sidecar.pid) for sidecar in sidecars) / 1024
    return (
        f"{count} sidecars, started one after the other in {started:.0f} s, {memory:.0f} MiB"
        f" together (PSS): a change is answered after {statistics.median(said) * 1000:.0f} ms"
        f" (median of {TURNS}, by another sidecar each time), and listed by all others"
        f" {statistics.median(seen) * 1000:.0f} ms later (median; {max(seen) * 1000:.0f} at most),"
        " asked one after the other over REST"
    )


PATH = "/admin/interceptors/v1/vcluster/team/interceptor/simulate"


def change(sidecar: Sidecar, rate: int) -> None:
    """Have the fleet's one interceptor refuse so many percent."""
    body = {"pluginClass": PLUGIN, "priority": 1, "config": {"rateInPercent": rate, "seed": 1}}
    status, reply = sidecar.request("PUT", PATH, body)
    if status != 200:
        raise RuntimeError(f"the change was answered with {status}: {reply}")


def listed(sidecar: Sidecar) -> int:
    """How many percent it says."""
    status, reply = sidecar.request("GET", PATH)
    return int(reply["config"]["rateInPercent"]) if status == 200 else -1


def proportional(pid: int) -> int:
    """A process's share of memory, kB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--sidecars", type=int, default=20)
    parser.add_argument("--interceptors", type=int, nargs="+", default=[1, 100, 1000])
    options = parser.parse_args()
    with running() as kafka:
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        for count in options.interceptors:
            topic = f"scale-{count}"
            new = NewTopic(topic, 1, 3, config={"cleanup.policy": "compact"})
            admin.create_topics([new])[topic].result(30)
            change = fill(kafka.bootstrap, topic, count)
            log = max(kafka.home.rglob(f"{topic}-0/*.log"), key=lambda p: p.stat().st_size)
            seconds, memory, found = read(kafka.bootstrap, topic)
            print(
                f"{count} interceptors: {log.stat().st_size / 1000:.0f} kB in the topic, a change"
                f" takes {change * 1000:.0f} ms (median), read whole in {seconds:.2f} s with"
                f" {memory:.1f} MiB ({found} found)",
                flush=True,
            )
        topic = f"scale-{options.interceptors[-1]}"
        readers = Readers(kafka, topic, options.readers, end_of(kafka, topic))
        _PAUSE.wait(2)
        before = processor(readers.pid)
        idle = 30.0
        readers.hear(time.perf_counter(), idle)
        rest = (processor(readers.pid) - before) / idle
        state = ControlState(lambda _: None, store(kafka.bootstrap, topic))
        state.refresh()
        service = InterceptorService(state, Journal())
        before = processor(readers.pid)
        began = time.perf_counter()
        service.pause(f"interceptor-{0}", Scope(virtual_cluster="team00"))
        committed = time.perf_counter() - began
        heard = sorted(readers.hear(began, 30))
        readers.close()
        print(
            f"{options.readers} readers: {len(heard)} heard of a change; it was committed after"
            f" {committed * 1000:.0f} ms (a new writer), the median reader had it after"
            f" {statistics.median(heard) * 1000:.0f} ms, the last after {heard[-1] * 1000:.0f} ms;"
            f" the leader used {processor(readers.pid) - before:.2f} s for it, and"
            f" {rest * 100:.1f} % of a processor while all waited",
            flush=True,
        )
        print(fleet(kafka, options.sidecars))
    return 0


if __name__ == "__main__":
    sys.exit(main())
