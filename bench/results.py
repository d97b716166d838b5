"""From samples to numbers: medians, ratios of the same round, and what the machine was."""

import math
import os
import platform
import statistics
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kload import Sample
from matrix import Outcome, Rounds
from plan import FRAMES, Cell

Value = Callable[[Sample], float]
METRICS: dict[str, Value] = {
    "rps": lambda sample: sample.rps,
    "cpu": lambda sample: sample.cpu_us_per_request,
    "p50": lambda sample: sample.p50_us,
    "p99": lambda sample: sample.p99_us,
}
Json = dict[str, Any]


def geometric_mean(values: Iterable[float]) -> float | None:
    """Of positive numbers; None of none."""
    logs = [math.log(value) for value in values if value > 0]
    return math.exp(sum(logs) / len(logs)) if logs else None


def ratio(rounds: Rounds, cell: Cell, one: str, other: str, metric: str) -> float | None:
    """Median over the rounds of one target's number by the other's of the same round."""
    value = METRICS[metric]
    pairs = zip(rounds[cell].get(one, []), rounds[cell].get(other, []), strict=False)
    found = [value(a) / value(b) for a, b in pairs if a and b and value(b) > 0]
    return statistics.median(found) if found else None


def spread(samples: list[float]) -> float:
    """Half the distance of the quartiles, by the median: how far rounds are apart."""
    if len(samples) < 4:
        return (max(samples) - min(samples)) / 2 / statistics.median(samples)
    low, middle, high = statistics.quantiles(samples, n=4)
    return (high - low) / 2 / middle


def _cell(rounds: Rounds, cell: Cell, name: str) -> Json | None:
    samples = [sample for sample in rounds[cell][name] if sample]
    if not samples:
        return None

    def median(value: Value, digits: int) -> float:
        return round(statistics.median(map(value, samples)), digits)

    return {
        "target": name,
        "api": cell.api,
        "frame": cell.frame,
        "in_flight": cell.in_flight,
        "connections": cell.connections,
        "rps": median(lambda s: s.rps, 1),
        "mbps": median(lambda s: s.mbps, 2),
        "p50_us": median(lambda s: s.p50_us, 1),
        "p99_us": median(lambda s: s.p99_us, 1),
        "p999_us": median(lambda s: s.p999_us, 1),
        "max_us": round(max(s.max_us for s in samples), 1),
        "cpu_us_per_request": median(lambda s: s.cpu_us_per_request, 2),
        "ratio_to_direct": _rounded(ratio(rounds, cell, name, "direct", "rps")),
        "rounds": len(samples),
        "spread": round(spread([s.rps for s in samples]), 3),
        "foreign_cpu": median(lambda s: s.foreign_cpu, 3),
        "errors": _errors(samples),
    }


def _errors(samples: list[Sample]) -> dict[str, int]:
    codes = sorted({code for sample in samples for code in sample.errors})
    return {code: sum(sample.errors.get(code, 0) for sample in samples) for code in codes}


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)


def frame_name(size: int) -> str:
    """As the tables spell it."""
    return next((name for name, each in FRAMES.items() if each == size), f"{size}B")


def group(rounds: Rounds, api: str, frame: int, one: str, other: str, metric: str) -> float | None:
    """Geometric mean of the ratios over in-flight and connections."""
    cells = [cell for cell in rounds if (cell.api, cell.frame) == (api, frame)]
    found = [ratio(rounds, cell, one, other, metric) for cell in cells]
    return geometric_mean(value for value in found if value is not None)


def ratios(rounds: Rounds, names: list[str]) -> list[Json]:
    """Every target against every sidecar it may be compared with, by api and frame size."""
    rows = []
    for api, frame in sorted({(cell.api, cell.frame) for cell in rounds}):
        for ours in (name for name in names if name.startswith("sidecar")):
            for other in names:
                found = {m: _rounded(group(rounds, api, frame, ours, other, m)) for m in METRICS}
                if other != ours and found["rps"] is not None:
                    rows.append({"api": api, "frame": frame, "target": ours, "to": other, **found})
    return rows


def machine() -> Json:
    """Where it was measured."""
    cpu = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
        "kernel": platform.release(),
        "congestion_control": _sysctl("net/ipv4/tcp_congestion_control"),
        "python": platform.python_version(),
    }


def _sysctl(name: str) -> str:
    path = Path("/proc/sys") / name
    return path.read_text().strip() if path.exists() else "unknown"


def summary(outcome: Outcome) -> Json:
    """The results as they are written to JSON, less what the run adds."""
    names = [name for name in outcome.versions if name not in outcome.missing]
    cells = [_cell(outcome.rounds, cell, name) for cell in outcome.rounds for name in names]
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "targets": {name: outcome.versions[name] for name in names},
        "missing": outcome.missing,
        "failures": outcome.failures,
        "cells": [cell for cell in cells if cell],
        "ratios": ratios(outcome.rounds, names),
    }
