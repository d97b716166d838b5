"""Real clients against the embedded cluster: groups, administration, elections, lost acks."""

import asyncio
import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from time import monotonic
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin import NewTopic as AioNewTopic
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin import NewTopic as ConfluentNewTopic

from sidecar.embedded.cluster import Cluster, Endpoint

with warnings.catch_warnings():
    # kafka-python reads its schemas with a deprecated function, at import and later.
    warnings.simplefilter("ignore")
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
    from kafka.admin import NewTopic

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TOPIC = "my-topic"
SECONDS = 20


class KafkaPython:
    """kafka-python 3: idempotent by default."""

    def produce(self, servers: str, values: Iterable[bytes], pause: Callable[[], object]) -> None:
        with KafkaProducer(bootstrap_servers=servers, linger_ms=0) as producer:
            sent = []
            for value in values:
                sent.append(producer.send(TOPIC, value))
                pause()
            for each in sent:
                each.get(SECONDS)

    def consume(self, servers: str, count: int) -> list[bytes]:
        with KafkaConsumer(
            TOPIC,
            bootstrap_servers=servers,
            group_id=f"g-{uuid4()}",
            auto_offset_reset="earliest",
            consumer_timeout_ms=SECONDS * 1000,
        ) as consumer:
            return [message.value for _, message in zip(range(count), consumer, strict=False)]

    def administrate(self, servers: str) -> None:
        with KafkaAdminClient(bootstrap_servers=servers) as admin:
            admin.create_topics([NewTopic("made", 3, 2)])
            assert "made" in admin.list_topics()
            (topic,) = admin.describe_topics(["made"])
            assert sorted(p["leader_id"] for p in topic["partitions"]) == [1, 2, 3]
            assert {b["broker_id"] for b in admin.describe_cluster()["brokers"]} == {1, 2, 3}
            admin.create_partitions({"made": 4})
            admin.delete_topics(["made"])
            assert "made" not in admin.list_topics()
            assert [g for g in admin.list_groups() if g["group_id"].startswith("g-")]


class Confluent:
    """librdkafka, its idempotence switched on."""

    def produce(self, servers: str, values: Iterable[bytes], pause: Callable[[], object]) -> None:
        lost: list[object] = []
        producer = Producer(
            {
                "bootstrap.servers": servers,
                "enable.idempotence": True,
                "linger.ms": 0,
                "log_level": 0,
            }
        )
        for value in values:
            producer.produce(TOPIC, value, on_delivery=lambda e, _: lost.append(e) if e else None)
            producer.poll(0)
            pause()
        assert producer.flush(SECONDS) == 0
        assert lost == []

    def consume(self, servers: str, count: int) -> list[bytes]:
        consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": f"g-{uuid4()}",
                "auto.offset.reset": "earliest",
                "log_level": 0,
            }
        )
        consumer.subscribe([TOPIC])
        found: list[bytes] = []
        end = monotonic() + SECONDS
        while len(found) < count and monotonic() < end:
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                found.append(message.value())
        consumer.close()
        return found

    def administrate(self, servers: str) -> None:
        admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
        admin.create_topics([ConfluentNewTopic("made", 3, 2)])["made"].result(SECONDS)
        leaders = [p.leader for p in admin.list_topics().topics["made"].partitions.values()]
        assert sorted(leaders) == [1, 2, 3]
        nodes = admin.describe_cluster().result(SECONDS).nodes
        assert {node.id for node in nodes} == {1, 2, 3}
        groups = admin.list_consumer_groups().result(SECONDS).valid
        names = [group.group_id for group in groups if group.group_id.startswith("g-")]
        for name, described in admin.describe_consumer_groups(names).items():
            assert described.result(SECONDS).group_id == name
        for deleted in admin.delete_consumer_groups(names).values():
            deleted.result(SECONDS)
        admin.delete_topics(["made"])["made"].result(SECONDS)
        assert "made" not in admin.list_topics().topics


