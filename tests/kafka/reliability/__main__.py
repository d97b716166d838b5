"""``make faults``: every fault on real Kafka, and the table in docs/reliability.md anew."""

from __future__ import annotations

import argparse
import datetime
import sys
import traceback
from pathlib import Path

import confluent_kafka

from tests.kafka.cluster import RELAYED, RealKafka, running
from tests.kafka.processes import progress
from tests.kafka.reliability.fault import Fault
from tests.kafka.reliability.faults import FAULTS, GONE_SECONDS
from tests.kafka.reliability.hosts import Hosts, HostsUnavailable, hosts
from tests.kafka.reliability.row import NotRun, Row, tried
from tests.kafka.reliability.world import World
from tests.support.disks import DiskUnavailable

PAGE = Path(__file__).parents[3] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults begin -->", "<!-- faults end -->"


Rows = dict[str, Row | NotRun]


def table(rows: Rows, version: str, gone: float) -> str:
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
    return "\n".join([*lines, *map(line, rows.values())])


def line(row: Row | NotRun) -> str:
    """One row of the table."""
    if isinstance(row, NotRun):
        return f"| {row.name} | {row.what} | not run: {row.why} |" + " |" * 9
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


def replace(rows: Rows) -> None:
    """Put these rows into the page's table, in the places of those there are or behind them."""
    table_lines = PAGE.read_text().partition(BEGIN)[2].partition(END)[0].strip().split("\n")
    places = {text.split(" | ")[0][2:]: n for n, text in enumerate(table_lines)}
    for name, row in rows.items():
        if name in places:
            table_lines[places[name]] = line(row)
        else:
            table_lines.append(line(row))
    write("\n".join(table_lines))


class Run:
    """Those that are to be tried, in one world after the other.

    Args:
        chosen: faults, by their place in the table.
        gone: seconds without brokers.
        direct: whether the load goes past the sidecar.
    """

    def __init__(self, chosen: dict[int, Fault], gone: float, direct: bool) -> None:
        self._chosen = chosen
        self._gone = gone
        self._direct = direct
        self.rows: Rows = {}
        self.version = ""

    def here(self) -> None:
        """Those that need one host."""
        faults = {n: fault for n, fault in self._chosen.items() if not fault.on_hosts}
        if faults:
            with running(listeners=(RELAYED,)) as kafka:
                self._try(faults, kafka, None)

    def on_hosts(self) -> None:
        """Those that need three."""
        faults = {n: fault for n, fault in self._chosen.items() if fault.on_hosts}
        if not faults:
            return
        try:
            with hosts() as across, running(place=across.brokers) as kafka:
                self._try(faults, kafka, across)
        except HostsUnavailable as error:
            for fault in faults.values():
                self._note(NotRun(fault.name, fault.what, str(error)))

    def _try(self, faults: dict[int, Fault], kafka: RealKafka, across: Hosts | None) -> None:
        self.version = kafka.distribution.version
        world = World(kafka, self._gone, self._direct, across)
        try:
            for number, fault in faults.items():
                try:
                    self._note(tried(world, fault, number))
                except DiskUnavailable as error:
                    self._note(NotRun(fault.name, fault.what, str(error)))
                except Exception as error:  # noqa: BLE001 - the other rows are worth having
                    traceback.print_exc()
                    why = f"it failed: {type(error).__name__} {error}".strip()
                    self._note(NotRun(fault.name, fault.what, why))
        finally:
            world.stop()

    def _note(self, row: Row | NotRun) -> None:
        self.rows[row.name] = row
        said = "NOT RUN" if isinstance(row, NotRun) else "ok     " if row.kept else "BROKEN "
        progress(f"{said} {row}")


def main() -> int:
    """Run them; exit status 1 if a promise was broken, or one could not be tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.kafka.reliability", description=__doc__)
    names = [fault.name for fault in FAULTS]
    parser.add_argument("--only", choices=names, action="append", help="this one; no page is made")
    parser.add_argument("--into-page", action="store_true", help="with --only: its row in the page")
    parser.add_argument("--gone", type=float, default=GONE_SECONDS, help="seconds without brokers")
    parser.add_argument(
        "--direct", action="store_true", help="past the sidecar: what is Kafka's own; no page"
    )
    options = parser.parse_args()
    chosen = {
        number: fault
        for number, fault in enumerate(FAULTS)
        if not options.only or fault.name in options.only
    }
    run = Run(chosen, options.gone, options.direct)
    run.here()
    run.on_hosts()
    text = table(run.rows, run.version, options.gone)
    print(text)
    if options.into_page:
        replace(run.rows)
    elif not (options.only or options.direct):
        write(text)
    return 0 if all(row.kept for row in run.rows.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
