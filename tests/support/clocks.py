"""The wall clock of a sidecar that is started by a test, which the test may set."""

import os
from pathlib import Path

HOOK = Path(__file__).parent / "set_clock"


class SetClock:
    """One that is right at first.

    Args:
        file: a new one, in which the process reads by how much it is set.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)
        path = os.pathsep.join(filter(None, (os.fspath(HOOK), os.environ.get("PYTHONPATH"))))
        self.environment = {"PYTHONPATH": path, "CLOCK_SET_BY": os.fspath(file)}
        """For the process."""

    def set(self, by: float) -> None:
        """Have it go so many seconds before the machine's; the process sees it before long."""
        new = self._file.with_suffix(".new")
        new.write_text(str(by))
        new.replace(self._file)
