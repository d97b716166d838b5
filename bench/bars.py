"""The bars: what the sidecar is held to, and whether it clears them.

A bar on several frame sizes is held at each: what counts is the worst of them. Ratios are medians
of same-round ratios, then the geometric mean over in-flight and connections. Produce and fetch are
held to the same bar, apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from matrix import Rounds
from plan import APIS
from results import Json, frame_name, geometric_mean, group, ratio

SMALL, MIDDLE, LARGE = (100, 1024), (16384,), (131072, 1048576)
ANY = SMALL + MIDDLE + LARGE
PASS = "sidecar-pass"


@dataclass(frozen=True)
class Bar:
    """One requirement on a ratio."""

    what: str
    ours: str
    other: str
    metric: str
    frames: tuple[int, ...]
    bound: float
    at_most: bool = False
    apis: tuple[str, ...] = APIS
    alone: bool = False
    """One connection with one request in flight only; the mean then goes over the sizes."""


def _throughput(other: str, frames: tuple[int, ...], bound: float, sizes: str) -> Bar:
    return Bar(f"throughput by {other}, {sizes}", PASS, other, "rps", frames, bound)


def _cpu(other: str, frames: tuple[int, ...], bound: float, sizes: str) -> Bar:
    return Bar(f"CPU per request by {other}, {sizes}", PASS, other, "cpu", frames, bound, True)


def _inside(
    what: str, ours: str, metric: str, bound: float, *, at_most: bool = False, **more: Any
) -> Bar:
    frames = more.pop("frames", MIDDLE)
    return Bar(f"{what} by pass-through", ours, PASS, metric, frames, bound, at_most, **more)


BARS: tuple[Bar, ...] = (
    _throughput("toxiproxy", SMALL, 1.15, "to 1 KiB"),
    _throughput("toxiproxy", MIDDLE, 1.5, "16 KiB"),
    _throughput("toxiproxy", LARGE, 2.2, "from 128 KiB"),
    _throughput("kafka-proxy", ANY, 2.0, "any size"),
    _cpu("kafka-proxy", ANY, 0.6, "any size"),
    _throughput("kroxylicious", ANY, 1.0, "any size"),
    _cpu("kroxylicious", ANY, 0.8, "any size"),
    _throughput("envoy", ANY, 0.95, "any size"),
    _throughput("haproxy", SMALL, 0.85, "to 1 KiB"),
    _throughput("haproxy", MIDDLE, 0.95, "16 KiB"),
    _throughput("haproxy", LARGE, 1.6, "from 128 KiB"),
    _cpu("haproxy", SMALL, 1.3, "to 1 KiB"),
    _cpu("haproxy", MIDDLE, 1.1, "16 KiB"),
    _cpu("haproxy", LARGE, 0.55, "from 128 KiB"),
    Bar("p50 alone to 16 KiB by haproxy", PASS, "haproxy", "p50", SMALL + MIDDLE, 1.12, True,
        alone=True),
    Bar("p99 alone to 16 KiB by haproxy", PASS, "haproxy", "p99", SMALL + MIDDLE, 1.3, True,
        alone=True),
    _inside("throughput, names mapped, 16 KiB,", "sidecar-mapped", "rps", 0.92),
    _inside("CPU per request, names mapped, 16 KiB,", "sidecar-mapped", "cpu", 1.15, at_most=True),
    _inside("throughput, 50 % injected, 16 KiB,", "sidecar-inject50", "rps", 0.85,
            apis=("produce",)),
    _inside("throughput, interceptors that do not match,", "sidecar-nomatch", "rps", 0.98,
            frames=ANY),
)  # fmt: skip


def _values(bar: Bar, api: str, rounds: Rounds) -> Iterator[tuple[str, float]]:
    """Where, and the ratio."""
    if bar.alone:
        cells = [
            c for c in rounds
            if (c.api, c.in_flight, c.connections) == (api, 1, 1) and c.frame in bar.frames
        ]  # fmt: skip
        found = [ratio(rounds, cell, bar.ours, bar.other, bar.metric) for cell in cells]
        mean = geometric_mean(value for value in found if value is not None)
        if mean is not None:
            yield " ".join(frame_name(cell.frame) for cell in cells), mean
        return
    for frame in bar.frames:
        value = group(rounds, api, frame, bar.ours, bar.other, bar.metric)
        if value is not None:
            yield frame_name(frame), value


def _row(what: str, measured: float | None, bound: float, at_most: bool, **more: Any) -> Json:
    passed = None
    if measured is not None:
        passed = measured <= bound if at_most else measured >= bound
    return {
        "what": what,
        **more,
        "measured": None if measured is None else round(measured, 3),
        "required": f"{'<=' if at_most else '>='} {bound:g}",
        "pass": passed,
    }


def judge(rounds: Rounds) -> list[Json]:
    """A row for every bar and API; `pass` is None where it was not measured."""
    rows = []
    for bar in BARS:
        for api in bar.apis:
            found = list(_values(bar, api, rounds))
            worst = (max if bar.at_most else min)(found, key=lambda each: each[1], default=None)
            at, measured = worst if worst else ("", None)
            rows.append(_row(bar.what, measured, bar.bound, bar.at_most, api=api, at=at))
    return rows


EXTRA_BARS = (
    ("small_flow.p50_ratio", "p50 of a small flow beside 10 x 1 MiB by haproxy's", 0.5, True),
    ("memory.rest_mb", "memory at rest, MB", 60, True),
    ("memory.idle_1000_mb", "memory with 1,000 idle connections, MB", 90, True),
    ("start.ready_seconds", "start to ready, s", 1.0, True),
    ("stall.worst_ms", "longest event-loop stall seen by a small flow, ms", 20, True),
    ("real_kafka.producer_to_direct", "Java producer through real Kafka by direct", 0.95, False),
    ("real_kafka.producer_to_best_peer", "the same by the best Kafka-aware peer", 1.0, False),
)
"""Where in the other results (extra.json, real_kafka.json), what, and the bound."""


def judge_extra(others: Json) -> list[Json]:
    """Rows for the bars that other commands measure; `others` by the name of their file."""
    rows = []
    for path, what, bound, at_most in EXTRA_BARS:
        value: Any = others
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        measured = float(value) if isinstance(value, int | float) else None
        rows.append(_row(what, measured, bound, at_most, api="", at=""))
    return rows
