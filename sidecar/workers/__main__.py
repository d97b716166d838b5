"""``python -m sidecar.workers FD``: started by `sidecar.workers.process`, by nobody else."""

import sys

from sidecar.workers.worker import main

if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
