"""Partitions without a leader for a time, as real clients and real brokers see it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from tests.kafka import clients
from tests.kafka.api_matrix.data import fetch_request
from tests.kafka.api_matrix.spec import ok, only
from tests.kafka.api_matrix.tenant import PARTITIONS, RECORDS, TOPIC, Tenant
from tests.kafka.sidecars import Access, Gateways, Sidecar
from tests.kafka.test_election_outcomes import PRODUCERS, elections, expected, stored
from tests.kafka.test_election_outcomes import RECORDS as SENT

# The first test pays for the start of the cluster, and perhaps for the download.
pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

LEADERLESS = "kafka.chaos.LeaderlessPartitionsPlugin"
LOST = 1


def take_leader(sidecar: Sidecar, vcluster: str, topic: str, partitions: list[int]) -> str:
    """Let these partitions have no leader; the path at which that is undone."""
    path = f"/admin/interceptors/v1/vcluster/{vcluster}/interceptor/elect"
    config = {"topic": topic, "partitions": partitions}
    body = {"pluginClass": LEADERLESS, "priority": 1, "config": config}
    status, reply = sidecar.request("POST", path, body)
    assert status == 201, reply
    return path


def codes(tenant: Tenant, version: dict[ApiKey, int]) -> dict[str, list[int]]:
    """Error code by partition in each API that notices, each asked at the partition's leader."""
    found: dict[str, list[int]] = {}
    for partition in range(PARTITIONS):
        node = partition + 1
        fetch = fetch_request(tenant, version[ApiKey.FETCH], {partition: 0}, session_epoch=-1)
        fetched = only(tenant.ask(ApiKey.FETCH, version[ApiKey.FETCH], fetch, node)["responses"])
        part = only(fetched["partitions"])
        found.setdefault("FETCH", []).append(part["error_code"])
        assert bool(part["records"]) is (part["error_code"] == 0)
        wanted = {"partition_index": partition, "timestamp": -1}
        values = {"replica_id": -1, "topics": [{"name": TOPIC, "partitions": [wanted]}]}
        answer = tenant.ask(ApiKey.LIST_OFFSETS, version[ApiKey.LIST_OFFSETS], values, node)
        listed = only(only(answer["topics"])["partitions"])
        found.setdefault("LIST_OFFSETS", []).append(listed["error_code"])
        assert listed["offset"] == (-1 if listed["error_code"] else RECORDS)
        wanted = {"partition": partition, "current_leader_epoch": -1, "leader_epoch": 0}
        values = {"replica_id": -1, "topics": [{"topic": TOPIC, "partitions": [wanted]}]}
        key = ApiKey.OFFSET_FOR_LEADER_EPOCH
        ended = only(only(tenant.ask(key, version[key], values, node)["topics"])["partitions"])
        found.setdefault("OFFSET_FOR_LEADER_EPOCH", []).append(ended["error_code"])
        wanted = {"partition_index": partition, "offset": 0}
        values = {"topics": [{"name": TOPIC, "partitions": [wanted]}], "timeout_ms": 5000}
        answer = tenant.ask(ApiKey.DELETE_RECORDS, version[ApiKey.DELETE_RECORDS], values, node)
        deleted = only(only(answer["topics"])["partitions"])
        found.setdefault("DELETE_RECORDS", []).append(deleted["error_code"])
    named = {"topics": [{"name": TOPIC}]}
    told = only(tenant.ask(ApiKey.METADATA, version[ApiKey.METADATA], named)["topics"])
    parts = sorted(told["partitions"], key=lambda part: part["partition_index"])
    found["METADATA"] = [part["error_code"] for part in parts]
    for part in parts:
        assert (part["leader_id"] == -1) is bool(part["error_code"])
        assert part.get("leader_epoch", 0) >= 0, "the epoch is kept"
    return found


VERSIONS = [
    {
        ApiKey.FETCH: 4,
        ApiKey.LIST_OFFSETS: 1,
        ApiKey.OFFSET_FOR_LEADER_EPOCH: 2,
        ApiKey.DELETE_RECORDS: 0,
        ApiKey.METADATA: 5,
    },
    {
        ApiKey.FETCH: 12,
        ApiKey.LIST_OFFSETS: 7,
        ApiKey.OFFSET_FOR_LEADER_EPOCH: 4,
        ApiKey.DELETE_RECORDS: 2,
        ApiKey.METADATA: 12,
    },
    {
        ApiKey.FETCH: 17,
        ApiKey.LIST_OFFSETS: 10,
        ApiKey.OFFSET_FOR_LEADER_EPOCH: 4,
        ApiKey.DELETE_RECORDS: 2,
        ApiKey.METADATA: 13,
    },
]


