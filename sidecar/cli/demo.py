"""``chaos-sidecar demo``: the reference demo on the embedded cluster, with a verdict."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from sidecar.cli.arguments import number, whole_number
from sidecar.model.faults import MAX_SEED

_DESCRIPTION = """\
Show what the sidecar is for, in under a minute: start the embedded cluster and two sidecars, go
through the steps of the reference demo, produce while half of the requests are refused, and count
what became of the records.

Exit code 0 only if errors were injected and no acknowledged record was lost or duplicated.
"""


def add_to(commands: Any) -> None:
    """Add the command to an argparse subparsers object."""
    parser = commands.add_parser(
        "demo",
        help="the reference demo on the embedded cluster",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--records", type=whole_number(1), default=50, help="how many (default: 50)"
    )
    parser.add_argument(
        "--throughput", type=whole_number(1), default=10, help="records a second (default: 10)"
    )
    parser.add_argument(
        "--rate", type=number(0, 100), default=50.0, help="rateInPercent, 0 to 100 (default: 50)"
    )
    parser.add_argument(
        "--seed",
        type=whole_number(0, MAX_SEED),
        default=None,
        help="same seed, same draws (default: random)",
    )
    parser.set_defaults(function=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        # kafka-python is an extra: the sidecar itself does not need it.
        from sidecar.demo import processes, report
    except ImportError as error:
        print(f"chaos-sidecar: {error}; install the extra: pip install '.[demo]'", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="chaos-demo-") as directory:
            return report.run(Path(directory), arguments)
    except processes.DemoError as error:
        print(f"chaos-sidecar: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
