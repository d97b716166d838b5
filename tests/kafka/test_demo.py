"""The demo, end to end: two sidecars, real Kafka, and the script that users run."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.kafka import clients
from tests.kafka.cluster import RealKafka
from tests.kafka.sidecars import Access, Gateways
from tests.kafka.tools import Tools, client_properties, write_wrappers

# The first test of a cluster pays for its start, and perhaps for the download.
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

DEMO = Path(__file__).parents[2] / "compose" / "demo.sh"
DEMO_TIMEOUT = 180
WARNING = re.compile(r"WARN .*Got error produce response .*Error: NOT_LEADER_OR_FOLLOWER")
EXHAUSTED = re.compile(r"^org\.apache\.kafka\.common\.errors\.NotLeaderOrFollower", re.MULTILINE)
SEEDS = 20


def run_demo(gateways: Gateways, wrappers: Path, *options: str) -> str:
    """Run demo.sh, which makes its own checks; what it printed."""
    write_wrappers(gateways.kafka.distribution, wrappers)
    first = gateways.first
    addresses = ["--admin", first.admin_url, "--bootstrap", first.bootstrap]
    direct = ["--direct", gateways.kafka.bootstrap]
    done = subprocess.run(
        ["bash", str(DEMO), *addresses, *direct, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEMO_TIMEOUT,
        env={**os.environ, "PATH": f"{wrappers}{os.pathsep}{os.environ['PATH']}"},
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def check_injections(gateways: Gateways, vcluster: str, shown: str) -> None:
    """Each refusal is one event; a WARN line too, except where it was the last that is retried."""
    events = gateways.first.events(virtual_cluster=vcluster)
    warnings, exhausted = len(WARNING.findall(shown)), len(EXHAUSTED.findall(shown))
    assert warnings > 0
    assert warnings <= len(events) <= warnings + exhausted
    for event in events:
        assert event["interceptor"] == "simulate-leader-elections-errors"
        assert (event["error"], event["error_code"]) == ("NOT_LEADER_OR_FOLLOWER", 6)
        assert (event["topic"], event["partition"]) == ("my-topic", 0)
        assert (event["api"].upper(), event["acks"]) == ("PRODUCE", -1)
        assert event["correlation_id"] > 0
        assert event["version"] >= 3


def check_isolation(gateways: Gateways, vcluster: str) -> None:
    """The topic has a physical name of its own, and other virtual clusters do not see it."""
    first = gateways.first
    physical = clients.topics(Access(gateways.kafka.bootstrap))
    assert f"{vcluster}my-topic" in physical
    assert "my-topic" not in physical
    assert clients.topics(first.access(vcluster)) == {"my-topic"}
    assert "my-topic" not in clients.topics(first.access("teamB"))


def test_the_demo_word_for_word(gateways: Gateways, tmp_path: Path) -> None:
    """The demo's own producer command at its own pace, with a seed."""
    shown = run_demo(gateways, tmp_path, "--seed", "7")
    check_injections(gateways, "teamA", shown)
    check_isolation(gateways, "teamA")


def test_the_demo_with_checkable_order(gateways: Gateways, tmp_path: Path) -> None:
    options = ("--monotonic", "--records", "30", "--throughput", "20", "--vcluster", "ordered")
    shown = run_demo(gateways, tmp_path, "--seed", "11", *options)
    check_injections(gateways, "ordered", shown)


def test_without_errors_nothing_is_refused(gateways: Gateways, tmp_path: Path) -> None:
    options = ("--rate", "0", "--throughput", "50", "--vcluster", "calm", "--monotonic")
    shown = run_demo(gateways, tmp_path, *options)
    assert not WARNING.search(shown)
    assert gateways.first.events(virtual_cluster="calm") == []


def test_the_demo_on_kafka_39(gateways39: Gateways, tmp_path: Path) -> None:
    shown = run_demo(gateways39, tmp_path, "--seed", "7", "--monotonic", "--throughput", "5")
    check_injections(gateways39, "teamA", shown)
    check_isolation(gateways39, "teamA")


def test_a_token_of_one_is_good_at_the_other(gateways: Gateways) -> None:
    token = gateways.first.access("shared")
    clients.create_topic(token, "shared-topic")
    there = Access(gateways.second.bootstrap, token.username, token.token)
    assert clients.topics(there) == {"shared-topic"}


def hits(gateways: Gateways, vcluster: str) -> list[int]:
    """Which draws of a virtual cluster's interceptor were refusals."""
    drawn = gateways.first.events(virtual_cluster=vcluster, reason="DRAWN")
    return [event["draw"] for event in drawn]


def same_prefix(first: Sequence[int], second: Sequence[int]) -> bool:
    """Whether two runs agree on every draw that both of them are known to have made."""
    limit = min(max(first, default=-1), max(second, default=-1))
    return [n for n in first if n <= limit] == [n for n in second if n <= limit]


def java_run(kafka: RealKafka, gateways: Gateways, folder: Path, seed: int) -> str:
    """Ten records by the perf test, at most five in flight: what is acknowledged is there, once."""
    vcluster = f"java{seed}-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, "seeded")
    gateways.first.inject(vcluster, 50, seed)
    config = folder / f"{vcluster}.properties"
    config.write_text(client_properties(access.bootstrap, access.username, access.token))
    tools = Tools(kafka.distribution, access.bootstrap, config)
    shown = tools.perf_test("seeded", 10, "retries=5", "linger.ms=0", throughput=50)
    sent = re.findall(r"^(\d+) records sent, .*99\.9th", shown, re.MULTILINE)
    assert sent, shown
    there = [int(value) for value in clients.stored(kafka.bootstrap, f"{vcluster}seeded")]
    assert there == sorted(set(there)), shown
    assert len(there) == int(sent[-1]), shown
    return vcluster


def python_run(kafka: RealKafka, gateways: Gateways, seed: int) -> str:
    """Ten records by kafka-python, which never gives up: all are there, once, in order."""
    vcluster = f"python{seed}-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, "seeded")
    gateways.first.inject(vcluster, 50, seed)
    values = [str(number) for number in range(10)]
    clients.KafkaPython().produce(access, "seeded", values)
    assert clients.stored(kafka.bootstrap, f"{vcluster}seeded") == values
    return vcluster


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seed_decides_every_draw(
    kafka: RealKafka, gateways: Gateways, tmp_path: Path, seed: int
) -> None:
    """The same refusals for the same seed, whichever client draws; and never a loss."""
    by_java = hits(gateways, java_run(kafka, gateways, tmp_path, seed))
    by_python = hits(gateways, python_run(kafka, gateways, seed))
    assert by_python
    assert by_java == sorted(by_java)
    assert same_prefix(by_java, by_python), (by_java, by_python)