@pytest.mark.parametrize("version", VERSIONS, ids=["old", "flexible", "by id"])
def test_every_api_says_that_there_is_no_leader_and_then_all_is_well(
    gateways: Gateways, version: dict[ApiKey, int]
) -> None:
    """The window is seen on every connection and every listener of the sidecar."""
    vcluster = f"windows-{uuid4().hex[:12]}-"
    tenant = Tenant(vcluster, gateways.first.access(vcluster))
    try:
        tenant.prepare()
        well = codes(tenant, version)
        assert {code for each in well.values() for code in each} == {0}
        path = take_leader(gateways.first, vcluster, TOPIC, [LOST])

        struck = codes(tenant, version)

        lost = int(ErrorCode.NOT_LEADER_OR_FOLLOWER)
        assert struck.pop("METADATA") == [0, int(ErrorCode.LEADER_NOT_AVAILABLE), 0]
        assert set(map(tuple, struck.values())) == {(0, lost, 0)}
        with pytest.raises(AssertionError, match="'error_code': 6"):
            tenant.produce(TOPIC, [b"lost"], LOST)
        tenant.produce(TOPIC, [b"kept"], 0)
        apis = {event["api"] for event in gateways.first.events(virtual_cluster=vcluster)}
        assert apis == {*struck, "METADATA", "PRODUCE"}

        assert gateways.first.request("DELETE", path)[0] == 204
        tenant.produce(TOPIC, [b"well again"], LOST)
        ok(tenant.ask(ApiKey.METADATA, 12, {"topics": [{"name": TOPIC}]}))
    finally:
        tenant.close()


@pytest.mark.parametrize("name", PRODUCERS)
def test_windows_lose_nothing_and_repeat_nothing(gateways: Gateways, name: str) -> None:
    """A quarter of the partitions in requests lose their leader for a while, again and again."""
    vcluster = f"windows-{uuid4().hex[:12]}-"
    access = gateways.first.access(vcluster)
    admin = AdminClient(clients.librdkafka_config(access))
    admin.create_topics([NewTopic("t", len(expected()), 1)])["t"].result(30)
    elections(gateways.first, vcluster, "REJECT", windowMs=250)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_all, access, "t", SENT)
        PRODUCERS[name](access, "t", True)
        values = reading.result(60)
    assert stored(gateways.kafka.bootstrap, f"{vcluster}t") == expected()
    assert sorted(values, key=int) == [str(number) for number in range(SENT)]
    events = gateways.first.events(virtual_cluster=vcluster)
    assert {event["rung"] for event in events} == {2}
    assert {"PRODUCE", "METADATA"} <= {event["api"] for event in events}


def read_all(access: Access, topic: str, count: int) -> list[str]:
    """What a consumer of all partitions gets while it is produced."""
    config = clients.librdkafka_config(access) | {"group.id": "g", "auto.offset.reset": "earliest"}
    consumer = confluent_kafka.Consumer(config)
    try:
        consumer.subscribe([topic])
        return clients.read(consumer, count)
    finally:
        consumer.close()


def test_a_producer_goes_on_within_a_metadata_refresh_of_the_end(gateways: Gateways) -> None:
    """Librdkafka waits for the metadata, not for its retries to end."""
    vcluster = f"windows-{uuid4().hex[:12]}-"
    access = gateways.first.access(vcluster)
    clients.create_topic(access, "t")
    config = clients.librdkafka_config(access) | {"enable.idempotence": True}
    producer = confluent_kafka.Producer(config)
    producer.produce("t", "before")
    assert producer.flush(30) == 0
    path = take_leader(gateways.first, vcluster, "t", [0])
    delivered: list[float] = []
    producer.produce("t", "during", on_delivery=lambda *_: delivered.append(time.monotonic()))
    threading.Event().wait(1.0)
    producer.poll(0)
    assert not delivered
    assert gateways.first.request("DELETE", path)[0] == 204
    ended = time.monotonic()
    assert producer.flush(30) == 0
    assert delivered[0] - ended < 5
    assert clients.stored(gateways.kafka.bootstrap, f"{vcluster}t") == ["before", "during"]
