"""The results as a picture: throughput and processor time by frame size, as SVG text.

Bars are geometric means over all cells of a frame size, relative to pass-through: one is the
sidecar, longer is faster (left) or dearer (right).
"""

import argparse
import json
from html import escape
from pathlib import Path

from results import Json, frame_name

_ROW, _GAP, _TOP, _LEFT, _WIDTH = 15, 14, 64, 150, 250
_OURS, _AWARE, _RELAY = "#c2410c", "#0f766e", "#94a3b8"
_AWARE_PEERS = frozenset({"kroxylicious", "kafka-proxy"})
_MOST = 2.5
"""Longest bar, as a multiple of the sidecar's; longer ones are cut and say so."""


def _colour(name: str) -> str:
    if name.startswith("sidecar"):
        return _OURS
    return _AWARE if name in _AWARE_PEERS else _RELAY


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 11) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _bar(x: float, y: float, value: float, name: str) -> list[str]:
    width = min(value, _MOST) / _MOST * _WIDTH
    label = f"{value:.2f}" + (" »" if value > _MOST else "")
    return [
        f'<rect x="{x:.0f}" y="{y + 2:.0f}" width="{width:.1f}" height="{_ROW - 4}" '
        f'fill="{_colour(name)}"/>',
        _text(x + width + 4, y + _ROW - 4, label, size=10),
    ]


def _relative(content: Json, api: str, frame: int) -> list[tuple[str, float, float]]:
    """Name, throughput and processor time of each target, by the sidecar's."""
    rows = [("sidecar-pass", 1.0, 1.0)]
    for row in content["ratios"]:
        if (row["api"], row["frame"], row["target"]) == (api, frame, "sidecar-pass"):
            cpu = 1 / row["cpu"] if row["cpu"] else 0.0
            rows.append((row["to"], 1 / row["rps"], cpu))
    return sorted(rows, key=lambda row: -row[1])


def draw(content: Json, api: str = "produce") -> str:
    """The SVG of one API."""
    frames = sorted({row["frame"] for row in content["ratios"] if row["api"] == api})
    parts, y = [], float(_TOP)
    second = _LEFT + _WIDTH + 70
    for frame in frames:
        parts.append(_text(10, y + 10, f"{api} {frame_name(frame)}", size=12))
        y += _ROW
        for name, throughput, cpu in _relative(content, api, frame):
            parts.append(_text(_LEFT - 6, y + _ROW - 4, name, "end"))
            parts += _bar(_LEFT, y, throughput, name)
            if cpu:
                parts += _bar(second, y, cpu, name)
            y += _ROW
        y += _GAP
    machine = content["machine"]
    head = [
        _text(10, 20, "kafka-chaos-sidecar beside other proxies; the sidecar is 1", size=14),
        _text(10, 38, f"{machine['cores']} cores {machine['cpu']}, {content['measured_at'][:10]}; "
              "orange: sidecar, green: reads Kafka, grey: carries bytes"),
        _text(_LEFT, 56, "throughput (longer is faster)"),
        _text(second, 56, "processor time per request (shorter is better)"),
    ]  # fmt: skip
    width = second + _WIDTH + 60
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y:.0f}" '
        f'viewBox="0 0 {width} {y:.0f}" font-family="sans-serif" fill="#1e293b">\n'
        f'<rect width="{width}" height="{y:.0f}" fill="#ffffff"/>\n'
        + "\n".join([*head, *parts])
        + "\n</svg>\n"
    )


def main() -> None:
    """Draw from a results file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = Path(__file__).with_name("results") / "latest.json"
    parser.add_argument("json", type=Path, nargs="?", default=default)
    parser.add_argument("--api", default="produce", choices=("produce", "fetch"))
    arguments = parser.parse_args()
    print(draw(json.loads(arguments.json.read_text()), arguments.api), end="")


if __name__ == "__main__":
    main()
