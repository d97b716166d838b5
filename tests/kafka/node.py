"""kafkajs: fetched once with npm into the cache, driven by the scripts in js/."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.kafka.distribution import KafkaUnavailableError, cache_home
from tests.kafka.sidecars import Access

SOURCES = Path(__file__).with_name("js")
SCRIPT = "workload.js"
STEADY = "steady.js"
"""Produces steadily; see its head."""
INSTALL_TIMEOUT, RUN_TIMEOUT = 180, 90


def installed() -> Path:
    """The folder with the scripts and their packages, exactly those of package-lock.json.

    Raises KafkaUnavailableError, with the reason in one line, if they cannot be had.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise KafkaUnavailableError("no node or npm found: install the packages nodejs and npm")
    names = ("package.json", "package-lock.json", SCRIPT, STEADY)
    digest = hashlib.sha256(b"".join((SOURCES / name).read_bytes() for name in names))
    home = cache_home() / f"kafkajs-{digest.hexdigest()[:16]}"
    if home.is_dir():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".kafkajs-", dir=home.parent) as partial:
        staged = Path(partial) / "staged"
        staged.mkdir()
        for name in names:
            shutil.copy(SOURCES / name, staged)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            done = subprocess.run(
                command,
                cwd=staged,
                capture_output=True,
                text=True,
                timeout=INSTALL_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise KafkaUnavailableError(f"npm took more than {INSTALL_TIMEOUT} s") from exc
        if done.returncode != 0:
            reason = next(iter((done.stderr or done.stdout).splitlines()), "no reason given")
            raise KafkaUnavailableError(f"npm could not fetch kafkajs: {reason[:300]}")
        staged.rename(home)
    return home


def run(access: Access, marker: str) -> list[str]:
    """Run the workload; the lines it printed."""
    where = {
        "BOOTSTRAP": access.bootstrap,
        "SASL_USERNAME": access.username,
        "SASL_PASSWORD": access.token,
        "MARKER": marker,
    }
    done = subprocess.run(
        ["node", SCRIPT],
        cwd=installed(),
        env={**os.environ, **where},
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout.splitlines()