class Aiokafka:
    """aiokafka, its idempotence switched on."""

    def produce(self, servers: str, values: Iterable[bytes], pause: Callable[[], object]) -> None:
        async def run() -> None:
            async with AIOKafkaProducer(
                bootstrap_servers=servers, enable_idempotence=True
            ) as producer:
                sent = []
                for value in values:
                    sent.append(await producer.send(TOPIC, value))
                    await asyncio.to_thread(pause)
                await asyncio.wait_for(asyncio.gather(*sent), SECONDS)

        asyncio.run(run())

    def consume(self, servers: str, count: int) -> list[bytes]:
        async def run() -> list[bytes]:
            async with AIOKafkaConsumer(
                TOPIC,
                bootstrap_servers=servers,
                group_id=f"g-{uuid4()}",
                auto_offset_reset="earliest",
            ) as consumer:
                return [
                    (await asyncio.wait_for(consumer.getone(), SECONDS)).value for _ in range(count)
                ]

        return asyncio.run(run())

    def administrate(self, servers: str) -> None:
        async def run() -> None:
            admin = AIOKafkaAdminClient(bootstrap_servers=servers)
            await admin.start()
            await admin.create_topics([AioNewTopic("made", 3, 2)])
            assert "made" in await admin.list_topics()
            await admin.delete_topics(["made"])
            assert "made" not in await admin.list_topics()
            await admin.close()

        asyncio.run(run())


@pytest.fixture(params=[KafkaPython, Confluent, Aiokafka], ids=lambda kind: kind.__name__)
def client(request):
    return request.param()


def numbered(count: int) -> list[bytes]:
    return [b"record-%d" % number for number in range(count)]


def stored(running, partitions: int) -> int:
    return sum(running.cluster.records(TOPIC, index).count for index in range(partitions))


def test_produce_consume_in_a_group_and_administrate(running, client):
    running.on_hub(lambda cluster: cluster.create_topic(TOPIC, 3))
    values = numbered(300)
    client.produce(running.bootstrap_servers, values, lambda: None)
    assert stored(running, 3) == 300
    assert sorted(client.consume(running.bootstrap_servers, 300)) == sorted(values)
    client.administrate(running.bootstrap_servers)


@contextmanager
def elections(running, seconds: float):
    """A true election every so often; yields the list of epochs reached."""
    epochs: list[int] = []
    done = threading.Event()

    def elect(cluster: Cluster) -> int:
        return cluster.elect(TOPIC, 0, len(epochs) % 3 + 1)

    def run() -> None:
        while not done.wait(seconds):
            epochs.append(running.on_hub(elect))

    thread = threading.Thread(target=run)
    thread.start()
    yield epochs
    done.set()
    thread.join()


def test_true_elections_lose_and_repeat_nothing(running, client):
    running.on_hub(lambda cluster: cluster.create_topic(TOPIC, 1))
    values, pauses = numbered(40), threading.Event()
    with elections(running, 0.35) as epochs:
        client.produce(running.bootstrap_servers, values, lambda: pauses.wait(0.05))
    assert len(epochs) >= 3
    assert stored(running, 1) == len(values)
    assert client.consume(running.bootstrap_servers, len(values)) == values


def test_lost_acks_repeat_nothing(start, relay, client):
    running = start(brokers=1)
    running.on_hub(lambda cluster: cluster.create_topic(TOPIC, 1))
    broken = relay(running.bootstrap_servers, lose=(2, 5))
    address = Endpoint(1, "127.0.0.1", broken.port)
    running.on_hub(lambda cluster: cluster.endpoints.__setitem__(1, address))
    values, pauses = numbered(20), threading.Event()
    client.produce(f"127.0.0.1:{broken.port}", values, lambda: pauses.wait(0.05))
    assert broken.lost == 2
    assert stored(running, 1) == len(values)
    assert client.consume(f"127.0.0.1:{broken.port}", len(values)) == values


def test_two_members_share_a_topic_and_one_takes_over(running):
    running.on_hub(lambda cluster: cluster.create_topic(TOPIC, 4))
    config = {
        "bootstrap.servers": running.bootstrap_servers,
        "group.id": "pair",
        "auto.offset.reset": "earliest",
        "heartbeat.interval.ms": 100,
        "log_level": 0,
    }
    first, second = Consumer(config), Consumer(config)
    for each in (first, second):
        each.subscribe([TOPIC])
    _poll_until(lambda: len(first.assignment()) == len(second.assignment()) == 2, first, second)
    Confluent().produce(running.bootstrap_servers, numbered(100), lambda: None)
    found: list[bytes] = []
    _poll_until(lambda: len(found) == 100, first, second, found=found)
    assert sorted(found) == sorted(numbered(100))
    first.close()
    _poll_until(lambda: len(second.assignment()) == 4, second, found=found)
    second.close()
    assert len(found) == 100
    committed = running.cluster.groups.offsets("pair")
    assert sum(each.offset for each in committed.values()) == 100


def _poll_until(done, *consumers, found=None):
    end = monotonic() + SECONDS
    while not done():
        assert monotonic() < end
        for consumer in consumers:
            message = consumer.poll(0.02)
            if message is not None and message.error() is None:
                found.append(message.value())
