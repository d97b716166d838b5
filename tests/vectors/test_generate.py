"""What the command that makes vectors says and writes; what it makes is tested with Java."""

import gzip
import json
from pathlib import Path

import pytest

from tests.vectors import generate
from tests.vectors.generate import (
    differences,
    file_of,
    read_lines,
    releases_of,
    write_bodies,
    write_lines,
    write_records,
)


def line(key: int, side: str, version: int, profile: str = "DEF", body: str = "00") -> str:
    return json.dumps({"k": key, "s": side, "v": version, "p": profile, "j": None, "h": body})


OLD = [line(0, "q", 3), line(0, "q", 3, "MIN"), line(0, "p", 3), line(4, "q", 1)]
NEW = [line(0, "q", 3), line(0, "q", 3, "MIN", "01"), line(0, "p", 3), line(93, "p", 0)]


def test_what_differs() -> None:
    assert differences(OLD, NEW) == [
        "changed: key 0 request v3",
        "gone: key 4 request v1",
        "new: key 93 response v0",
    ]
    assert differences(NEW, NEW) == []


def test_the_same_lines_make_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        write_lines(path, [*OLD, "é \u2028 世"])
    assert one.read_bytes() == other.read_bytes()
    assert one.read_bytes()[4:8] == bytes(4), "no time stamp"
    assert read_lines(one) == [*OLD, "é \u2028 世"]
    assert gzip.decompress(one.read_bytes()).endswith(b"\n")


def test_releases_are_in_order(tmp_path: Path) -> None:
    for release in ("4.10.0", "3.9.0", "4.9.0"):
        write_lines(file_of("bodies", release, tmp_path), OLD)
    assert releases_of("bodies", tmp_path) == ["3.9.0", "4.9.0", "4.10.0"]
    assert releases_of("records", tmp_path) == []


def test_bodies_are_compared_with_their_own_release_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bodies("4.3.0", OLD, tmp_path)
    assert "those of" not in capsys.readouterr().out
    write_bodies("4.4.0", NEW, tmp_path)
    assert "3 messages differ from those of 4.3.0" in capsys.readouterr().out
    assert read_lines(file_of("bodies", "4.4.0", tmp_path)) == NEW
    write_bodies("4.3.0", NEW, tmp_path)
    assert "  gone: key 4 request v1\n" in capsys.readouterr().out
    assert read_lines(file_of("bodies", "4.3.0", tmp_path)) == NEW


def test_files_with_the_same_lines_are_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also if their bytes are those of another compressor."""
    for kind, write in (("bodies", write_bodies), ("records", write_records)):
        path = file_of(kind, "4.3.0", tmp_path)
        path.write_bytes(gzip.compress("".join(f"{each}\n" for each in OLD).encode(), 1, mtime=9))
        before = path.read_bytes()
        write("4.3.0", OLD, tmp_path)
        assert path.read_bytes() == before
    assert capsys.readouterr().out.count("4 lines") == 2


def test_record_sets_that_are_new(tmp_path: Path) -> None:
    write_records("3.9.0", OLD, tmp_path)
    write_records("4.3.0", OLD, tmp_path)
    write_records("4.4.0", NEW, tmp_path)
    assert releases_of("records", tmp_path) == ["3.9.0", "4.4.0"]


@pytest.mark.parametrize("release", ["", "4.3", "4.x", "four", "4.3.0-rc1"])
def test_what_is_not_a_release(release: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main([release]) == 2
    assert f"not a Kafka version: {release!r}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("missing", "reason"), [("java", "no java found"), ("mvn", "no mvn found")]
)
def test_what_is_not_installed(
    missing: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"17.0.1\"' >&2\n")
    java.chmod(0o644 if missing == "java" else 0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert generate.main(["4.3.0"]) == 2
    assert reason in capsys.readouterr().err
