"""``chaos-sidecar completion``: completion of command lines for a shell."""

import argparse
from typing import Any

_DESCRIPTION = """\
Print a script that completes commands, faults and flags in your shell. No sidecar is asked, and
nothing is started when you press Tab.
"""

_EXAMPLE = """\
example:
  source <(chaos-sidecar completion bash)
"""


def add_to(commands: Any, whole: argparse.ArgumentParser) -> None:
    """Add the command to an argparse subparsers object of the parser that is to be completed."""
    parser = commands.add_parser(
        "completion",
        help="print a script that completes commands in your shell",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", metavar="SHELL", choices=("bash", "zsh"), help="bash or zsh")
    parser.set_defaults(function=lambda arguments: _run(arguments, whole))


def _run(arguments: argparse.Namespace, whole: argparse.ArgumentParser) -> int:
    # Imported late: no other command but `ctl` needs them.
    import shtab

    from sidecar.cli.ctl.output import ending

    def show(arguments: argparse.Namespace) -> int:
        print(shtab.complete(whole, shell=arguments.shell), flush=True)
        return 0

    return ending(show)(arguments)
