"""What is not needed is not imported: in a process of its own, with companions that tell."""

import os
import subprocess
import sys
from pathlib import Path

ALONE = "from sidecar import lean; lean.import_alone('structlog', 'jwt')"
COMPANIONS = ("better_exceptions", "cryptography", "rich", "twisted")


def run(folder: Path, script: str) -> list[str]:
    """Words that a script prints where every companion is installed."""
    for name in COMPANIONS:
        (folder / f"{name}.py").write_text(f"print({name!r})\n")
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_libraries_come_without_their_companions(tmp_path: Path) -> None:
    assert run(tmp_path, f"{ALONE}; import sidecar.log, jwt") == []


def test_companions_can_be_imported_afterwards(tmp_path: Path) -> None:
    found = run(tmp_path, f"{ALONE}; import rich, cryptography")

    assert found == ["rich", "cryptography"]


def test_a_companion_that_is_there_already_stays(tmp_path: Path) -> None:
    assert run(tmp_path, f"import rich; {ALONE}; import rich") == ["rich"]


def test_settings_from_the_environment_need_no_parser_of_files(tmp_path: Path) -> None:
    script = """
import sys
from sidecar.config import load
load({"KAFKA_BOOTSTRAP_SERVERS": "localhost:9092"})
print(*{"yaml", "tomllib"} & set(sys.modules))
"""
    assert run(tmp_path, script) == []
