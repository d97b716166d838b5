"""Fuzz all targets for a time, and keep what reaches new code (``make fuzz``)."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz import corpus
from tests.fuzz.targets import TARGETS

FOUND = Path(__file__).with_name("found")
LONGEST = 4096
"""Bytes of an input."""
SLOW_SECONDS = 10
"""An input that takes longer is a finding."""
MOST_MIB = 2048


def fuzz(target: str, seconds: float, minimize: bool) -> tuple[int, int, list[Path]]:
    """Fuzz one target; return executions, inputs kept, and what was found."""
    FOUND.mkdir(exist_ok=True)
    before = set(FOUND.iterdir())
    with tempfile.TemporaryDirectory() as home:
        begin, work, least = (Path(home) / name for name in ("begin", "work", "least"))
        for folder in (begin, work, least):
            folder.mkdir()
        for number, data in enumerate([*corpus.entries(target), *corpus.seeds(target)]):
            (begin / f"{number:06}").write_bytes(data)
        ended = run(
            target,
            f"-max_total_time={max(1, int(seconds))}",
            f"-max_len={LONGEST}",
            f"-timeout={SLOW_SECONDS}",
            f"-rss_limit_mb={MOST_MIB}",
            f"-artifact_prefix={FOUND / target}-",
            "-print_final_stats=1",
            "-verbosity=0",
            str(work),
            str(begin),
        )
        found = sorted(set(FOUND.iterdir()) - before)
        counted = re.search(r"stat::number_of_executed_units: (\d+)", ended.stderr)
        if ended.returncode and not found:
            print(ended.stderr[-3000:], file=sys.stderr)
            raise SystemExit(f"{target}: the fuzzer ended with {ended.returncode}")
        if found:
            print(ended.stderr[-3000:], file=sys.stderr)
        if minimize:
            merged = run(
                target, "-merge=1", f"-max_len={LONGEST}", str(least), str(begin), str(work)
            )
            if merged.returncode:
                raise SystemExit(f"{target}: merging failed:\n{merged.stderr[-3000:]}")
            corpus.keep(target, (each.read_bytes() for each in least.iterdir()))
        kept = len(corpus.entries(target))
        return int(counted[1]) if counted else 0, kept, found


def run(target: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz.one", target]
    with tempfile.TemporaryDirectory() as home:
        again = Path(home) / "again"
        again.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        again.chmod(0o755)
        return subprocess.run(
            [*command, *options],
            env={**os.environ, "FUZZ_AGAIN": str(again)},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )


def main() -> int:
    """Fuzz, one target after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="in total (default 10)")
    parser.add_argument("--target", choices=TARGETS, action="append", help="only this one")
    parser.add_argument("--no-keep", action="store_true", help="leave the corpus as it is")
    options = parser.parse_args()
    chosen = options.target or list(TARGETS)
    each = options.minutes * 60 / len(chosen)
    findings: list[Path] = []
    for target in chosen:
        begun = time.monotonic()
        executions, kept, found = fuzz(target, each, not options.no_keep)
        findings += found
        seconds = time.monotonic() - begun
        words = ", ".join(path.name for path in found) or "nothing found"
        print(f"{target:8} {executions:>10} executions, {seconds:.0f} s, {kept} kept: {words}")
        sys.stdout.flush()
    if findings:
        print("found:", *findings, sep="\n  ")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
