"""``make faults``: every fault on real Kafka, and the table in docs/reliability.md anew."""

from __future__ import annotations

import argparse
import datetime
import sys
from pathlib import Path

import confluent_kafka

from tests.kafka.cluster import running
from tests.kafka.processes import progress
from tests.kafka.reliability.faults import FAULTS, GONE_SECONDS
from tests.kafka.reliability.world import Row, World, tried

PAGE = Path(__file__).parents[3] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults begin -->", "<!-- faults end -->"


def table(rows: list[Row], version: str, gone: float) -> str:
    """The part of the page that is measured."""
    when = datetime.datetime.now(datetime.UTC).date()
    client = confluent_kafka.libversion()[0]
    lines = [
        f"{when}, Kafka {version}, librdkafka {client}, `make faults`; all brokers gone for"
        f" {gone:g} s.",
        "",
        "| fault | what was done | errors clients told of | acknowledged | lost | duplicated | out"
        " of order | given up | longest silence | memory MiB | descriptors | besides |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(line, rows)])


def line(row: Row) -> str:
    """One row of the table."""
    return (
        f"| {row.name} | {row.what} | {row.saw} | {row.acknowledged:,} | {row.lost} |"
        f" {row.duplicated} | {row.disordered} | {row.failed} | {row.recovery:.1f} s |"
        f" {row.memory[0]:.0f} -> {row.memory[1]:.0f} |"
        f" {row.descriptors[0]} -> {row.descriptors[1]} | {row.note} |"
    )


def write(text: str) -> None:
    """Put it into the page."""
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")


def main() -> int:
    """Run them; exit status 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.kafka.reliability", description=__doc__)
    names = [fault.name for fault in FAULTS]
    parser.add_argument("--only", choices=names, action="append", help="this one; no page is made")
    parser.add_argument("--gone", type=float, default=GONE_SECONDS, help="seconds without brokers")
    parser.add_argument(
        "--direct", action="store_true", help="past the sidecar: what is Kafka's own; no page"
    )
    options = parser.parse_args()
    chosen = [fault for fault in FAULTS if not options.only or fault.name in options.only]
    rows: list[Row] = []
    with running() as kafka:
        world = World(kafka, options.gone, options.direct)
        try:
            for number, fault in enumerate(chosen):
                row = tried(world, fault, number)
                rows.append(row)
                progress(f"{'ok    ' if row.kept else 'BROKEN'} {row}")
        finally:
            world.stop()
        text = table(rows, kafka.distribution.version, options.gone)
    print(text)
    if not (options.only or options.direct):
        write(text)
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
