"""Flags that several commands have, and what a command looks like: help, example, output."""

import argparse
from collections.abc import Callable
from typing import Any, Final

from sidecar.cli.arguments import Parser, number, whole_number
from sidecar.cli.channels import add_flags
from sidecar.cli.ctl import controls
from sidecar.cli.ctl.faults import Pairs, pair
from sidecar.cli.ctl.output import Runnable, ending
from sidecar.cli.ctl.targets import targets

PROGRAM: Final = "chaos-sidecar ctl"
Raw = argparse.RawDescriptionHelpFormatter


def everywhere() -> argparse.ArgumentParser:
    """A parser of the flags that all commands have, with their defaults."""
    parser = argparse.ArgumentParser(
        PROGRAM, usage=f"{PROGRAM} COMMAND ...", add_help=False, allow_abbrev=False
    )
    _add_everywhere(parser)
    return parser


def group(commands: Any, name: str, help_: str) -> Any:
    """Add a command that only has others below it; the subparsers object for them."""
    parser = commands.add_parser(name, help=help_, description=help_.capitalize() + ".")
    return parser.add_subparsers(metavar="COMMAND", required=True)


def leaf(
    commands: Any,
    name: str,
    help_: str,
    example: str,
    command: Runnable,
    *flags: Callable[[Parser], None],
    description: str = "",
) -> None:
    """Add a command that does something.

    Args:
        example: the words behind `PROGRAM`.
        flags: each adds some.
        description: default: `help_`.
    """
    parser: Parser = commands.add_parser(
        name,
        help=help_,
        description=description or f"{help_[0].upper()}{help_[1:]}.",
        epilog=f"example:\n  {PROGRAM} {example}",
        formatter_class=Raw,
        # Abbreviated flags in scripts would break when others come.
        allow_abbrev=False,
    )
    parser.example = f"{PROGRAM} {example}"
    for add in flags:
        add(parser)
    # Parsed before any command is, and here for help and completion.
    _add_everywhere(parser.add_argument_group("everywhere"))
    parser.set_defaults(function=ending(command.run))


def _add_everywhere(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--target",
        action="append",
        type=targets,
        metavar="HOST:PORT",
        help="a sidecar's gRPC address; more of them, or several with commas between",
    )
    add_flags(parser)
    parser.add_argument(
        "-o", "--output", choices=("table", "json"), default="table", help="default: table"
    )
    parser.add_argument(
        "--timeout",
        type=number(0.1, 3600),
        default=5.0,
        metavar="SECONDS",
        help="how long a sidecar may take for its answer (default: 5)",
    )


def add_name(parser: Parser) -> None:
    """Whose name."""
    parser.add_argument("name", metavar="NAME", help="the interceptor's, unique within its scope")


def add_scope(parser: Parser) -> None:
    """Which scope; none of these is the global one."""
    flags = parser.add_argument_group("whom it is for")
    flags.add_argument(
        "--vcluster",
        default="",
        metavar="NAME",
        help='a virtual cluster, or "passthrough" (default: the global scope, which is for all)',
    )
    flags.add_argument("--group", default="", metavar="NAME", help="a group of users in it")
    flags.add_argument("--username", default="", metavar="NAME", help="one user in it")


def add_vcluster(parser: Parser) -> None:
    """Of which virtual cluster a client is."""
    parser.add_argument("--vcluster", default="", metavar="NAME", help="default: passthrough")


def add_filters(parser: Parser) -> None:
    """Which injections."""
    parser.add_argument(
        "--vcluster", default="", metavar="NAME", help="only those of this virtual cluster"
    )
    parser.add_argument(
        "--interceptor", default="", metavar="NAME", help="only those of interceptors so named"
    )


def interceptor_flags(parser: Parser) -> None:
    """What every interceptor has besides its fault."""
    add_scope(parser)
    controls.limits(parser)
    flags = parser.add_argument_group("the interceptor")
    flags.add_argument(
        "--priority",
        type=whole_number(0, 2**31 - 1),
        metavar="N",
        help="lower runs first (default: 100)",
    )
    flags.add_argument(
        "--annotation",
        type=pair,
        action=Pairs,
        default={},
        metavar="KEY=VALUE",
        help="a note of yours, kept with it; may be given more than once",
    )
    flags.add_argument(
        "--replace", action="store_true", help="put it in the place of one with the same name"
    )


def add_if_exists(parser: Parser) -> None:
    """Whether it must be there."""
    parser.add_argument("--if-exists", action="store_true", help="be content if there is none")
