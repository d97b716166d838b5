"""OAUTHBEARER on the sidecar's own listeners, and sessions that are renewed, with real clients."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import confluent_kafka
import kafka as kafka_python
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.kafka import clients, provider
from tests.kafka.cluster import RealKafka
from tests.kafka.java_process import JavaProcess
from tests.kafka.provider import Provider
from tests.kafka.sidecars import Sidecar
from tests.support.bearer import ISSUER

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

FIRST_PORT = 26969
SESSION_SECONDS = 4
VALUES = [str(number) for number in range(12)]
PAUSE = 0.1
STEADY = [str(number) for number in range(int(2.5 * SESSION_SECONDS / PAUSE))]


@dataclass(frozen=True)
class World:
    """A sidecar of two processes that knows the provider's keys, and a JVM."""

    kafka: RealKafka
    sidecar: Sidecar
    java: JavaProcess
    config: Path

    @property
    def bootstrap(self) -> str:
        return self.sidecar.bootstrap

    def create(self, *topics: str) -> None:
        admin = AdminClient(provider.librdkafka(self.bootstrap, "admin"))
        admin.poll(1)  # for the token
        for made in admin.create_topics([NewTopic(topic, 1, 1) for topic in topics]).values():
            made.result(30)

    def stored(self, topic: str) -> list[str]:
        return clients.stored(self.kafka.bootstrap, f"teamO-{topic}")


@pytest.fixture(scope="module")
def world(kafka: RealKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("bearer")
    config = home / "client.properties"
    with Provider() as mine:
        sidecar = Sidecar(
            "one",
            kafka,
            FIRST_PORT,
            home,
            GATEWAY_OAUTH_JWKS_URL=mine.keys_url,
            GATEWAY_OAUTH_EXPECTED_ISSUER=ISSUER,
            GATEWAY_OAUTH_EXPECTED_AUDIENCES=f"[{provider.AUDIENCE}]",
            GATEWAY_AUTHENTICATION_CONNECTION_MAX_REAUTH_MS=str(1000 * SESSION_SECONDS),
            GATEWAY_WORKERS="2",
        )
        try:
            config.write_text(mine.java(sidecar.bootstrap))
            with (
                patch.dict(os.environ, JDK_JAVA_OPTIONS=mine.java_options),
                JavaProcess(kafka.distribution, sidecar.bootstrap, config) as java,
            ):
                yield World(kafka, sidecar, java, config)
        finally:
            assert sidecar.stop() == 0


def by_java(world: World, topic: str, values: Sequence[str], pause: float) -> None:
    count, milliseconds = str(len(values)), str(int(1000 * pause))
    shown = world.java.run("RoundTrip", str(world.config), topic, count, milliseconds)
    assert shown.status == 0, shown.text
    assert shown.text.split()[-1].split(",") == list(values)


def by_librdkafka(world: World, topic: str, values: Sequence[str], pause: float) -> None:
    send(provider.librdkafka(world.bootstrap), topic, values, pause)


def by_password(world: World, topic: str, values: Sequence[str], pause: float) -> None:
    """One of the sidecar's own tokens; its session is limited as well."""
    access = world.sidecar.access("teamO-", "password")
    send(clients.librdkafka_config(access), topic, values, pause)


def send(config: dict[str, Any], topic: str, values: Sequence[str], pause: float) -> None:
    failed: list[object] = []
    settings = {"enable.idempotence": True, "linger.ms": 0}
    producer = confluent_kafka.Producer(config | settings)
    for value in values:
        producer.produce(topic, value, on_delivery=lambda e, _: failed.append(e) if e else None)
        producer.poll(0)
        threading.Event().wait(pause)
    assert (producer.flush(30), failed) == (0, [])


def by_kafka_python(world: World, topic: str, values: Sequence[str], pause: float) -> None:
    producer = kafka_python.KafkaProducer(**provider.python(world.bootstrap))
    try:
        for value in values:
            producer.send(topic, value.encode()).get(timeout=30)
            threading.Event().wait(pause)
    finally:
        producer.close(timeout=10)


CLIENTS = {
    "java": by_java,
    "librdkafka": by_librdkafka,
    "python": by_kafka_python,
    "password": by_password,
}


def all_produce(world: World, prefix: str, values: Sequence[str], pause: float = 0) -> None:
    """At the same time, each to a topic of its own; nothing is lost, repeated or out of order."""
    world.create(*(f"{prefix}-{name}" for name in CLIENTS))
    with ThreadPoolExecutor() as pool:
        running = [
            pool.submit(produce, world, f"{prefix}-{name}", values, pause)
            for name, produce in CLIENTS.items()
        ]
        for each in running:
            each.result()
    for name in CLIENTS:
        assert world.stored(f"{prefix}-{name}") == list(values), name


def test_all_clients_come_in_with_bearer_tokens(world: World) -> None:
    all_produce(world, "brief", VALUES)

    events = world.sidecar.events("authenticated")
    assert {each["virtual_cluster"] for each in events} == {"teamO-"}
    assert {each["principal"] for each in events} == {"admin", *CLIENTS}
    assert {each.get("worker", 0) for each in events} == {0, 1}
    assert world.sidecar.events("authentication_failed") == []


def test_a_token_that_is_not_good_is_told_to_a_client(world: World) -> None:
    problems: list[confluent_kafka.KafkaError] = []
    late = {"exp": int(time.time()) - 1}
    settings = provider.librdkafka(world.bootstrap, **late) | {"error_cb": problems.append}
    admin = AdminClient(settings)
    end = time.monotonic() + 10
    while not problems and time.monotonic() < end:
        admin.poll(0.1)

    assert problems[0].code() == confluent_kafka.KafkaError._AUTHENTICATION
    assert "the token expired at" in world.sidecar.events("authentication_failed")[0]["cause"]


def test_clients_renew_their_sessions_on_connections_that_go_on(world: World) -> None:
    all_produce(world, "steady", STEADY, PAUSE)

    events = [(each["principal"], each["connection_id"]) for each in again(world)]
    often = {each for each in events if events.count(each) >= 2}
    assert {principal for principal, _ in often} >= set(CLIENTS)
    ended = world.sidecar.events("connection_closed", reason="session_expired")
    assert not {each["connection_id"] for each in ended} & {number for _, number in often}


def again(world: World) -> list[dict[str, Any]]:
    return world.sidecar.events("reauthenticated")
