"""``python -m sidecar.workers FD``: started by `sidecar.workers.process`, by nobody else."""

import sys

from sidecar import lean


def main(fd: int) -> int:
    """Be a worker at the end of socket `fd`; returns the exit status."""
    lean.import_alone("structlog")
    from sidecar.workers import worker

    return worker.main(fd)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
