"""A disk that is full: under the log, and under the file that the state is in."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.robustness.running import running
from tests.robustness.test_stuck_log import ELECTIONS, NOT_LEADER, connected, error_of, leader
from tests.support.disks import Disk, DiskUnavailable, tiny_disk

REQUESTS = 20
VIRTUAL_CLUSTERS = "/admin/interceptors/v1/vcluster/{}/interceptor/simulate"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    try:
        with tiny_disk(tmp_path / "disk") as one:
            yield one
    except DiskUnavailable as error:
        pytest.skip(str(error))


def events(path: Path) -> list[dict[str, Any]]:
    """Every line of the log, each whole."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_sidecar_whose_log_goes_to_a_full_disk_serves_and_injects_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "sidecar.log").symlink_to("/dev/full")
    with running(tmp_path) as sidecar:
        port = leader(sidecar, "full")
        sidecar.add("full", *ELECTIONS)
        wire = connected(sidecar, "full", port)

        assert [error_of(wire) for _ in range(REQUESTS)] == [0] * REQUESTS

        assert sidecar.metric("injections_skipped_total") == REQUESTS
        assert sidecar.metric("injection_paused") == 1
        assert sidecar.health()["status"] == "UP"
        wire.sock.close()
        assert sidecar.child.stop() == 0


def test_the_log_says_what_it_missed_when_the_disk_has_room_again(
    tmp_path: Path, disk: Disk
) -> None:
    log = disk.path / "sidecar.log"
    (tmp_path / "sidecar.log").symlink_to(log)
    with running(tmp_path) as sidecar:
        port = leader(sidecar, "full")
        sidecar.add("full", *ELECTIONS)
        wire = connected(sidecar, "full", port)
        found = [error_of(wire)]
        disk.fill()
        # What is left of a page takes some more lines; an event that fits in part is taken.
        found += [error_of(wire) for _ in range(REQUESTS)]
        skipped = int(sidecar.metric("injections_skipped_total"))

        assert found[-1] == 0
        assert skipped == found.count(0) > 0
        disk.free()
        assert error_of(wire) == NOT_LEADER
        wire.sock.close()
        told = events(log)

    injected = [event for event in told if event["event"] == "fault_injected"]
    assert len(injected) == found.count(NOT_LEADER) + 1
    assert [e["skipped"] for e in told if e["event"] == "injection_resumed"] == [skipped]


def test_a_state_that_finds_no_room_is_refused_and_the_old_one_stays(
    tmp_path: Path, disk: Disk
) -> None:
    path = disk.path / "state.json"
    settings = {"GATEWAY_STORAGE_TYPE": "FILE", "GATEWAY_STORAGE_FILE": str(path)}
    with running(tmp_path, settings) as sidecar:
        sidecar.add("before", *ELECTIONS)
        stored = path.read_text()
        disk.fill()

        body = {"pluginClass": ELECTIONS[0], "priority": 1, "config": ELECTIONS[1]}
        status, answer = sidecar.ask("POST", VIRTUAL_CLUSTERS.format("during"), body)

        assert status == 503
        assert f"{path} cannot be written: No space left on device" in answer["message"]
        assert sidecar.ask("DELETE", VIRTUAL_CLUSTERS.format("before"))[0] == 503
        assert path.read_text() == stored
        assert sorted(each.name for each in disk.path.iterdir()) == [
            "filler",
            "state.json",
            "state.json.lock",
        ]
        disk.free()
        sidecar.add("after", *ELECTIONS)
        assert sidecar.child.stop() == 0
    with running(tmp_path, settings) as again:
        for name, there in (("before", True), ("during", False), ("after", True)):
            found = again.ask("GET", VIRTUAL_CLUSTERS.format(name))[0]
            assert (found == 200) is there, name
