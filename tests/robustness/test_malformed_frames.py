"""Malformed frames by the ten thousand against one sidecar, and a good client beside them."""

import json
import os
import statistics
import sys
from pathlib import Path

import pytest

from tests.kafka.processes import Child, wait_until
from tests.robustness.frames import seeds
from tests.robustness.goodclient import GoodClient, at_work
from tests.robustness.running import Running, running

FRAMES = int(os.environ.get("MALFORMED_FRAMES", "30000"))
"""`make storm` sends 202,000, which takes two minutes; CI does that, too."""
WARM_UP = 12_000
GROWTH_MIB = 24
"""How much larger the sidecar may be after the storm than after the warm-up."""
PEAK_MIB = 64
"""How much larger it may have been for a moment."""
SLOW_SECONDS = 5.0
"""What one record of the good client may take, on a machine that others use too."""
USUAL_SECONDS = 0.5


def storm(sidecar: Running, home: Path, frames: int, seed: str) -> dict:
    """Let it rage; what it counted."""
    tokens = [sidecar.token(name) for name in ("hostile", "hostile", "passthrough")]
    command = [sys.executable, "-m", "tests.robustness.storm", "--frames", str(frames)]
    command += ["--seed", seed, "--ports", *map(str, sidecar.ports), "--tokens", *tokens]
    child = Child("storm", command, home / f"storm-{seed}.log")
    try:
        wait_until(lambda: not child.alive, "the end of the storm", 240, interval=0.25)
    finally:
        status = child.stop(grace=0)
    assert status == 0, child.tail()
    return json.loads(child.log.read_text().splitlines()[-1])


def check_good(client: GoodClient) -> None:
    """Everything arrived exactly once, in order, in a reasonable time."""
    assert client.failures == []
    assert client.sent > 0
    assert client.received == list(range(client.sent))
    assert statistics.median(client.latencies) < USUAL_SECONDS
    assert max(client.latencies) < SLOW_SECONDS


def check_log(sidecar: Running) -> None:
    """Nothing in the log but JSON lines about what others did."""
    assert "Traceback" not in sidecar.child.log.read_text()
    lines = sidecar.log()
    bad = [line for line in lines if line["level"] not in ("info", "warning")]
    assert bad == []
    closed = {line["reason"] for line in lines if line["event"] == "connection_closed"}
    # All the ways there are to be refused were gone.
    assert closed >= {
        "malformed_request",
        "not_authenticated",
        "unsupported_version",
        "unsupported_sasl_mechanism",
        "authentication_failed",
    }


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_malformed_frames_harm_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path) as sidecar:
        pid = sidecar.child.pid
        sidecar.inject("hostile", 50)
        storm(sidecar, tmp_path, WARM_UP, "warm-up")
        with at_work(sidecar.client("good.warm-up"), create=True):
            pass
        descriptors = sidecar.descriptors()
        sidecar.reset_peak()
        before, _ = sidecar.memory()

        with at_work(sidecar.client("good.storm"), create=True) as good:
            result = storm(sidecar, tmp_path, FRAMES, "storm")

        after, peak = sidecar.memory()
        latencies = sorted(good.latencies)
        with capsys.disabled():
            print(
                f"\n{json.dumps(result)}\nRSS {before:.1f} MiB before, {after:.1f} after,"
                f" {peak:.1f} at most; good client: {good.sent} records, median"
                f" {statistics.median(latencies) * 1000:.1f} ms, p99"
                f" {latencies[len(latencies) * 99 // 100] * 1000:.1f} ms, max"
                f" {latencies[-1] * 1000:.1f} ms"
            )
        assert min(result["before"]["frames"], result["after"]["frames"]) >= FRAMES // 2
        assert len(result["before"]["kinds"]) == 17
        assert len(result["after"]["kinds"]) == 14
        check_good(good)
        assert sidecar.child.alive
        assert sidecar.child.pid == pid
        assert sidecar.health()["status"] == "UP"
        assert after < before + GROWTH_MIB
        assert peak < before + PEAK_MIB
        wait_until(lambda: sidecar.descriptors() <= descriptors, "descriptors given back", 15)

        with at_work(sidecar.client("good.afterwards"), create=True) as again:
            wait_until(lambda: again.sent >= 20 or bool(again.failures), "twenty records", 30)
        check_good(again)
        assert sidecar.child.stop() == 0
        check_log(sidecar)


def test_the_storm_knows_every_api_and_version() -> None:
    """Guards the test above against seeds that go missing."""
    assert len({key for key, _, _ in seeds()}) >= 29
    assert len(seeds()) > 150
