"""What control calls cost the data plane: round trips through one sidecar, idle, asked, flooded.

    python bench/control_flood.py [--seconds 3] [--rounds 5]

An embedded cluster and one sidecar run as processes of their own. One client sends Metadata
requests back to back over one connection through the sidecar and times each. Meanwhile control is
idle, asked 100 times a second, or flooded by two processes as fast as they can. Rounds are
interleaved; the table shows medians over the rounds of p50 and p99, and their ratio to the idle
round beside it.
"""

import argparse
import base64
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import grpc

import codec
from codec.api_keys import ApiKey
from codec.frames import frame
from codec.headers import request_header
from codec.messages.metadata import MetadataRequest
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as messages
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2_grpc as services

CLUSTER, CLIENTS, HTTP, GRPC = 23092, 23969, 23888, 23051
CREDENTIALS = (("authorization", "Basic " + base64.b64encode(b"admin:conduktor").decode()),)
UNLIMITED = 1e9
LOADS: dict[str, tuple[int, float]] = {
    "idle": (0, 0),
    "100 calls/s": (1, 100),
    "flood": (2, UNLIMITED),
}


@contextmanager
def processes() -> Iterator[None]:
    """The cluster and the sidecar, ended at the end."""
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{CLUSTER}",
        "GATEWAY_START_PORT": str(CLIENTS),
        "GATEWAY_HTTP_PORT": str(HTTP),
        "GATEWAY_GRPC_PORT": str(GRPC),
    }
    with ExitStack() as stack:
        for command in (["cluster", "--brokers", "1", "--port", str(CLUSTER)], ["run"]):
            process = subprocess.Popen(
                [sys.executable, "-m", "sidecar", *command],
                env=os.environ | settings,
                stdout=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        wait_healthy()
        yield


def wait_healthy() -> None:
    """Wait for the sidecar's /health, at most 20 seconds."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://localhost:{HTTP}/health", timeout=2):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            threading.Event().wait(0.1)


def round_trips(seconds: float) -> list[float]:
    """Latencies in microseconds of Metadata requests, one after the other."""
    body = codec.encode(MetadataRequest(topics=[]), 9)
    request = b"".join(frame(request_header(ApiKey.METADATA, 9, 1, "bench"), body))
    found = []
    with socket.create_connection(("127.0.0.1", CLIENTS)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            sock.sendall(request)
            size = int.from_bytes(sock.recv(4, socket.MSG_WAITALL), "big")
            sock.recv(size, socket.MSG_WAITALL)
            found.append((time.perf_counter() - start) * 1e6)
    return found


def call_control(stop: Any, calls: Any, rate: float) -> None:
    """Call ListInterceptors until told to stop, `rate` times a second; runs in its own process."""
    with grpc.insecure_channel(f"127.0.0.1:{GRPC}") as channel:
        stub = services.InterceptorServiceStub(channel)
        while not stop.is_set():
            # A refusal by the rate limit is a call all the same.
            with suppress(grpc.RpcError):
                stub.ListInterceptors(messages.ListInterceptorsRequest(), metadata=CREDENTIALS)
            with calls.get_lock():
                calls.value += 1
            if rate < UNLIMITED:
                stop.wait(1 / rate)


@contextmanager
def control_load(clients: int, rate: float) -> Iterator[Callable[[], int]]:
    """Processes that call control; yields how many calls they have made."""
    context = multiprocessing.get_context("spawn")
    stop, calls = context.Event(), context.Value("i", 0)
    callers = [
        context.Process(target=call_control, args=(stop, calls, rate)) for _ in range(clients)
    ]
    for caller in callers:
        caller.start()
    try:
        while clients and not calls.value:
            threading.Event().wait(0.05)
        before = calls.value
        yield lambda: calls.value - before
    finally:
        stop.set()
        for caller in callers:
            caller.join()


def main() -> int:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="of one sample (default: 3)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved (default: 5)")
    arguments = parser.parse_args()
    samples: dict[str, list[tuple[float, float, float]]] = {name: [] for name in LOADS}
    with processes():
        round_trips(1.0)
        for _ in range(arguments.rounds):
            for name, (clients, rate) in LOADS.items():
                with control_load(clients, rate) as calls:
                    found = sorted(round_trips(arguments.seconds))
                    per_second = calls() / arguments.seconds
                p50, p99 = found[len(found) // 2], found[len(found) * 99 // 100]
                samples[name].append((p50, p99, per_second))
    print(
        f"{'control':<14}{'calls/s':>9}{'p50 us':>9}{'p99 us':>9}{'p50 ratio':>11}{'p99 ratio':>11}"
    )
    for name, rows in samples.items():
        ratios = [
            (row[0] / idle[0], row[1] / idle[1])
            for row, idle in zip(rows, samples["idle"], strict=True)
        ]
        figures = [statistics.median(column) for column in zip(*rows, strict=True)]
        p50_ratio, p99_ratio = (statistics.median(column) for column in zip(*ratios, strict=True))
        print(
            f"{name:<14}{figures[2]:>11.0f}{figures[0]:>11.0f}{figures[1]:>11.0f}"
            f"{p50_ratio:>11.2f}{p99_ratio:>11.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
