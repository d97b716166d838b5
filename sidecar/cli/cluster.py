"""``chaos-sidecar cluster``: the embedded brokers alone."""

import argparse
import sys
from typing import Any

from sidecar.cli.arguments import reason, whole_number

_DESCRIPTION = """\
Start a small Kafka cluster inside one process, for trials and tests: no Java, no disk, everything
is gone when it ends (Ctrl-C). It has no transactions, no authentication and no replication.
"""


def add_to(commands: Any) -> None:
    """Add the command to an argparse subparsers object."""
    parser = commands.add_parser(
        "cluster",
        help="start the embedded cluster alone",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--brokers", type=whole_number(1, 100), default=3, metavar="N", help="how many (default: 3)"
    )
    parser.add_argument(
        "--port",
        type=whole_number(0, 65535),
        default=19092,
        help="port of the first broker, the others follow; 0 picks free ones (default: 19092)",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--auto-create-topics",
        action="store_true",
        help="create topics that clients ask for, with one partition, as Kafka does by default",
    )
    parser.set_defaults(function=_run)


def _run(arguments: argparse.Namespace) -> int:
    # Imported late: the other commands do without a broker.
    from sidecar import log
    from sidecar.cli.stopping import until_stopped
    from sidecar.embedded.server import EmbeddedCluster
    from sidecar.embedded.settings import Settings
    from sidecar.sink import LineSink

    log.configure(LineSink(2), "warning")
    try:
        cluster = EmbeddedCluster(
            host=arguments.host,
            port=arguments.port,
            settings=Settings(
                brokers=arguments.brokers, auto_create_topics=arguments.auto_create_topics
            ),
        )
    except ValueError as error:
        print(f"chaos-sidecar: {error}", file=sys.stderr)
        return 2

    def start() -> None:
        cluster.start()
        print(f"bootstrap.servers={cluster.bootstrap_servers}", flush=True)

    try:
        until_stopped(start, cluster.stop)
    except OSError as error:
        print(f"chaos-sidecar: {reason(error)}", file=sys.stderr)
        return 1
    return 0
