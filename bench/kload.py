"""The load generator and its broker (bench/load, C): compiled when they change, run, read."""

import contextlib
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import cached
from children import Child, wait_until

_SOURCES = Path(__file__).with_name("load")
_FLAGS = ("-std=c11", "-O2", "-Wall")
VERSIONS = {"produce": 9, "fetch": 11, "metadata": 9, "apiversions": 3}
"""Of requests. kload knows Produce 3-12, Fetch 11-12, Metadata 0-12, ApiVersions 0-4."""
ERROR_NOT_LEADER = "6"


@cache
def binary() -> str:
    """The compiled program.

    Raises:
        cached.Unavailable: there is no C compiler, or it fails.
    """
    sources = sorted(_SOURCES.glob("*.[ch]"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]

    def compile_to(home: Path) -> None:
        units = [str(source) for source in sources if source.suffix == ".c"]
        cached.command(["cc", *_FLAGS, "-o", str(home / "kload"), *units])

    return str(cached.ensure(f"kload-{digest}", compile_to) / "kload")


@contextlib.contextmanager
def broker(home: Path, *, partitions: int = 1, check: bool = False) -> Iterator[tuple[int, Child]]:
    """A running broker: its port and its process. `check`: it compares every payload byte."""
    log = home / f"broker-{partitions}{'-check' if check else ''}.log"
    log.unlink(missing_ok=True)
    arguments = [binary(), "broker", "-n", str(partitions), *(["-x"] if check else [])]
    child = Child("broker", arguments, log)
    try:
        wait_until(lambda: log.read_text().endswith("\n"), "the bench's broker", 5)
        yield int(log.read_text()), child
    finally:
        child.stop()


@dataclass(frozen=True)
class Load:
    """What one client process does.

    Args:
        frame: bytes on the wire of a Produce request or a Fetch response, length included.
        in_flight: requests a connection has unanswered; the next follows each answer.
        rate: requests per second over all connections instead, whatever is unanswered; latencies
            then count from when a request was due.
    """

    api: str = "produce"
    frame: int = 1024
    in_flight: int = 1
    connections: int = 1
    seconds: float = 0.4
    warmup: float = 0.1
    rate: float = 0
    check: bool = False
    version: int | None = None

    def but(self, **changes: Any) -> "Load":
        """The same with some changes."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Sample:
    """What one window showed."""

    requests: int
    seconds: float
    bytes: int
    p50_us: float
    p99_us: float
    p999_us: float
    max_us: float
    errors: dict[str, int]
    damaged: int
    cpu_us_per_request: float
    """Of the proxy's processes."""
    foreign_cpu: float
    """Share of the machine's processors that was used by neither client, broker nor proxy."""

    @property
    def rps(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def mbps(self) -> float:
        """Bytes of requests and responses per second, in millions."""
        return self.bytes / self.seconds / 1e6


class LoadFailed(Exception):
    """A client was disconnected, answered out of order, or answered wrongly."""


def start(load: Load, port: int, token: str | None = None, pids: Sequence[int] = ()) -> "Running":
    """Start a client process; `pids` are the processes whose processor time it measures."""
    version = VERSIONS[load.api] if load.version is None else load.version
    arguments = [binary(), "client", "-p", str(port), "-a", load.api, "-v", str(version)]
    arguments += ["-f", str(load.frame), "-d", str(load.in_flight), "-c", str(load.connections)]
    arguments += ["-s", str(load.seconds), "-w", str(load.warmup), "-r", str(load.rate)]
    arguments += ["-x"] if load.check else []
    arguments += ["-k", token] if token else []
    for pid in pids:
        arguments += ["-i", str(pid)]
    process = subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    return Running(process, load)


@dataclass
class Running:
    """A client at work."""

    process: subprocess.Popen[bytes]
    load: Load

    def result(self, proxy: Sequence[int] = (), other: Sequence[int] = ()) -> Sample:
        """Wait for its end; `proxy` and `other` divide the pids given at the start.

        Raises:
            LoadFailed: the client found a fault.
        """
        patience = self.load.seconds + self.load.warmup + 60
        try:
            out, err = self.process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            out, err = b"", b"it hangs"
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.communicate()
        if not out:
            raise LoadFailed(err.decode(errors="replace").strip() or "the client died")
        raw = json.loads(out)
        if raw["fault"] or raw["damaged"]:
            raise LoadFailed(raw["fault"] or f"{raw['damaged']} responses were damaged")
        return _sample(raw, proxy, other)


def _sample(raw: dict[str, Any], proxy: Sequence[int], other: Sequence[int]) -> Sample:
    cpu = {int(pid): ns for pid, ns in raw["cpu_ns"].items()}
    ours = sum(cpu.get(pid, 0) for pid in [*proxy, *other]) + raw["own_cpu_ns"]
    capacity = raw["seconds"] * 1e9 * (os.cpu_count() or 1)
    return Sample(
        requests=raw["requests"],
        seconds=raw["seconds"],
        bytes=raw["bytes"],
        p50_us=raw["p50_us"],
        p99_us=raw["p99_us"],
        p999_us=raw["p999_us"],
        max_us=raw["max_us"],
        errors=raw["errors"],
        damaged=raw["damaged"],
        cpu_us_per_request=sum(cpu.get(pid, 0) for pid in proxy) / 1e3 / max(1, raw["requests"]),
        foreign_cpu=max(0.0, (raw["busy_ns"] - ours) / capacity),
    )


def measure(
    load: Load,
    port: int,
    token: str | None = None,
    proxy: Sequence[int] = (),
    other: Sequence[int] = (),
) -> Sample:
    """Run one client to its end."""
    return start(load, port, token, [*proxy, *other]).result(proxy, other)
