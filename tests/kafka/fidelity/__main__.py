"""``make fidelity``: real elections beside ours, client by client, as docs/fidelity.md."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.kafka.cluster import ClusterError, running
from tests.kafka.distribution import KafkaUnavailableError, ensure
from tests.kafka.fidelity.cases import CASES
from tests.kafka.fidelity.clients import CLIENTS, ROOT
from tests.kafka.fidelity.measures import Measures, measure
from tests.kafka.fidelity.report import page, unexplained
from tests.kafka.fidelity.results import Results, load, results
from tests.kafka.fidelity.runs import CALM_SECONDS, run
from tests.kafka.fidelity.stage import SETTINGS, staged
from tests.kafka.processes import progress

PAGE = ROOT / "docs" / "fidelity.md"
RUNS = 3

EXAMPLES = """\
Everything is measured, and docs/fidelity.md written, without arguments. With --client or --case
only these are, and the page goes to stdout; with --setting as well. Needs a JDK 17 or newer,
Maven, node and npm.

Clients: {clients}.

Cases:
{cases}

Examples:

  make fidelity
  make fidelity ARGS="--client kafka-python --case rung1 --runs 1"
  make fidelity ARGS="--client java --case election --case rung2 --save /tmp/java.json"
  make fidelity ARGS="--from /tmp/java.json"        (the page anew, nothing measured)
  make fidelity ARGS="--case election --setting replica.fetch.backoff.ms=50"

Exit status: 0 fine, 1 a difference without a cause, 2 usage, 69 no Kafka to be had, 130 Ctrl-C.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="make fidelity ARGS=",
        description=__doc__,
        epilog=EXAMPLES.format(
            clients=", ".join(CLIENTS),
            cases="\n".join(f"  {name:9} {case.what}" for name, case in CASES.items()),
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--client", action="append", choices=CLIENTS, help="only this one; repeat")
    made.add_argument("--case", action="append", choices=CASES, help="only this one; repeat")
    made.add_argument("--runs", type=_positive, default=RUNS, help=f"of each ({RUNS})")
    made.add_argument(
        "--setting", action="append", type=_pair, default=[], metavar="N=V", help="of all brokers"
    )
    made.add_argument("--save", type=Path, metavar="FILE", help="keep what was measured")
    made.add_argument("--from", type=Path, metavar="FILE", dest="saved", help="read it instead")
    return made


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}, allowed are 1 and more")
    return number


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise argparse.ArgumentTypeError(f"{text!r}, allowed is like replica.fetch.backoff.ms=50")
    return name, value


def main(arguments: list[str] | None = None) -> int:
    """Measure or read, and write the page."""
    options = parser().parse_args(arguments)
    try:
        found = load(options.saved) if options.saved else measured(options)
    except (KafkaUnavailableError, ClusterError) as error:
        print(f"error: {error}", file=sys.stderr)
        return os.EX_UNAVAILABLE
    except KeyboardInterrupt:
        print("stopped: nothing is written", file=sys.stderr)
        return 130
    if options.save:
        found.save(options.save)
    text = page(found)
    whole = {(each.client, each.case) for each in found.measured}
    if whole == {(client, case) for client in CLIENTS for case in CASES} and not options.setting:
        PAGE.write_text(text)
        progress(f"{PAGE.relative_to(ROOT)} is written")
    else:
        print(text)
    new = unexplained(found.measured)
    for each in new:
        print(f"unexplained: {each}", file=sys.stderr)
    return 1 if new else 0


def measured(options: argparse.Namespace) -> Results:
    """Run everything on one cluster, the clients in turn, so that all have the same conditions."""
    clients = [name for name in CLIENTS if name in (options.client or CLIENTS)]
    cases = [name for name in CASES if name in (options.case or CASES)]
    distribution = ensure("4.x")
    seconds = sum(CASES[case].observed + CALM_SECONDS + CASES[case].around for case in cases)
    progress(f"about {seconds * len(clients) * options.runs / 60:.1f} minutes")
    made_of = {name: CLIENTS[name].made_of(distribution) for name in clients}
    found: list[Measures] = []
    settings = SETTINGS | dict(options.setting)
    with running("4.x", settings=settings) as kafka, staged(kafka) as stage:
        for number in range(1, options.runs + 1):
            for case in cases:
                for client in clients:
                    one = run(stage, CLIENTS[client], CASES[case], number)
                    found.append(measure(one))
                    took = found[-1].recovered
                    shown = "never" if took is None else f"{took:.0f} ms"
                    progress(f"run {number}, {case}, {client}: recovered in {shown}")
    return results(distribution.version, made_of, options.runs, found)


if __name__ == "__main__":
    sys.exit(main())
