"""A log's injections again, with a real producer before a real cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.kafka import clients
from tests.kafka.cluster import RealKafka
from tests.kafka.sidecars import PLUGIN, Access, Sidecar

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

FIRST_PORT = 29969
RECORDS = 60
TOLD = ("interceptor", "draw", "seed", "topic", "partition", "outcome", "error", "base_sequence")


def produce(access: Access) -> None:
    """One record after the other, each when the one before is acknowledged: one request a time."""
    config = {"enable_idempotence": True, "acks": "all", "retries": 1000, "client_id": "steady"}
    producer = clients.kafka_python.KafkaProducer(**clients.python_config(access), **config)
    try:
        for number in range(RECORDS):
            producer.send("t", str(number).encode(), partition=0).get(clients.DELIVERY_SECONDS)
    finally:
        producer.close()


def run(sidecar: Sidecar, vcluster: str) -> list[dict[str, Any]]:
    """What is injected into one run of that workload in a virtual cluster with a new topic."""
    access = sidecar.access(vcluster)
    admin = AdminClient(clients.librdkafka_config(access))
    admin.create_topics([NewTopic("t", 1, 1)])["t"].result(30)
    produce(access)
    admin.delete_topics(["t"])["t"].result(30)
    events = sidecar.events(virtual_cluster=vcluster)
    return [{name: event[name] for name in TOLD} for event in events]


def test_a_log_is_replayed_to_a_real_producer(kafka: RealKafka, tmp_path: Path) -> None:
    vcluster = f"replay-{uuid4().hex[:12]}-"
    first = Sidecar("first", kafka, FIRST_PORT, tmp_path)
    try:
        path = f"/admin/interceptors/v1/vcluster/{vcluster}/interceptor/elections"
        body = {
            "pluginClass": PLUGIN,
            "priority": 100,
            "config": {"rateInPercent": 40},
            "control": {"maxPerSecond": 5},
        }
        assert first.request("POST", path, body)[0] == 201
        expected = run(first, vcluster)
    finally:
        first.stop()
    assert len(expected) > 3

    second = Sidecar("second", kafka, FIRST_PORT + 10, tmp_path)
    try:
        command = [sys.executable, "-m", "sidecar", "ctl", "replay", str(tmp_path / "first.log")]
        target = {"CHAOS_SIDECAR_TARGET": f"localhost:{second.grpc_port}"}
        told = subprocess.run(
            [*command, "-o", "json"],
            env=os.environ | target,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        [asked] = json.loads(told.stdout)["targets"]
        assert asked["ok"]
        assert run(second, vcluster) == expected
    finally:
        second.stop()
