"""A disk that is soon full: a small file system in memory, for who may mount one."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

SIZE = 64 * 1024


class DiskUnavailable(RuntimeError):
    """No file system can be mounted here; ``str()`` says why."""


class Disk:
    """One with 64 KiB.

    Args:
        path: where it is mounted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        """Leave room for nothing."""
        with self._filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def grow(self) -> None:
        """Have room for all, for good."""
        command = ["mount", "-o", "remount,size=256m", os.fspath(self.path)]
        subprocess.run(command, check=True, capture_output=True)

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink()


@contextlib.contextmanager
def tiny_disk(path: Path) -> Iterator[Disk]:
    """One that is mounted at `path`, a new folder; raises DiskUnavailable."""
    path.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", os.fspath(path)]
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise DiskUnavailable("there is no mount command") from None
    except subprocess.CalledProcessError as error:
        raise DiskUnavailable(f"tmpfs cannot be mounted: {error.stderr.strip()}") from None
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "-l", os.fspath(path)], check=True)
