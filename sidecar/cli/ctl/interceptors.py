"""The commands below `ctl interceptors` and their flags."""

from typing import Any, Final

from sidecar.cli.arguments import Parser
from sidecar.cli.ctl import calls, rows
from sidecar.cli.ctl.controls import selections
from sidecar.cli.ctl.faults import KINDS
from sidecar.cli.ctl.flags import (
    PROGRAM,
    Raw,
    add_if_exists,
    add_name,
    add_scope,
    add_vcluster,
    interceptor_flags,
    leaf,
)
from sidecar.cli.ctl.output import Command

_CREATE: Final = """\
Create an interceptor with one of these faults. The same again is fine and changes nothing; another
one of the same name in the same scope is refused, unless --replace says to put it in its place.

Each fault has flags of its own: see `create NAME FAULT --help`.
"""
_EXISTS: Final = "; --replace puts the new one in its place"
_MISSING: Final = "; `interceptors list` tells which there are, and in which scopes"


def fill(commands: Any) -> None:
    one, many = (rows.INTERCEPTOR,), (rows.INTERCEPTORS,)
    advice = (("NOT_FOUND", _MISSING),)
    _create(commands)
    leaf(
        commands,
        "list",
        "those of one scope, or all",
        "interceptors list --vcluster teamA",
        Command(calls.list_all, many, "no interceptors"),
        add_scope,
        _add_global,
    )
    leaf(
        commands,
        "get",
        "one of them",
        "interceptors get elections --vcluster teamA -o json",
        Command(calls.get, one, advice=advice),
        add_name,
        add_scope,
    )
    leaf(
        commands,
        "delete",
        "end one of them for good",
        "interceptors delete elections --vcluster teamA",
        Command(calls.delete, (), "deleted", advice),
        add_name,
        add_scope,
        add_if_exists,
    )
    leaf(
        commands,
        "pause",
        "let one of them do nothing until it is resumed",
        "interceptors pause elections --vcluster teamA",
        Command(calls.pause, one, advice=advice),
        add_name,
        add_scope,
    )
    leaf(
        commands,
        "resume",
        "let a paused one go on where it was",
        "interceptors resume elections --vcluster teamA",
        Command(calls.resume_one, one, advice=advice),
        add_name,
        add_scope,
    )
    leaf(
        commands,
        "reset",
        "delete all of one scope, or all there are",
        "interceptors reset --vcluster teamA",
        Command(calls.reset, (rows.RESET,)),
        add_scope,
        _add_all,
    )
    leaf(
        commands,
        "resolve",
        "those that apply to a client, in the order in which they run",
        "interceptors resolve --vcluster teamA --username sa",
        Command(calls.resolve, many, "no interceptor applies"),
        _add_client,
    )


def _add_global(parser: Parser) -> None:
    parser.add_argument(
        "--global", dest="only_global", action="store_true", help="only those of the global scope"
    )


def _add_all(parser: Parser) -> None:
    _add_global(parser)
    parser.add_argument("--all", action="store_true", help="those of every scope")


def _add_client(parser: Parser) -> None:
    add_vcluster(parser)
    parser.add_argument("--username", default="", metavar="NAME", help="user name, or principal")
    parser.add_argument(
        "--group",
        action="append",
        default=[],
        metavar="NAME",
        help="a group besides those of its user mapping; may be given more than once",
    )


def _create(commands: Any) -> None:
    example = f"{PROGRAM} interceptors create elections {KINDS[0].example()} --seed 7"
    parser = commands.add_parser(
        "create",
        help="begin to inject a fault",
        description=_CREATE,
        epilog=f"example:\n  {example}",
        formatter_class=Raw,
        allow_abbrev=False,
    )
    parser.example = example
    add_name(parser)
    one = (rows.INTERCEPTOR,)
    faults = parser.add_subparsers(metavar="FAULT", dest="fault", required=True)
    for kind in KINDS:
        leaf(
            faults,
            kind.command,
            kind.title,
            f"interceptors create my-{kind.command} {kind.example()} --vcluster teamA",
            Command(calls.create, one, advice=(("ALREADY_EXISTS", _EXISTS),)),
            kind.add_to,
            selections(kind),
            interceptor_flags,
            description=kind.description,
        )
