"""A sidecar that is told to end lets clients finish: nothing is lost, cut or repeated."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import confluent_kafka
import pytest

from tests.kafka import clients
from tests.kafka.cluster import RealKafka
from tests.kafka.sidecars import Sidecar

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

FIRST_PORT = 24969


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_under_load(kafka: RealKafka, tmp_path: Path, workers: str) -> None:
    """Five producers at full speed; the sidecar ends and another takes its place."""
    extra = {"GATEWAY_SECURITY_PROTOCOL": "PLAINTEXT", "GATEWAY_WORKERS": workers}
    one = Sidecar("one", kafka, FIRST_PORT, tmp_path, **extra)
    topics = [f"drained-{workers}-{number}" for number in range(5)]
    access = clients.Access(one.bootstrap)
    for topic in topics:
        clients.create_topic(access, topic)
    stopping = threading.Event()
    sent: dict[str, list[str]] = {topic: [] for topic in topics}
    failed: list[object] = []

    def produce(topic: str) -> None:
        settings = {"enable.idempotence": True, "linger.ms": 0, "log_level": 0}
        producer = confluent_kafka.Producer(clients.librdkafka_config(access) | settings)
        while not stopping.is_set():
            value = str(len(sent[topic]))
            sent[topic].append(value)
            producer.produce(
                topic, value, on_delivery=lambda error, _: failed.append(error) if error else None
            )
            producer.poll(0)
            if len(producer) > 200:
                producer.poll(0.05)
        assert producer.flush(30) == 0

    threads = [threading.Thread(target=produce, args=(topic,)) for topic in topics]
    for thread in threads:
        thread.start()
    stopping.wait(1.5)  # the load has to run for a while
    one.signal(signal.SIGTERM)
    assert one.stop() == 0
    [drained] = one.events("drained")
    same = {"GATEWAY_START_PORT": str(one.port)}
    again = Sidecar("again", kafka, FIRST_PORT, tmp_path, **extra, **same)
    try:
        stopping.wait(0.5)
        stopping.set()
        for thread in threads:
            thread.join(60)
        assert failed == []
        for topic in topics:
            assert clients.stored(kafka.bootstrap, topic) == sent[topic]
        assert drained["left"] == 0
        assert drained["seconds"] < 4
        closed = one.events("connection_closed")
        assert {event["reason"] for event in closed} == {"draining"}
        # What was in flight was answered: no broker was left with half of a request.
        assert not one.events("relay_failed")
    finally:
        again.stop()
