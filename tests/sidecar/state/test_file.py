"""The state in a file."""

import json
import os
import time
from pathlib import Path

import pytest

from sidecar.control.state import ControlState
from sidecar.model.errors import Unavailable
from sidecar.model.snapshot import Snapshot
from sidecar.state.file import FileStore, StateFileError
from tests.sidecar.state.test_mirror import SNAPSHOT


def opened(path: Path) -> FileStore:
    def unreadable(key: str, cause: str) -> None:
        raise AssertionError((key, cause))

    return FileStore(path, time.time, unreadable)


def test_the_next_process_goes_on_where_one_has_stopped(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    store = opened(path)
    assert store.news() is None
    store.save(SNAPSHOT)
    store.close()

    again = opened(path)
    state = ControlState(lambda _: None, again)
    state.refresh()

    assert Snapshot(**{**again.news(everything=True)}) == SNAPSHOT
    assert state.snapshot.interceptors == SNAPSHOT.interceptors
    assert state.snapshot.halted
    again.close()
    assert path.stat().st_mode & 0o077 == 0
    assert not (tmp_path / "state.json.new").exists()


def test_two_processes_do_not_share_one(tmp_path: Path) -> None:
    store = opened(tmp_path / "state.json")
    with pytest.raises(StateFileError, match="another sidecar uses this file"):
        opened(tmp_path / "state.json")
    store.close()
    opened(tmp_path / "state.json").close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("\udcff", "is not JSON"),
        ("[]", "is not the state of a sidecar"),
        ('{"records": {}}', "is not the state of a sidecar"),
        (
            json.dumps({"format": "kafka-chaos-sidecar state", "records": {"a": 1}}),
            "has records that are not texts",
        ),
    ],
)
def test_what_is_no_state_is_refused_and_not_overwritten(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(StateFileError, match=words):
        opened(path)

    assert path.read_bytes() == text.encode(errors="surrogateescape")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateFileError, match="cannot be made: No such file or directory"):
        opened(tmp_path / "nowhere" / "state.json")


def test_a_change_that_cannot_be_written_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    store = opened(path)
    published: list[Snapshot] = []
    state = ControlState(published.append, store)
    state.in_turn(lambda: state.commit(virtual_clusters=("teamA",)))
    before = path.read_text()
    (tmp_path / "state.json.new").mkdir()

    with pytest.raises(Unavailable, match="cannot be written: Is a directory"):
        state.in_turn(lambda: state.commit(virtual_clusters=("teamA", "blue")))

    assert path.read_text() == before
    assert state.snapshot.virtual_clusters == ("teamA",)
    os.rmdir(tmp_path / "state.json.new")
    state.in_turn(lambda: state.commit(virtual_clusters=("teamA", "blue")))
    assert "blue" in path.read_text()
    store.close()
