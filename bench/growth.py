"""How the sidecar starts and grows: memory, connections, partitions, interceptors, tenants."""

import contextlib
import json
import resource
import socket
import statistics
import struct
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

import kload
from children import Child, cpu_seconds, pause, resident_bytes
from kload import Load, Sample
from results import Json
from targets.base import Running
from targets.relays import Direct
from targets.sidecar import Mapped, Pass, SidecarTarget, add_interceptor, ask

_METADATA = struct.pack(">ihhih1si", 15, 3, 1, 1, 1, b"b", 0)
"""A Metadata v1 request for no topic: it makes the sidecar connect to the broker."""


class _Roomy(Pass):
    """Lets more clients in than the default."""

    name = "sidecar-roomy"
    settings = MappingProxyType({"GATEWAY_MAX_CONNECTIONS": "20000"})


class _Two(Pass):
    """Two processes on the client port."""

    name = "sidecar-two-workers"
    settings = MappingProxyType({"GATEWAY_WORKERS": "2"})


@contextlib.contextmanager
def up(
    target: SidecarTarget, home: Path, *, partitions: int = 1
) -> Iterator[tuple[Running, int, Child]]:
    """A sidecar before a broker of its own: it, its HTTP port, the broker's process."""
    folder = Path(home, f"{target.name}-{time.monotonic_ns()}")
    folder.mkdir()
    with kload.broker(folder, partitions=partitions) as (port, broker):
        running, http_port = target.launch(port, folder)
        try:
            target.set_up(running, http_port)
            yield running, http_port, broker
        finally:
            running.stop()


def megabytes(running: Running) -> float:
    """Memory of a target, in millions of bytes."""
    return round(resident_bytes(running.pids()) / 1e6, 1)


def start(home: Path, rounds: int) -> Json:
    """From the start of the process until /health says yes, read every 50 ms."""
    found = []
    with kload.broker(home) as (port, _):
        for number in range(rounds):
            folder = home / str(number)
            folder.mkdir()
            began = time.monotonic()
            running, _http = Pass().launch(port, folder)
            found.append(time.monotonic() - began)
            running.stop()
    return {
        "ready_seconds": round(statistics.median(found), 2),
        "all": [round(f, 2) for f in found],
    }


def _idle_connections(port: int, count: int) -> list[socket.socket]:
    """Clients that asked one thing, were answered by the broker, and stay."""
    sockets = []
    for _ in range(count):
        sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        sock.sendall(_METADATA)
        size = int.from_bytes(sock.recv(4, socket.MSG_WAITALL), "big")
        sock.recv(size, socket.MSG_WAITALL)
        sockets.append(sock)
    return sockets


