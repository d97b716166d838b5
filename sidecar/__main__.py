"""``python -m sidecar`` and the console script ``chaos-sidecar``."""

import sys

from sidecar.cli import main

if __name__ == "__main__":
    sys.exit(main())
