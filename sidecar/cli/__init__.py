"""The command line: ``chaos-sidecar run | cluster | demo | rest``.

Exit codes: 0 done (Ctrl-C and SIGTERM included), 1 it did not work, 2 wrong usage or settings, 130
the demo was stopped before its verdict.
"""

import argparse
from collections.abc import Sequence

from sidecar import __version__
from sidecar.cli import cluster, demo, rest, run


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="chaos-sidecar",
        description="A Kafka proxy that injects leader-election errors on request.",
        epilog="Start with: chaos-sidecar demo",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (run, cluster, demo, rest):
        command.add_to(commands)
    arguments = parser.parse_args(argv)
    code: int = arguments.function(arguments)
    return code
