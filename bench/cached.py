"""What the bench downloads or compiles, kept between runs: one folder per thing and version."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path


class Unavailable(Exception):
    """Something cannot be had on this machine; the message says why in one line."""


def cache_home() -> Path:
    """The folder of the bench's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kafka-chaos-sidecar" / "bench"


def ensure(name: str, fill: Callable[[Path], None]) -> Path:
    """The cached folder `name`, filled first if it is not there.

    What fails half-way leaves nothing that looks complete.

    Raises:
        Unavailable: `fill` could not.
    """
    home = cache_home() / name
    if home.is_dir():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=home.parent) as partial:
        staged = Path(partial) / name
        staged.mkdir()
        fill(staged)
        if not home.is_dir():  # another run may have finished first
            staged.rename(home)
    return home


def command(
    arguments: Sequence[str],
    timeout: float = 600,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a tool that fetches or builds; its output.

    Raises:
        Unavailable: it is not installed, failed, or took too long.
    """
    tool = arguments[0]
    if shutil.which(tool) is None:
        raise Unavailable(f"{Path(tool).name} is not installed")
    try:
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{Path(tool).name} took more than {timeout:g} s") from None
    if done.returncode != 0:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        telling = [line for line in lines if line.startswith("[ERROR]")][:1] or lines[-2:]
        reason = re.sub(r"https?://\S+", "(its registry)", " / ".join(telling))
        raise Unavailable(f"`{Path(tool).name} {arguments[1]} ...` failed: {reason[:300]}")
    return done.stdout
