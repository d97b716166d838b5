"""What one client of a proxy does to another: latencies of a small flow beside something large."""

import contextlib
import statistics
from pathlib import Path

import kload
from children import pause
from growth import short
from kload import Load, Sample
from results import Json
from targets.base import Running, Target
from targets.relays import Direct, HAProxy
from targets.sidecar import Pass

_SMALL = Load(frame=1024, connections=2, rate=200, seconds=2.0, warmup=0.2)
"""The flow that is watched: 1 KiB, 200 a second; latencies count from when each was due."""


def _up(target: Target, home: Path, stack: contextlib.ExitStack) -> Running:
    folder = home / target.name
    folder.mkdir()
    port, _ = stack.enter_context(kload.broker(folder))
    target.prepare()
    running = target.start(port, folder)
    stack.callback(running.stop)
    return running


def _beside(running: Running, bulk: Load, small: Load = _SMALL) -> tuple[Sample, Sample]:
    """The small flow's sample and the other's, which begins before and ends after."""
    other = kload.start(bulk, running.port, running.token)
    pause(0.4)
    watched = kload.start(small, running.port, running.token)
    return watched.result(), other.result()


def small_flow(home: Path, rounds: int) -> Json:
    """Beside ten connections that saturate the proxy with five 1 MiB requests each."""
    bulk = Load(frame=1 << 20, in_flight=5, connections=10, seconds=2.6, warmup=0.2)
    names: list[Target] = [Direct(), Pass(), HAProxy()]
    with contextlib.ExitStack() as stack:
        running = {target.name: _up(target, home, stack) for target in names}
        found = [
            {name: _beside(each, bulk) for name, each in running.items()} for _ in range(rounds)
        ]
    result: Json = {}
    for name in running:
        pairs = [each[name] for each in found]
        watched = sorted((small for small, _ in pairs), key=lambda sample: sample.p50_us)
        rate = statistics.median(other.mbps for _, other in pairs)
        result[name] = {**short(watched[len(watched) // 2]), "bulk_mbps": round(rate)}
    ratios = [each[Pass.name][0].p50_us / each[HAProxy.name][0].p50_us for each in found]
    return {"p50_ratio": round(statistics.median(ratios), 3), **result}


def large_frame(home: Path, rounds: int) -> Json:
    """Alone, and beside one client that sends frames of 100 MiB one after the other."""
    bulk = Load(frame=100 * 1024 * 1024, seconds=3.0, warmup=0)
    result: Json = {}
    with contextlib.ExitStack() as stack:
        for target in (Direct(), Pass(), HAProxy()):
            running = _up(target, home, stack)
            alone = [kload.measure(_SMALL, running.port, running.token) for _ in range(rounds)]
            beside = [_beside(running, bulk)[0] for _ in range(rounds)]
            result[target.name] = {"alone": _worst(alone), "beside": _worst(beside)}
    return result


def _worst(samples: list[Sample]) -> Json:
    return {
        "p50_us": round(statistics.median(sample.p50_us for sample in samples), 1),
        "p99_us": round(statistics.median(sample.p99_us for sample in samples), 1),
        "worst_ms": round(max(sample.max_us for sample in samples) / 1000, 2),
    }


def stall(home: Path, rounds: int) -> Json:
    """Bounds the longest stall of the event loop from outside: the small flow's worst latency.

    Beside ten connections with one 1 KiB request each: whatever holds the loop up shows as a
    latency of the watched flow, and so does a processor that others use; direct tells how much.
    """
    bulk = Load(frame=1024, connections=10, seconds=3.6, warmup=0.2)
    watched = _SMALL.but(rate=500.0, seconds=3.0)
    result: Json = {}
    with contextlib.ExitStack() as stack:
        for target in (Direct(), Pass()):
            running = _up(target, home, stack)
            samples = [_beside(running, bulk, watched)[0] for _ in range(rounds)]
            result[target.name] = _worst(samples)
    return {"worst_ms": result[Pass.name]["worst_ms"], **result}
