"""The commands below `ctl leases` and their flags."""

from typing import Any, Final

from sidecar.cli.arguments import Parser
from sidecar.cli.ctl import calls, rows
from sidecar.cli.ctl.flags import add_if_exists, leaf
from sidecar.cli.ctl.output import Command
from sidecar.cli.ctl.times import duration

_MISSING: Final = (("NOT_FOUND", "; `leases list` tells which there are"),)


def fill(commands: Any) -> None:
    """Add the commands to a subparsers object."""
    leaf(
        commands,
        "create",
        "a lease: unless renewed in time, it ends, and with it the interceptors that name it",
        "leases create drill --duration 30s",
        Command(calls.create_lease, (rows.LEASE,)),
        _add_name,
        lambda parser: _add_duration(parser, required=True),
    )
    leaf(
        commands,
        "renew",
        "let it last for its duration from now on, or for another one",
        "leases renew drill",
        Command(calls.renew_lease, (rows.LEASE,), advice=_MISSING),
        _add_name,
        lambda parser: _add_duration(parser, required=False),
    )
    leaf(
        commands,
        "release",
        "end it now, and its interceptors",
        "leases release drill",
        Command(calls.release_lease, (), "released", _MISSING),
        _add_name,
        add_if_exists,
    )
    leaf(
        commands,
        "list",
        "those that have not ended",
        "leases list",
        Command(calls.list_leases, (rows.LEASES,), "no leases"),
    )


def _add_name(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the lease's")


def _add_duration(parser: Parser, *, required: bool) -> None:
    parser.add_argument(
        "--duration",
        type=duration,
        required=required,
        metavar="TIME",
        help="how long it lasts after each renewal: 1s to 24h",
    )
