"""The command `ctl elect`: an election now, which ends by itself."""

import argparse
import secrets
from typing import Any, Final

from sidecar.cli.arguments import Parser, whole_number
from sidecar.cli.ctl import rows
from sidecar.cli.ctl.flags import add_scope, leaf
from sidecar.cli.ctl.output import Command
from sidecar.cli.ctl.targets import Client
from sidecar.cli.ctl.times import duration
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1.fault_pb2 import Leaderless
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2_grpc import InterceptorServiceStub

_DESCRIPTION: Final = """\
Let partitions have no leader for a while, from the next request on: an interceptor with the fault
leaderless and a time to live, which `interceptors delete` ends sooner.
"""
_LONGEST: Final = 2**31 - 1
_WORDS: Final = (("topic", "TOPIC"), ("partitions", "--partition"), ("ttl", "--for"))


def fill(commands: Any) -> None:
    """Add the command to a subparsers object."""
    leaf(
        commands,
        "elect",
        "an election now: partitions without a leader for a while",
        "elect orders --partition 0 --for 5s --vcluster teamA",
        Command(_elect, (rows.INTERCEPTOR,), words=_WORDS),
        _add_what,
        add_scope,
        description=_DESCRIPTION,
    )


def _add_what(parser: Parser) -> None:
    parser.add_argument(
        "topic", metavar="TOPIC", help="regular expression (RE2) for the whole name of a topic"
    )
    parser.add_argument(
        "--partition",
        action="append",
        type=whole_number(0, _LONGEST),
        default=[],
        metavar="N",
        help="a partition; may be given more than once (default: all)",
    )
    parser.add_argument(
        "--for",
        dest="lasting",
        type=duration,
        default="5s",
        metavar="TIME",
        help="how long there is no leader: 500ms, 5s, 2m (default: 5s)",
    )
    # One name for all targets.
    parser.set_defaults(name=f"elect-{secrets.token_hex(4)}")


def _elect(client: Client, arguments: argparse.Namespace) -> Any:
    wanted = Interceptor(
        name=arguments.name,
        scope=Scope(
            virtual_cluster=arguments.vcluster, group=arguments.group, username=arguments.username
        ),
        leaderless=Leaderless(topic=arguments.topic, partitions=arguments.partition),
    )
    wanted.ttl.FromMilliseconds(arguments.lasting)
    service = InterceptorServiceStub(client.channel)
    return client.ask(service.CreateInterceptor, ipb.CreateInterceptorRequest(interceptor=wanted))
