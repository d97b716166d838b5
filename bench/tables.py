"""The results as text."""

from collections.abc import Sequence
from typing import Any

from results import Json, frame_name


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns, the first to the left and the others to the right."""
    texts = [list(head), *[[_text(value) for value in row] for row in rows]]
    widths = [max(len(row[column]) for row in texts) for column in range(len(head))]
    lines = []
    for row in texts:
        cells = [row[0].ljust(widths[0])]
        cells += [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return str(value)


def _cells(content: Json) -> str:
    head = ["cell", "target", "req/s", "MB/s", "p50 us", "p99 us", "CPU us", "to direct", "spread",
            "foreign"]  # fmt: skip
    rows = [
        [
            f"{cell['api']} {frame_name(cell['frame'])} "
            f"d{cell['in_flight']} c{cell['connections']}",
            cell["target"], f"{cell['rps']:,.0f}", cell["mbps"], cell["p50_us"], cell["p99_us"],
            cell["cpu_us_per_request"], cell["ratio_to_direct"], cell["spread"],
            cell["foreign_cpu"],
        ]
        for cell in content["cells"]
    ]  # fmt: skip
    return table(head, rows)


def _ratios(content: Json) -> str:
    rows = [
        [f"{row['api']} {frame_name(row['frame'])}", row["target"], row["to"],
         row["rps"], row["cpu"], row["p50"], row["p99"]]
        for row in content["ratios"]
        if row["target"] == "sidecar-pass" or row["to"] == "sidecar-pass"
    ]  # fmt: skip
    return table(["load", "target", "by", "throughput", "CPU/req", "p50", "p99"], rows)


def bars_table(bars: Sequence[Json]) -> str:
    """Each bar: what was measured, what is required, and whether it is met."""
    verdicts = {True: "pass", False: "FAIL", None: "not measured"}
    rows = []
    for bar in bars:
        measured = None if bar["measured"] is None else f"{bar['measured']:.3f}"
        row = [bar["what"], bar["api"], bar["at"], measured, bar["required"]]
        rows.append([*row, verdicts[bar["pass"]]])
    return table(["bar", "api", "worst at", "measured", "required", ""], rows)


def whole(content: Json) -> str:
    """Everything."""
    run = content["run"]
    parts = [
        _cells(content),
        "Ratios: medians of same-round ratios, geometric means over in flight and connections\n"
        + _ratios(content),
        bars_table(content["bars"]),
    ]
    if content["missing"]:
        lines = [f"{name}: {why}" for name, why in content["missing"].items()]
        parts.append("not measured\n" + "\n".join(lines))
    if content["failures"]:
        parts.append("failed samples\n" + "\n".join(content["failures"]))
    parts.append(
        f"{run['samples']} samples in {run['minutes']} minutes; others used "
        f"{run['foreign_cpu_mean']:.0%} of the processors on average, more than 10 % in "
        f"{run['samples_above_10_percent_foreign']} samples; {run['samples_repeated']} repeated, "
        f"{run['seconds_waited_for_calm']:.0f} s waited for calm"
    )
    return "\n\n".join(parts)
