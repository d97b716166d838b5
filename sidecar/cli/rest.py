"""``chaos-sidecar rest``: the REST bridge alone, in front of a remote sidecar."""

import argparse
import os
import signal
import sys
import threading
from functools import partial
from typing import Any

from sidecar import lean
from sidecar.cli.arguments import host_port, reason, whole_number
from sidecar.cli.channels import ChannelError, add_flags, credentials_of

_DESCRIPTION = """\
Start the REST API (Conduktor Gateway's admin paths, /health, /metrics) as a process of its own. It
keeps nothing: every call becomes a gRPC call to the sidecar at --target.

With the environment variables GATEWAY_HTTPS_* it serves HTTPS, as the sidecar's own bridge does:
`chaos-sidecar run --help` has them. The user that the sidecar has by default (admin:conduktor)
counts for HTTP clients on its own machine only, unless GATEWAY_ADMIN_API_USERS is set there.

The sidecar believes it whose calls it makes if --cert shows the certificate of one of its users;
otherwise it logs the bridge's address, with the client's as a claim.
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
    import structlog

    from rest_bridge.server import BridgeServer
    from sidecar import log
    from sidecar.config import ConfigError, load_https
    from sidecar.refusals import Refusals
    from sidecar.sink import LineSink
    from sidecar.tls.contexts import Following
    from sidecar.tls.stores import StoreError

    log.configure(LineSink(), "info")
    logger: Any = structlog.get_logger()
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    try:
        secured = credentials_of(arguments)
        tls = load_https(os.environ)
        context = None if tls is None else Following(tls, logger, tls.context)
    except (ChannelError, ConfigError, StoreError) as error:
        for problem in str(error).splitlines():
            print(f"chaos-sidecar: {problem}", file=sys.stderr)
        return 2
    refusals = Refusals(logger.info, lambda door, reason: None)
    bridge = BridgeServer(
        arguments.target,
        arguments.host,
        arguments.port,
        context,
        secured=secured,
        refused=partial(refusals.note, "rest"),
    )
    try:
        bridge.start()
    except OSError as error:
        print(f"chaos-sidecar: {reason(error)}", file=sys.stderr)
        return 1
    scheme = "http" if context is None else "https"
    where = f"{scheme}://{arguments.host}:{bridge.port}"
    print(f"REST on {where}, for {arguments.target}", file=sys.stderr)
    asked.wait()
    bridge.stop()
    refusals.flush()
    return 0
