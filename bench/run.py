"""The bench: the sidecar beside other proxies, the same load through each.

    .venv/bin/python bench/run.py [--quick] [--targets a,b] [--cells produce-16KiB,...]

The method is in bench/README.md. Writes bench/results/latest.json and latest.svg (--output gives
another folder), prints the tables. Exit status 0 if the run worked, whatever it found; with
--strict 1 if a bar is missed.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import bars
import chart
import results
import tables
from calm import Calm
from matrix import Outcome, measure, say, started
from plan import QUICK_TARGETS, Plan, all_cells, choose_cells, quick_cells
from targets import BY_NAME

RESULTS = Path(__file__).with_name("results")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a selection, in about two minutes")
    parser.add_argument("--list", action="store_true", help="name targets and cells, and end")
    parser.add_argument("--targets", metavar="A,B", help="only these (direct is always measured)")
    parser.add_argument("--cells", metavar="A,B", help="only cells whose names begin like these")
    parser.add_argument("--rounds", type=int, help="default: 5; quick: 3")
    parser.add_argument("--seconds", type=float, default=0.4, help="of a sample (default: 0.4)")
    parser.add_argument("--seed", type=int, default=1, help="of the order (default: 1)")
    parser.add_argument(
        "--patience",
        type=float,
        default=0.3,
        metavar="SHARE",
        help="of the run that may be spent on waiting for calm (default: 0.3)",
    )
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FOLDER")
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a bar is missed")
    return parser.parse_args()


def make_plan(arguments: argparse.Namespace) -> Plan:
    """What the arguments ask for.

    Raises:
        ValueError: there is no such target or cell.
    """
    targets = QUICK_TARGETS if arguments.quick else tuple(BY_NAME)
    cells = quick_cells() if arguments.quick else all_cells()
    if arguments.targets:
        asked = arguments.targets.split(",")
        unknown = [name for name in asked if name not in BY_NAME]
        if unknown:
            raise ValueError(f"no target {unknown[0]!r}; there are {', '.join(BY_NAME)}")
        targets = tuple(name for name in BY_NAME if name in {"direct", *asked})
    if arguments.cells:
        cells = choose_cells(arguments.cells.split(","), all_cells())
    rounds = arguments.rounds or (3 if arguments.quick else 5)
    return Plan(targets, cells, rounds, arguments.seconds)


def _others(folder: Path) -> dict[str, Any]:
    """What the other commands have measured, each on its own occasion."""
    found: dict[str, Any] = {}
    for name in ("extra", "real_kafka"):
        with contextlib.suppress(FileNotFoundError):
            content = json.loads((folder / f"{name}.json").read_text())
            found.update(content if name == "extra" else {name: content})
    return found


def _write(outcome: Outcome, plan: Plan, calm: Calm, folder: Path, seconds: float) -> results.Json:
    foreign = [
        sample.foreign_cpu
        for cell in outcome.rounds.values()
        for samples in cell.values()
        for sample in samples
        if sample
    ]
    content = results.summary(outcome)
    content["run"] = {
        "rounds": plan.rounds,
        "seconds_of_a_sample": plan.seconds,
        "samples": plan.samples,
        "minutes": round(seconds / 60, 1),
        "seconds_waited_for_calm": round(calm.spent, 1),
        "samples_repeated": calm.repeated,
        "foreign_cpu_mean": round(sum(foreign) / max(1, len(foreign)), 3),
        "samples_above_10_percent_foreign": sum(each > 0.1 for each in foreign),
    }
    content["bars"] = bars.judge(outcome.rounds) + bars.judge_extra(_others(folder))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "latest.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "latest.svg").write_text(chart.draw(content))
    return content


def main() -> int:
    """Measure, write, print."""
    arguments = _arguments()
    if arguments.list:
        print("\n".join([*BY_NAME, "", *(cell.name for cell in all_cells())]))
        return 0
    try:
        plan = make_plan(arguments)
    except ValueError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    say(
        f"{plan.samples} samples: {len(plan.targets)} targets, {len(plan.cells)} cells, "
        f"{plan.rounds} rounds; about {plan.estimate / 60:.0f} minutes, on a busy machine up to "
        f"{plan.estimate * (1 + arguments.patience) / 60:.0f}, and longer the first time"
    )
    calm = Calm(plan.estimate * arguments.patience)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as home,
        started(plan.targets, Path(home)) as bench,
    ):
        outcome = measure(plan, bench, calm, arguments.seed)
    content = _write(outcome, plan, calm, arguments.output, time.monotonic() - began)
    print(tables.whole(content))
    print(f"written: {arguments.output}/latest.json, {arguments.output}/latest.svg")
    missed = any(bar["pass"] is False for bar in content["bars"])
    return 1 if arguments.strict and missed else 0


if __name__ == "__main__":
    sys.exit(main())
