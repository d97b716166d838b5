"""``chaos-sidecar rest``: the REST bridge alone, in front of a remote sidecar."""

import argparse
import signal
import sys
import threading
from typing import Any

from sidecar import lean
from sidecar.cli.arguments import host_port, reason, whole_number
from sidecar.cli.channels import ChannelError, add_flags, credentials_of

_DESCRIPTION = """\
Start the REST API (Conduktor Gateway's admin paths, /health, /metrics) as a process of its own. It
keeps nothing: every call becomes a gRPC call to the sidecar at --target.
"""


def add_to(commands: Any) -> None:
    """Add the command to an argparse subparsers object."""
    parser = commands.add_parser(
        "rest",
        help="start the REST bridge alone",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--target",
        type=host_port,
        required=True,
        metavar="HOST:PORT",
        help="the sidecar's gRPC address, such as localhost:50051",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=whole_number(0, 65535), default=8888, help="port (default: 8888)"
    )
    add_flags(parser)
    parser.set_defaults(function=_run)


def _run(arguments: argparse.Namespace) -> int:
    # Imported late: the other commands do without it.
    lean.import_alone("structlog")
    from rest_bridge.server import BridgeServer
    from sidecar import log
    from sidecar.sink import LineSink

    log.configure(LineSink(), "info")
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    try:
        secured = credentials_of(arguments)
    except ChannelError as error:
        print(f"chaos-sidecar: {error}", file=sys.stderr)
        return 2
    bridge = BridgeServer(arguments.target, arguments.host, arguments.port, secured=secured)
    try:
        bridge.start()
    except OSError as error:
        print(f"chaos-sidecar: {reason(error)}", file=sys.stderr)
        return 1
    print(f"REST on http://{arguments.host}:{bridge.port}, for {arguments.target}", file=sys.stderr)
    asked.wait()
    bridge.stop()
    return 0
