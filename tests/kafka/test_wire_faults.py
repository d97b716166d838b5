"""Producers of real clients on connections that go dead, or become slow, before real Kafka."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import confluent_kafka
import pytest

from tests.kafka import clients
from tests.kafka.processes import wait_until
from tests.kafka.sidecars import Access, Gateways, Json, Sidecar
from tests.kafka.tools import Tools, client_properties

# The first test pays for the start of the cluster, and perhaps for the download.
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

VALUES = [f"value-{number:02}" for number in range(40)]
TIMEOUT_MS = 3000
"""After which the clients give up on a request."""
KIB = 1024
Produce = Callable[[Gateways, Access, Any], None]


def adds(sidecar: Sidecar, vcluster: str, plugin: str, config: Json, **control: Any) -> str:
    """An interceptor about all requests that `control` leaves; its path."""
    path = f"/admin/interceptors/v1/vcluster/{vcluster}/interceptor/wire"
    config = {"rateInPercent": 100} | config
    body = {"pluginClass": f"kafka.chaos.{plugin}", "priority": 1, "config": config}
    status, reply = sidecar.request("POST", path, body | {"control": control})
    assert status == 201, reply
    assert sidecar.request("GET", path)[1]["config"] == config
    return path


def tenant(gateways: Gateways) -> tuple[str, Access]:
    """A virtual cluster of its own with the topic t."""
    vcluster = f"wires-{uuid4().hex[:12]}-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, "t")
    return vcluster, access


def confluent(gateways: Gateways, access: Access, folder: Any, timeout: int = TIMEOUT_MS) -> None:
    """librdkafka, idempotent."""
    failures: list[Any] = []
    own = {"enable.idempotence": True, "socket.timeout.ms": timeout, "request.timeout.ms": timeout}
    producer = confluent_kafka.Producer(clients.librdkafka_config(access) | own)
    for value in VALUES:
        producer.produce("t", value, on_delivery=lambda error, _: error and failures.append(error))
        producer.poll(0.005)
    assert producer.flush(clients.DELIVERY_SECONDS) == 0
    assert failures == []


def kafka_python(gateways: Gateways, access: Access, folder: Any) -> None:
    """kafka-python, idempotent."""
    own = {"enable_idempotence": True, "acks": "all", "request_timeout_ms": TIMEOUT_MS}
    producer = clients.kafka_python.KafkaProducer(**clients.python_config(access), **own)
    try:
        sent = [producer.send("t", value.encode()) for value in VALUES]
        for each in sent:
            each.get(clients.DELIVERY_SECONDS)
    finally:
        producer.close()


def java(gateways: Gateways, access: Access, folder: Any) -> None:
    """Kafka's console producer, idempotent by default."""
    config = folder / "client.properties"
    config.write_text(client_properties(access.bootstrap, access.username, access.token))
    own = (f"request.timeout.ms={TIMEOUT_MS}", "enable.idempotence=true", "linger.ms=5")
    Tools(gateways.kafka.distribution, access.bootstrap, config).produce("t", VALUES, *own)


@pytest.mark.parametrize("moment", ["BEFORE", "AFTER"])
@pytest.mark.parametrize("produce", [confluent, kafka_python, java], ids=lambda p: p.__name__)
def test_a_producer_gets_out_of_a_blackhole_by_its_own_timeout(
    gateways: Gateways, tmp_path: Any, produce: Produce, moment: str
) -> None:
    vcluster, access = tenant(gateways)
    selected: Json = {"apis": ["PRODUCE"], "maxInjections": 1}
    adds(gateways.first, vcluster, "BlackholePlugin", {"moment": moment}, **selected)
    started = time.monotonic()

    produce(gateways, access, tmp_path)

    assert time.monotonic() - started > 0.9 * TIMEOUT_MS / 1000
    assert clients.stored(gateways.kafka.bootstrap, f"{vcluster}t") == VALUES
    [event] = gateways.first.events(virtual_cluster=vcluster)
    outcome = "SWALLOW" if moment == "BEFORE" else "APPEND_THEN_SWALLOW"
    assert (event["fault"], event["outcome"]) == ("blackhole", outcome)


@pytest.mark.parametrize("how", ["deleted", "closed slowly"])
def test_a_producer_with_long_timeouts_goes_on_when_its_connection_closes(
    gateways: Gateways, tmp_path: Any, how: str
) -> None:
    """Long before its own timeout, which is a minute."""
    vcluster, access = tenant(gateways)
    sidecar = gateways.first
    selected: Json = {"apis": ["PRODUCE"]}
    if how == "deleted":
        path = adds(sidecar, vcluster, "BlackholePlugin", {}, **selected)
    else:
        selected["maxInjections"] = 1
        adds(sidecar, vcluster, "SlowClosePlugin", {"delayMs": 1000}, **selected)
    started = time.monotonic()
    producing = threading.Thread(target=confluent, args=(gateways, access, tmp_path, 60_000))
    producing.start()

    wait_until(lambda: bool(sidecar.events(virtual_cluster=vcluster)), "the fault", 20)
    if how == "deleted":
        assert sidecar.request("DELETE", path)[0] == 204
    producing.join(30)

    assert not producing.is_alive()
    took = time.monotonic() - started
    assert (0 if how == "deleted" else 1) < took < 30
    assert clients.stored(gateways.kafka.bootstrap, f"{vcluster}t") == VALUES


def upload(producer: confluent_kafka.Producer, size: int) -> float:
    """Seconds in which it produces so many bytes that cannot be compressed."""
    failures: list[Any] = []
    started = time.monotonic()
    for _ in range(size // (10 * KIB)):
        value = os.urandom(10 * KIB)
        producer.produce("t", value, on_delivery=lambda error, _: error and failures.append(error))
    assert producer.flush(clients.DELIVERY_SECONDS) == 0
    assert failures == []
    return time.monotonic() - started


def test_bandwidth_slows_one_producer_down_and_no_other(gateways: Gateways) -> None:
    rate, size = 100 * KIB, 500 * KIB
    vcluster, access = tenant(gateways)
    config = {"bytesPerSecond": rate, "direction": "REQUESTS"}
    path = adds(gateways.first, vcluster, "BandwidthPlugin", config, clientIds=["slow"])
    slow, quick = (
        confluent_kafka.Producer(clients.librdkafka_config(access) | {"client.id": name})
        for name in ("slow", "quick")
    )
    upload(slow, 10 * KIB)  # its first Produce is sent as it comes, and slow from then on
    took: list[float] = []
    uploading = threading.Thread(target=lambda: took.append(upload(slow, size)))
    uploading.start()

    beside = upload(quick, size)
    uploading.join(60)

    assert size / rate - 0.5 < took[0] < 3 * size / rate + 2
    assert beside < took[0] / 2
    events = gateways.first.events(virtual_cluster=vcluster)
    assert {(e["outcome"], e["client_id"]) for e in events} == {("THROTTLE", "slow")}
    struck = [event["connection_id"] for event in events]
    assert len(struck) == len(set(struck))

    assert gateways.first.request("DELETE", path)[0] == 204
    assert upload(slow, size) < size / rate / 2
