"""The flags by which a fault is kept within bounds: which requests, how many, how long."""

import argparse
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sidecar.cli.arguments import Parser, number, whole_number
from sidecar.cli.ctl.faults import Kind
from sidecar.cli.ctl.times import duration
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor

_NUMBER: Final = whole_number(0, 2**31 - 1)


def _acks(text: str) -> int:
    found = {"all": -1, "-1": -1, "0": 0, "1": 1}.get(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is none of all, -1, 0, 1")
    return found


class _Selection(NamedTuple):
    """A field of `Selector`, as a flag that may be given more than once."""

    field: str
    word: str
    parse: Callable[[str], Any]
    metavar: str
    meaning: str


SELECTIONS: Final = (
    _Selection("topics", "topic", str, "REGEX", "all its topics have such names, whole"),
    _Selection("partitions", "partition", _NUMBER, "N", "all its partitions are these"),
    _Selection("client_ids", "client-id", str, "REGEX", "its client id is such a one, whole"),
    _Selection("principals", "principal", str, "NAME", "its user name or principal is this"),
    _Selection("groups", "consumer-group", str, "NAME", "it names this consumer group"),
    _Selection("brokers", "broker", _NUMBER, "ID", "it was sent to this broker"),
    _Selection("apis", "api", str.upper, "NAME", "it is of this API, such as PRODUCE"),
    _Selection("acks", "acks", _acks, "N", "it is a Produce with these acks: all, 0 or 1"),
)


def selections(kind: Kind) -> Callable[[Parser], None]:
    """Adds the flags that say which requests a fault is about.

    Each is ``--select-x``, and shorter ``--x`` where the fault itself has no such flag.
    """
    taken = {field.flag for field in kind.fields()}

    def add_to(parser: Parser) -> None:
        flags = parser.add_argument_group(
            "which requests", "More of one flag are alternatives; all kinds of flags must agree."
        )
        for one in SELECTIONS:
            names = [f"--{one.word}", f"--select-{one.word}"]
            flags.add_argument(
                *(name for name in names if name not in taken),
                dest=f"select_{one.field}",
                type=one.parse,
                action="append",
                default=[],
                metavar=one.metavar,
                help=one.meaning,
            )

    return add_to


def limits(parser: Parser) -> None:
    """Add the flags that say how much, and until when."""
    flags = parser.add_argument_group("how much, how long")
    flags.add_argument(
        "--max-injections", type=whole_number(1, 2**64 - 1), metavar="N", help="no more than these"
    )
    flags.add_argument(
        "--max-per-second",
        type=number(0.001, 100_000),
        metavar="N",
        help="no more in any second (0.001 to 100000)",
    )
    flags.add_argument(
        "--ttl",
        type=duration,
        metavar="TIME",
        help="it ends after so long: 30s, 5m, 1h30m, at most 366d",
    )
    flags.add_argument("--lease", default="", metavar="NAME", help="it ends with this lease")


def write(arguments: argparse.Namespace, into: Interceptor) -> None:
    """Set selector, limits, ttl and lease from the flags; what was not given stays unset."""
    for one in SELECTIONS:
        values = getattr(arguments, f"select_{one.field}")
        if values:
            getattr(into.selector, one.field).extend(values)
    for name in ("max_injections", "max_per_second"):
        value = getattr(arguments, name)
        if value is not None:
            setattr(into.limits, name, value)
    if arguments.ttl is not None:
        into.ttl.FromMilliseconds(arguments.ttl)
    into.lease = arguments.lease
