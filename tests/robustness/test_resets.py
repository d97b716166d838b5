"""Brokers whose connections are reset inside of frames, again and again."""

import sys
from pathlib import Path

from tests.kafka.processes import Child, accepts_tcp, free_port_range, wait_until
from tests.robustness.goodclient import at_work
from tests.robustness.running import BROKERS, running
from tests.support.resetting import FAR, NEAR, resetting

CLUSTER = """
import gevent
from sidecar.embedded.server import EmbeddedCluster
with EmbeddedCluster({brokers}, "{far}", {port}, advertised_host="{near}"):
    gevent.sleep(3600)
"""
RESETS = 6


def test_a_client_goes_on_whatever_is_reset_behind_the_sidecar(tmp_path: Path) -> None:
    port = free_port_range(BROKERS, 24492)
    ports = [port + n for n in range(BROKERS)]
    script = CLUSTER.format(brokers=BROKERS, far=FAR, near=NEAR, port=port)
    cluster = Child("cluster", [sys.executable, "-c", script], tmp_path / "far.log")
    try:
        wait_until(lambda: all(accepts_tcp(each, FAR) for each in ports), "the cluster", 30)
        settings = {"KAFKA_BOOTSTRAP_SERVERS": ",".join(f"{NEAR}:{each}" for each in ports)}
        with (
            resetting(ports) as relay,
            running(tmp_path, settings) as sidecar,
            at_work(sidecar.client("good"), create=True) as client,
        ):
            wait_until(lambda: client.sent > 5, "records before them", 60)
            relay.begin()
            wait_until(lambda: relay.resets >= RESETS, "resets", 60)
            sent = client.sent
            wait_until(lambda: client.sent > sent + 20, "records after them", 60)
            descriptors = sidecar.descriptors()
    finally:
        cluster.stop()

    assert client.failures == []
    assert client.received == list(range(client.sent))
    assert descriptors < 100
