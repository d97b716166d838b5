"""``make demo KAFKA=1``: the demo on three real brokers, with Kafka's own tools."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.kafka.cluster import ClusterError, running
from tests.kafka.sidecars import pair
from tests.kafka.tools import write_wrappers

SCRIPT = Path(__file__).parents[2] / "compose" / "demo.sh"


def main(arguments: list[str]) -> int:
    """Run compose/demo.sh with `arguments` added; returns its exit code."""
    try:
        with running() as kafka, pair(kafka) as gateways, tempfile.TemporaryDirectory() as tools:
            write_wrappers(kafka.distribution, Path(tools))
            first = gateways.first
            where = ["--admin", first.admin_url, "--bootstrap", first.bootstrap]
            done = subprocess.run(
                ["bash", SCRIPT, *where, "--direct", kafka.bootstrap, *arguments],
                env=os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
                check=False,
            )
            print(f"\nThe sidecar's log: {len(first.events())} injected errors")
            for event in first.events():
                print(json.dumps(event))
            return done.returncode
    except ClusterError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
