"""Hints of who leads: as a broker's own, and what real clients make of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from tests.kafka import clients
from tests.kafka.api_matrix.data import fetch_request
from tests.kafka.api_matrix.records import batch
from tests.kafka.api_matrix.spec import only
from tests.kafka.api_matrix.tenant import TOPIC, Tenant
from tests.kafka.cluster import RealKafka
from tests.kafka.processes import wait_until
from tests.kafka.sidecars import PLUGIN, Access, Gateways, Sidecar
from tests.kafka.test_election_windows import LEADERLESS
from tests.kafka.tools import Tools, client_properties

# The first test pays for the start of the cluster, and perhaps for the download.
pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

RESTART = "kafka.chaos.RollingRestartPlugin"
VALUES = [str(number) for number in range(20)]
LED_BY_2 = 1
"""A partition of the common topic."""
MATRIX: dict[str, type[clients.Client]] = {
    "confluent": clients.Confluent,
    "kafka-python": clients.KafkaPython,
    "aiokafka": clients.AioKafka,
    "java": clients.Java,
}
HINTED = {"confluent", "java"}
"""The others ask in versions before hints."""


def client(name: str, kafka: RealKafka) -> clients.Client:
    made: Any = MATRIX[name]
    return made(kafka.distribution) if name == "java" else made()


def at_once(names: Iterable[str], act: Callable[[str], None]) -> None:
    """Let these clients do it beside each other, since each waits most of the time."""

    def named(name: str) -> None:
        try:
            act(name)
        except BaseException as error:
            error.add_note(f"client: {name}")
            raise

    names = list(names)
    with ThreadPoolExecutor(len(names)) as pool:
        for done in [pool.submit(named, name) for name in names]:
            done.result()


RECORDS = 60
"""One every 25 ms: for longer than any turn."""


def paced_java(kafka: RealKafka, access: Access, topic: str) -> list[str]:
    """What was sent, in order."""
    with TemporaryDirectory() as folder:
        config = Path(folder) / "client.properties"
        config.write_text(client_properties(access.bootstrap, access.username, access.token))
        tools = Tools(kafka.distribution, access.bootstrap, config)
        told = tools.perf_test(topic, RECORDS, "linger.ms=0", "batch.size=0", throughput=40)
    assert f"{RECORDS} records sent" in told
    return [str(number) for number in range(RECORDS)]


def paced_confluent(kafka: RealKafka, access: Access, topic: str) -> list[str]:
    """The same of librdkafka; idempotent, so that retries keep the order."""
    settings = {"enable.idempotence": True, "linger.ms": 0}
    producer = confluent_kafka.Producer(clients.librdkafka_config(access) | settings)
    values = [str(number) for number in range(RECORDS)]
    for value in values:
        producer.produce(topic, value)
        threading.Event().wait(0.025)
    assert producer.flush(clients.DELIVERY_SECONDS) == 0
    return values


PACED = {"java": paced_java, "confluent": paced_confluent}
"""One producer for as long as leaders come and go: a tool that is started in between would wait
for a leader to be named, and may be done before the next turn."""


def inject(sidecar: Sidecar, vcluster: str, plugin: str, **config: Any) -> str:
    """The path at which that is undone."""
    path = f"/admin/interceptors/v1/vcluster/{vcluster}/interceptor/hinting"
    body = {"pluginClass": plugin, "priority": 1, "config": config}
    status, reply = sidecar.request("POST", path, body)
    assert status == 201, reply
    assert sidecar.request("GET", path)[1]["config"] == config
    return path


def refusal(tenant: Tenant, api: ApiKey, version: int, node: int) -> Any:
    """What a broker says of the partition that 2 leads: leader and epoch, and the endpoints."""
    if api is ApiKey.PRODUCE:
        part = {"index": LED_BY_2, "records": batch([tenant.marker])}
        data = [{**tenant.named(), "partition_data": [part]}]
        values = {"acks": -1, "timeout_ms": 10000, "topic_data": data}
        answer = tenant.ask(api, version, values, node)
        found = only(only(answer["responses"])["partition_responses"])
    else:
        values = fetch_request(tenant, version, {LED_BY_2: 0}, session_id=0, session_epoch=-1)
        answer = tenant.ask(api, version, values, node)
        found = only(only(answer["responses"])["partitions"])
    assert found["error_code"] == ErrorCode.NOT_LEADER_OR_FOLLOWER
    return found.get("current_leader"), answer.body.get("node_endpoints")


@pytest.mark.parametrize(
    ("api", "version"),
    [
        *((ApiKey.PRODUCE, version) for version in (9, 10, 12, 13)),
        *((ApiKey.FETCH, version) for version in (11, 12, 15, 16, 18)),
    ],
)
def test_unchanged_is_what_a_broker_says_that_does_not_lead(
    gateways: Gateways, api: ApiKey, version: int
) -> None:
    """Leader, epoch and address, in the versions in which it says so."""
    vcluster = f"hints-{uuid4().hex[:12]}-"
    tenant = Tenant(vcluster, gateways.first.access(vcluster))
    try:
        tenant.prepare()
        own = refusal(tenant, api, version, node=1)
        inject(gateways.first, vcluster, LEADERLESS, topic=TOPIC, partitions=[1], hint="UNCHANGED")
        tenant.ask(ApiKey.METADATA, 12, {"topics": [{"name": TOPIC}]})

        ours = refusal(tenant, api, version, node=2)

        assert ours == own
        given = version >= (10 if api is ApiKey.PRODUCE else 16)
        if given:
            [end] = own[1]
            assert end["node_id"] == own[0]["leader_id"] == 2
            assert (2, end["host"], end["port"]) in tenant.addresses
        [event] = gateways.first.events(virtual_cluster=vcluster, api=api.name)
        assert (event["leader_id"], event["leader_epoch"] is not None) == (
            (2, True) if given else (None, False)
        )
    finally:
        tenant.close()


@pytest.mark.parametrize("hint", ["UNCHANGED", "MOVED"])
def test_every_producer_recovers_when_the_fault_ends(gateways: Gateways, hint: str) -> None:
    at_once(MATRIX, lambda name: check_recovery(gateways, name, hint))


def check_recovery(gateways: Gateways, name: str, hint: str) -> None:
    """Refuse everything for a while; what came of it, and what was told."""
    vcluster = f"hints-{uuid4().hex[:12]}-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, "t")
    path = inject(gateways.first, vcluster, PLUGIN, rateInPercent=100, hint=hint)

    def events() -> list[dict[str, Any]]:
        return gateways.first.events(virtual_cluster=vcluster, api="PRODUCE")

    with ThreadPoolExecutor(1) as pool:
        producing = pool.submit(client(name, gateways.kafka).produce, access, "t", VALUES)
        wait_until(lambda: len(events()) >= 5, "five refusals", 30)
        threading.Event().wait(1.0)
        assert not producing.done()
        assert gateways.first.request("DELETE", path)[0] == 204
        producing.result(clients.DELIVERY_SECONDS)

    assert clients.stored(gateways.kafka.bootstrap, f"{vcluster}t") == VALUES
    told = {event["leader_id"] for event in events()}
    asked = {event["broker_id"] for event in events()}
    if name not in HINTED:
        assert (told, len(asked)) == ({None}, 1)
    elif hint == "UNCHANGED":
        assert told == asked
        assert len(asked) == 1
    else:
        assert None not in told
        assert all(event["leader_id"] != event["broker_id"] for event in events())
        # Java takes a hint with a higher epoch only.
        assert len(asked) == 1 if name == "java" else len(asked) > 1


@pytest.mark.parametrize("hint", ["UNCHANGED", "MOVED"])
@pytest.mark.parametrize(
    ("plugin", "config"),
    [
        (PLUGIN, {"rateInPercent": 30, "draw": "PARTITION", "windowMs": 400, "seed": 5}),
        (RESTART, {"everyMs": 900, "downMs": 500}),
    ],
    ids=["windows", "restart"],
)
def test_nothing_is_lost_while_leaders_come_and_go(
    gateways: Gateways, plugin: str, config: dict[str, Any], hint: str
) -> None:
    at_once(PACED, lambda name: check_paced(gateways, name, plugin, config | {"hint": hint}))


def check_paced(gateways: Gateways, name: str, plugin: str, config: dict[str, Any]) -> None:
    """Produce through all of it; everything is there once, in order."""
    vcluster = f"hints-{uuid4().hex[:12]}-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, "t")
    if plugin == RESTART:
        found = AdminClient(clients.librdkafka_config(access)).list_topics("t", timeout=10)
        config = config | {"brokers": [found.topics["t"].partitions[0].leader]}
    inject(gateways.first, vcluster, plugin, **config)

    values = PACED[name](gateways.kafka, access, "t")

    assert gateways.first.events(virtual_cluster=vcluster)
    assert clients.stored(gateways.kafka.bootstrap, f"{vcluster}t") == values


@pytest.mark.parametrize("hint", ["UNCHANGED", "MOVED"])
def test_every_consumer_reads_on_between_windows(gateways: Gateways, hint: str) -> None:
    at_once(MATRIX, lambda name: check_reading(gateways, name, hint))


def check_reading(gateways: Gateways, name: str, hint: str) -> None:
    """Consume while there is no leader now and then; everything comes once, in order."""
    vcluster = f"hints-{uuid4().hex[:12]}-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, "t")
    # Not a multiple of how long consumers wait for records.
    window = {"everyMs": 1700, "windowMs": 600}
    leaderless = {"topic": "t", "partitions": [0], "hint": hint, **window}
    inject(gateways.first, vcluster, LEADERLESS, **leaderless)
    values = [str(number) for number in range(25)]
    producer = confluent_kafka.Producer({"bootstrap.servers": gateways.kafka.bootstrap})

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(client(name, gateways.kafka).consume, access, "t", len(values))
        for value in values:
            producer.produce(f"{vcluster}t", value, partition=0)
            producer.flush(10)
            threading.Event().wait(0.2)

        assert reading.result(clients.DELIVERY_SECONDS) == values

    struck = gateways.first.events(virtual_cluster=vcluster, api="FETCH")
    assert struck
    told = {event["leader_id"] for event in struck}
    assert told == {None} if name not in HINTED else told - {None}
