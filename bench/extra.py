"""What the matrix does not show: memory, start, growth, workers, and clients beside each other.

    .venv/bin/python bench/extra.py [--only memory,start,...] [--rounds 5]

Each section stands alone and is written to bench/results/extra.json as it ends, beside what earlier
runs found. Foreign load is not waited out here: run it on a calm machine.
"""

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import growth
import neighbours
from matrix import say
from results import Json, machine

SECTIONS: dict[str, Callable[[Path, int], Json]] = {
    "start": growth.start,
    "memory": growth.memory,
    "busy": growth.busy,
    "partitions": growth.partitions,
    "interceptors": growth.interceptors,
    "vclusters": growth.vclusters,
    "workers": growth.workers,
    "small_flow": neighbours.small_flow,
    "large_frame": neighbours.large_frame,
    "stall": neighbours.stall,
}
RESULTS = Path(__file__).with_name("results")


def main() -> int:
    """Run the sections and print what they found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", metavar="A,B", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--rounds", type=int, default=5, help="of sections that compare")
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FOLDER")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else list(SECTIONS)
    unknown = [name for name in chosen if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]!r}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "extra.json"
    content: Json = json.loads(path.read_text()) if path.exists() else {}
    for name in chosen:
        say(f"{name} ...")
        with tempfile.TemporaryDirectory(prefix="bench-") as home:
            content[name] = SECTIONS[name](Path(home), arguments.rounds)
        content["machine"] = machine()
        path.write_text(json.dumps(content, indent=1) + "\n")
        print(f"{name}: {json.dumps(content[name], indent=1)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
