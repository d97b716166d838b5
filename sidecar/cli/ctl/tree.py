"""The commands below `ctl` and their flags."""

from typing import Any, Final

from sidecar.cli.arguments import Parser, whole_number
from sidecar.cli.ctl import calls, elections, interceptors, leases, replay, rows
from sidecar.cli.ctl.flags import (
    Raw,
    add_filters,
    add_vcluster,
    everywhere,
    group,
    leaf,
)
from sidecar.cli.ctl.output import Command
from sidecar.cli.ctl.targets import CREDENTIALS_VARIABLE, DEFAULT_TARGET, TARGETS_VARIABLE
from sidecar.cli.ctl.times import duration, lifetime
from sidecar.cli.ctl.watch import Watch

_DESCRIPTION: Final = f"""\
Tell and ask running sidecars over their gRPC API: one, or many at once.

--target says which (default: {TARGETS_VARIABLE}, else {DEFAULT_TARGET}). The credentials come from
{CREDENTIALS_VARIABLE} as USERNAME:PASSWORD (default: admin:conduktor).

Exit codes: 0 all targets did it, 1 one of them did not, 2 wrong usage, 130 Ctrl-C.
"""
_WATCH: Final = """\
Show injections as they happen: on a terminal as a table that updates, else one a line. Sidecars
that go away are asked again until they are back; what went by unseen is told.
"""


def fill(parser: Parser) -> None:
    """Give the parser of `ctl` its flags and all commands below it."""
    parser.description, parser.formatter_class = _DESCRIPTION, Raw
    parser.anywhere = everywhere()
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    interceptors.fill(group(commands, "interceptors", "what is injected, and to whom"))
    elections.fill(commands)
    replay.fill(commands)
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
    leases.fill(group(commands, "leases", "promises to come again, which faults can hang on"))
    leaf(
        commands,
        "halt",
        "the kill switch: inject nothing, whatever there is or comes, until resume",
        "halt --target host1:50051,host2:50051",
        Command(calls.halt, (), "halted: nothing is injected until `ctl resume`"),
    )
    leaf(
        commands,
        "resume",
        "undo halt",
        "resume --target host1:50051,host2:50051",
        Command(calls.resume, (), "resumed: interceptors work again"),
    )
    _tokens(group(commands, "tokens", "passwords with which clients enter a virtual cluster"))


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
        Command(calls.create_token, (rows.TOKEN,), words=(("username", "USERNAME"),)),
        _add_user,
        add_vcluster,
        _add_lifetime,
    )


def _add_user(parser: Parser) -> None:
    parser.add_argument("username", metavar="USERNAME", help="the user name that goes with it")


def _add_lifetime(parser: Parser) -> None:
    parser.add_argument(
        "--lifetime",
        type=lifetime,
        default="1d",
        metavar="TIME",
        help="how long it is valid, in whole seconds: 12h, 90d, 1s to 3650d (default: 1d)",
    )
