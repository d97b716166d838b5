"""`python -m sidecar.embedded`: run a cluster until it is told to stop.

Prints one line of JSON, `{"bootstrap_servers": "..."}`, when it is ready.
"""

import argparse
import json
import signal
import sys

import gevent
from gevent.event import Event

from sidecar.embedded.server import EmbeddedCluster


def main() -> int:
    """Run a cluster; 0 after SIGINT or SIGTERM, 1 if it could not start."""
    parser = argparse.ArgumentParser(prog="python -m sidecar.embedded", description=__doc__)
    parser.add_argument("--brokers", type=int, default=3)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="of the first broker; 0 for any")
    chosen = parser.parse_args()
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, stopped.set)
    try:
        with EmbeddedCluster(chosen.brokers, chosen.host, chosen.port) as running:
            line = json.dumps({"bootstrap_servers": running.bootstrap_servers})
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            stopped.wait()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
