"""The command line: ``chaos-sidecar run | ctl | rest | cluster | demo | completion``.

Exit codes: 0 done (Ctrl-C and SIGTERM included), 1 it did not work, 2 wrong usage or settings, 130
the demo or `ctl` was stopped before its end.
"""

import sys
from collections.abc import Sequence

from sidecar import __version__
from sidecar.cli import cluster, completion, ctl, demo, rest, run
from sidecar.cli.arguments import Parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = Parser(
        prog="chaos-sidecar",
        description="A Kafka proxy that simulates leader elections and other faults on request.",
        epilog="Start with: chaos-sidecar demo",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (run, cluster, demo, rest):
        command.add_to(commands)
    ctl.add_to(commands, whole=words[:1] in (["ctl"], ["completion"]))
    completion.add_to(commands, parser)
    arguments = parser.parse_args(words)
    code: int = arguments.function(arguments)
    return code
