"""``chaos-sidecar ctl``: one or many running sidecars, told and asked over their gRPC API.

`tree` has the commands and their flags, `calls` what each asks, `targets` whom and with what
outcome, `output` how it is shown; `watch` and `live` follow injections as they happen.
"""

from typing import Any

_HELP = "tell and ask running sidecars over gRPC"


def add_to(commands: Any, *, whole: bool) -> None:
    """Add the command to an argparse subparsers object.

    Args:
        whole: with all that is below it. Other commands leave it out: it takes gRPC's messages to
            know its flags, which `run` shall not wait for.
    """
    parser = commands.add_parser("ctl", help=_HELP, add_help=whole)
    if whole:
        from sidecar.cli.ctl.tree import fill

        fill(parser)
