"""The commands below `ctl` and their flags."""

from typing import Any, Final

from sidecar.cli.arguments import Parser, whole_number
from sidecar.cli.ctl import calls, rows
from sidecar.cli.ctl.faults import KINDS
from sidecar.cli.ctl.flags import (
    PROGRAM,
    Raw,
    add_filters,
    add_name,
    add_scope,
    add_vcluster,
    duration,
    everywhere,
    group,
    interceptor_flags,
    leaf,
)
from sidecar.cli.ctl.output import Command
from sidecar.cli.ctl.targets import CREDENTIALS_VARIABLE, DEFAULT_TARGET, TARGETS_VARIABLE
from sidecar.cli.ctl.watch import Watch

_DESCRIPTION: Final = f"""\
Tell and ask running sidecars over their gRPC API: one, or many at once.

--target says which (default: {TARGETS_VARIABLE}, else {DEFAULT_TARGET}). The credentials come from
{CREDENTIALS_VARIABLE} as USERNAME:PASSWORD (default: admin:conduktor).

Exit codes: 0 all targets did it, 1 one of them did not, 2 wrong usage, 130 Ctrl-C.
"""
_CREATE: Final = """\
Create an interceptor with one of these faults. The same again is fine and changes nothing; another
one of the same name in the same scope is refused, unless --replace says to put it in its place.

Each fault has flags of its own: see `create NAME FAULT --help`.
"""
_WATCH: Final = """\
Show injections as they happen: on a terminal as a table that updates, else one a line. Sidecars
that go away are asked again until they are back; what went by unseen is told.
"""
_EXISTS: Final = "; --replace puts the new one in its place"
_MISSING: Final = "; `interceptors list` tells which there are, and in which scopes"


def fill(parser: Parser) -> None:
    """Give the parser of `ctl` its flags and all commands below it."""
    parser.description, parser.formatter_class = _DESCRIPTION, Raw
    parser.anywhere = everywhere()
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _interceptors(group(commands, "interceptors", "what is injected, and to whom"))
    _watch(commands)
    leaf(
        commands,
        "injections",
        "the latest injections",
        "injections --vcluster teamA --limit 5",
        Command(calls.injections, (rows.INJECTIONS,), "no injections"),
        add_filters,
        _add_limit,
    )
    leaf(
        commands,
        "status",
        "how the sidecars are doing",
        "status --target host1:50051,host2:50051",
        Command(calls.status, (rows.STATUS, rows.BROKERS)),
    )
    leaf(
        commands,
        "vclusters",
        "the virtual clusters there are",
        "vclusters -o json",
        Command(calls.virtual_clusters, (rows.VIRTUAL_CLUSTERS,), "no virtual clusters"),
    )
    _tokens(group(commands, "tokens", "passwords with which clients enter a virtual cluster"))


def _interceptors(commands: Any) -> None:
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
        _add_if_exists,
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


def _add_if_exists(parser: Parser) -> None:
    parser.add_argument("--if-exists", action="store_true", help="be content if there is none")


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
    faults = parser.add_subparsers(metavar="FAULT", dest="fault", required=True)
    for kind in KINDS:
        leaf(
            faults,
            kind.command,
            kind.title,
            f"interceptors create my-{kind.command} {kind.example()} --vcluster teamA",
            Command(calls.create, (rows.INTERCEPTOR,), advice=(("ALREADY_EXISTS", _EXISTS),)),
            kind.add_to,
            interceptor_flags,
            description=kind.description,
        )


def _watch(commands: Any) -> None:
    leaf(
        commands,
        "watch",
        "injections as they happen, until Ctrl-C",
        "watch --target host1:50051,host2:50051 --vcluster teamA",
        Watch(),
        add_filters,
        _add_ends,
        description=_WATCH,
    )


def _add_ends(parser: Parser) -> None:
    parser.add_argument(
        "--count", type=whole_number(1), metavar="N", help="end after so many injections"
    )
    parser.add_argument(
        "--for", dest="lasting", type=duration, metavar="TIME", help="end after so long: 30s, 5m"
    )


def _add_limit(parser: Parser) -> None:
    parser.add_argument(
        "--limit",
        type=whole_number(1, 100_000),
        default=20,
        metavar="N",
        help="how many at most, of each sidecar (default: 20)",
    )


def _tokens(commands: Any) -> None:
    leaf(
        commands,
        "create",
        "a token: the password of a user, for SASL PLAIN",
        "tokens create sa --vcluster teamA --lifetime 90d",
        Command(calls.create_token, (rows.TOKEN,)),
        _add_user,
        add_vcluster,
        _add_lifetime,
    )


def _add_user(parser: Parser) -> None:
    parser.add_argument("username", metavar="USERNAME", help="the user name that goes with it")


def _add_lifetime(parser: Parser) -> None:
    parser.add_argument(
        "--lifetime",
        type=duration,
        default="1d",
        metavar="TIME",
        help="how long it is valid: 12h, 90d, up to 3650d (default: 1d)",
    )
