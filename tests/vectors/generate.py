"""Makes the vectors of one Kafka release: `make vectors KAFKA=4.3.0`.

Writes bodies-<release>.jsonl.gz, and records-<release>.jsonl.gz if no release has these record sets
yet, and says what differs from what was there: from the same release, or else from the newest.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.kafka.distribution import KafkaUnavailableError
from tests.vectors.project import compiled

FOLDER = Path(__file__).parent
SUFFIX = ".jsonl.gz"
MOST_SHOWN = 40
SIDES = {"q": "request", "p": "response"}

Bodies = dict[tuple[int, str, int], list[str]]
"""Lines by API key, side and version."""


def read_lines(path: Path) -> list[str]:
    """The lines of one file, without their ends."""
    return gzip.decompress(path.read_bytes()).decode().removesuffix("\n").split("\n")


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write one file: the same lines make the same bytes, as there is no time in it."""
    text = "".join(f"{line}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def file_of(kind: str, release: str, folder: Path = FOLDER) -> Path:
    """The file of `bodies` or `records` of a release."""
    return folder / f"{kind}-{release}{SUFFIX}"


def releases_of(kind: str, folder: Path = FOLDER) -> list[str]:
    """The releases there are files of, oldest first."""
    names = (path.name for path in folder.glob(f"{kind}-*{SUFFIX}"))
    found = (name.removeprefix(f"{kind}-").removesuffix(SUFFIX) for name in names)
    return sorted(found, key=lambda release: [int(part) for part in release.split(".")])


def by_message(lines: Iterable[str]) -> Bodies:
    """The lines of a file of bodies, grouped."""
    found: Bodies = {}
    for line in lines:
        vector = json.loads(line)
        found.setdefault((vector["k"], vector["s"], vector["v"]), []).append(line)
    return found


def differences(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """Messages that are new, gone or changed, a line each."""
    old, new = by_message(before), by_message(after)
    shown = []
    for message in sorted(old.keys() | new.keys()):
        if old.get(message) != new.get(message):
            key, side, version = message
            what = "changed" if message in old and message in new else "new"
            what = what if message in new else "gone"
            shown.append(f"{what}: key {key} {SIDES[side]} v{version}")
    return shown


def write_bodies(release: str, lines: list[str], folder: Path) -> None:
    """Write the bodies of a release, and say what is different."""
    path = file_of("bodies", release, folder)
    known = releases_of("bodies", folder)
    other = release if release in known else next(reversed(known), None)
    before = read_lines(file_of("bodies", other, folder)) if other else []
    if other == release and before == lines:
        print(f"{path.name}: {len(lines)} lines, as before")
        return
    write_lines(path, lines)
    found = differences(before, lines)
    against = f"those of {other}" if other else "nothing: there were none"
    print(f"{path.name}: {len(lines)} lines; {len(found)} messages differ from {against}")
    for line in found[:MOST_SHOWN]:
        print(f"  {line}")
    if len(found) > MOST_SHOWN:
        print(f"  and {len(found) - MOST_SHOWN} more")


def write_records(release: str, lines: list[str], folder: Path) -> None:
    """Write the record sets of a release, unless there is one with the same."""
    for other in releases_of("records", folder):
        if read_lines(file_of("records", other, folder)) == lines:
            print(f"record sets: {len(lines)} lines, those of {other}")
            return
    path = file_of("records", release, folder)
    write_lines(path, lines)
    print(f"{path.name}: {len(lines)} lines, unlike those of any other release")


def main(arguments: list[str] | None = None) -> int:
    """The command; 2 for what cannot be done here, with the reason in one line."""
    parser = argparse.ArgumentParser(prog="make vectors", description=__doc__)
    parser.add_argument("release", nargs="?", default="", help="of Kafka, as KAFKA=4.3.0 for make")
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder to write to")
    chosen = parser.parse_args(arguments)
    try:
        with compiled(chosen.release) as project:
            write_bodies(chosen.release, project.bodies(), chosen.into)
            write_records(chosen.release, project.records(), chosen.into)
    except (ValueError, KafkaUnavailableError) as error:
        print(f"vectors: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