def memory(home: Path, rounds: int) -> Json:
    """Resident memory and idle processor time with more and more idle clients."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 300  # two files a connection
    result: Json = {}
    with contextlib.ExitStack() as stack:
        running, _, _ = stack.enter_context(up(_Roomy(), home))
        pause(1)
        result["rest_mb"] = megabytes(running)
        result["rest_cpu_percent"] = _idle_cpu(running)
        have = 0
        for wanted in (100, 1000, min(10000, most)):
            for sock in _idle_connections(running.port, wanted - have):
                stack.callback(sock.close)
            have = wanted
            pause(1)
            key = f"idle_{wanted}"
            result[f"{key}_mb"] = megabytes(running)
            result[f"{key}_cpu_percent"] = _idle_cpu(running)
    return result


def _idle_cpu(running: Running, seconds: float = 3.0) -> float:
    """Percent of one processor."""
    pids = running.pids()
    before = cpu_seconds(pids)
    pause(seconds)
    return round((cpu_seconds(pids) - before) / seconds * 100, 2)


def short(sample: Sample) -> Json:
    """What matters of a sample."""
    return {
        "rps": round(sample.rps),
        "p50_us": round(sample.p50_us, 1),
        "p99_us": round(sample.p99_us, 1),
        "max_us": round(sample.max_us, 1),
        "cpu_us_per_request": round(sample.cpu_us_per_request, 2),
        "foreign_cpu": round(sample.foreign_cpu, 3),
    }


def middle(samples: Sequence[Sample]) -> Json:
    """The sample with the median throughput."""
    return short(sorted(samples, key=lambda sample: sample.rps)[len(samples) // 2])


def busy(home: Path, rounds: int) -> Json:
    """1 KiB produced by more and more connections, one in flight each."""
    result: Json = {}
    with up(_Roomy(), home) as (running, _, broker):
        for count in (1, 10, 100, 1000, 5000):
            load = Load(connections=count, seconds=1.0, warmup=0.5 if count < 1000 else 2.0)
            pids = running.pids()
            samples = [
                kload.measure(load, running.port, None, pids, [broker.pid]) for _ in range(rounds)
            ]
            result[str(count)] = {**middle(samples), "memory_mb": megabytes(running)}
    return result


def partitions(home: Path, rounds: int) -> Json:
    """Metadata v9 of one topic with 10,000 partitions, one request after the other."""
    result: Json = {}
    load = Load("metadata", seconds=1.0, warmup=0.3)
    for target in (Pass(), Mapped()):
        with up(target, home, partitions=10_000) as (running, _, broker):
            pids = running.pids()
            samples = [
                kload.measure(load, running.port, running.token, pids, [broker.pid])
                for _ in range(rounds)
            ]
            result[target.name] = middle(samples)
    with kload.broker(home, partitions=10_000) as (port, broker):
        samples = [kload.measure(load, port, None, [], [broker.pid]) for _ in range(rounds)]
        result[Direct.name] = middle(samples)
    return result


def interceptors(home: Path, rounds: int) -> Json:
    """16 KiB produced beside 0, 100 and 1,000 interceptors of other virtual clusters.

    A sidecar may take fewer than asked for (docs/limits.md); `accepted` says how many.
    """
    result: Json = {}
    load = Load(frame=16384, in_flight=5, connections=10)
    samples: dict[int, list[Sample]] = {0: [], 100: [], 1000: []}
    with contextlib.ExitStack() as stack:
        sidecars = {}
        for count in samples:
            running, http_port, broker = stack.enter_context(up(Pass(), home))
            began = time.monotonic()
            added = 0
            while added < count and _added(http_port, f"/vcluster/v{added % 100}", f"i{added}"):
                added += 1
            result[f"{count}_accepted"] = added
            result[f"{count}_seconds"] = round(time.monotonic() - began, 2)
            sidecars[count] = (running, broker)
        for _ in range(rounds):
            for count, (running, broker) in sidecars.items():
                pids = running.pids()
                found = kload.measure(load, running.port, None, pids, [broker.pid])
                samples[count].append(found)
        for count, (running, _) in sidecars.items():
            result[str(count)] = {**middle(samples[count]), "memory_mb": megabytes(running)}
    for count in (100, 1000):
        pairs = zip(samples[count], samples[0], strict=True)
        result[f"{count}_by_0"] = round(statistics.median(a.rps / b.rps for a, b in pairs), 3)
    return result


def _added(http_port: int, scope: str, name: str) -> bool:
    """Add one; calls are limited in rate, so ask again; False where the sidecar takes no more."""
    for _ in range(15):
        try:
            add_interceptor(http_port, scope, name, 50)
        except OSError:
            pause(0.2)
        else:
            return True
    return False


def vclusters(home: Path, rounds: int) -> Json:
    """Ten clients of ten connections each, 1 KiB: of one virtual cluster, then of ten."""
    result: Json = {}
    load = Load(in_flight=5, connections=10, seconds=1.0, warmup=0.5)
    rates: dict[str, list[float]] = {"1": [], "10": []}
    with up(Mapped(), home) as (running, http_port, _):
        tokens = []
        for number in range(10):
            path = f"/admin/vclusters/v1/vcluster/tenant{number}/username/sa"
            reply = ask(http_port, "POST", path, {"lifeTimeSeconds": 3600})
            tokens.append(json.loads(reply)["token"])
        for _ in range(rounds):
            for name, chosen in (("1", tokens[:1] * 10), ("10", tokens)):
                clients = [kload.start(load, running.port, token) for token in chosen]
                rates[name].append(sum(client.result().rps for client in clients))
    for name, found in rates.items():
        result[f"{name}_rps"] = round(statistics.median(found))
    pairs = zip(rates["10"], rates["1"], strict=True)
    result["10_by_1"] = round(statistics.median(a / b for a, b in pairs), 3)
    return result


def workers(home: Path, rounds: int) -> Json:
    """Produced by one process and by two, side by side: throughput, processor time, memory.

    Two workers need more than two processors to show what they are for: client and broker want
    theirs. Connections are spread by the kernel's hash: of few, one worker may have most.
    """
    result: Json = {}
    targets = {"1": Pass(), "2": _Two()}
    with contextlib.ExitStack() as stack:
        sidecars = {}
        for count, target in targets.items():
            running, _, broker = stack.enter_context(up(target, home))
            sidecars[count] = (running, broker)
            result[f"{count}_rest_mb"] = megabytes(running)
        for size in (1024, 16384):
            for connections in (10, 100):
                load = Load(frame=size, in_flight=5, connections=connections)
                result[f"{size}_x{connections}"] = _side_by_side(load, sidecars, rounds)
        for count, (running, _) in sidecars.items():
            result[f"{count}_worked_mb"] = megabytes(running)
    return result


def _side_by_side(load: Load, sidecars: dict[str, tuple[Running, Child]], rounds: int) -> Json:
    """A load on sidecars "1" and "2" in turn; medians, and the median of same-round ratios."""
    samples: dict[str, list[Sample]] = {count: [] for count in sidecars}
    for number in range(rounds):
        turns = list(sidecars.items())
        for count, (running, broker) in turns if number % 2 else reversed(turns):
            found = kload.measure(load, running.port, None, running.pids(), [broker.pid])
            samples[count].append(found)
    pairs = list(zip(samples["2"], samples["1"], strict=True))
    return {
        **{count: middle(found) for count, found in samples.items()},
        "2_by_1_rps": round(statistics.median(a.rps / b.rps for a, b in pairs), 3),
        "2_by_1_cpu": round(
            statistics.median(a.cpu_us_per_request / b.cpu_us_per_request for a, b in pairs), 3
        ),
    }
