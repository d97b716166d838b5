"""Sidecars that share their state through a topic of real Kafka."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sidecar.control.state import ControlState
from sidecar.control.user_mappings import UserMappingService
from sidecar.model.errors import Aborted, DomainError, Unavailable
from sidecar.model.snapshot import Snapshot
from sidecar.model.user_mapping import UserMapping
from sidecar.state.kafka import KafkaStore
from tests.kafka import clients
from tests.kafka.cluster import RealKafka
from tests.kafka.processes import wait_until
from tests.kafka.sidecars import PLUGIN, Sidecar

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

VALUES = [str(number) for number in range(30)]
FIRST, SECOND = 19969, 20969
TEAM = "/admin/interceptors/v1/vcluster/teamA"


class Log:
    """Keeps the names of events."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def info(self, event: str, **fields: object) -> None:
        self.events.append(event)

    warning = error = info


class Member:
    """The state of one sidecar, without the rest of it."""

    def __init__(self, bootstrap: str, topic: str, **settings: str) -> None:
        self.log = Log()
        self.store = KafkaStore(
            {"bootstrap.servers": bootstrap, **settings},
            topic,
            -1,
            time.time,
            lambda key, cause: self.log.info(f"{key}: {cause}"),
            self._arrived,
            self.log,
        )
        self.changed = threading.Condition()
        self.state = ControlState(self._publish, self.store)
        self.users = UserMappingService(self.state, lambda name, **_: None)
        self._awake = threading.Event()
        self._stopping = False
        self.store.start()
        threading.Thread(target=self._follow, daemon=True).start()

    def _arrived(self) -> None:
        self._awake.set()

    def _publish(self, snapshot: Snapshot) -> None:
        with self.changed:
            self.changed.notify_all()

    def _follow(self) -> None:
        while not self._stopping:
            self._awake.wait(0.2)
            self._awake.clear()
            try:
                self.state.refresh()
            except Unavailable:
                self._awake.wait(0.2)

    def names(self) -> set[str]:
        return {mapping.username for mapping in self.state.snapshot.user_mappings}

    def knows(self, *names: str) -> Callable[[], bool]:
        """A condition: it has heard of these."""
        return lambda: self.names().issuperset(names)

    def add(self, name: str) -> None:
        self.users.create(UserMapping("teamA", name))

    def until(self, condition: Callable[[], bool], seconds: float) -> float:
        """Wait for a condition of the snapshot; return when it held, on the monotonic clock."""
        with self.changed:
            # The snapshot is kept right after it was published.
            while not condition():
                assert seconds > 0, self.names()
                self.changed.wait(0.005)
                seconds -= 0.005
        return time.monotonic()

    def stop(self) -> None:
        self._stopping = True
        self.store.stop()


@contextmanager
def members(bootstrap: str, topic: str, count: int) -> Iterator[list[Member]]:
    made = [Member(bootstrap, topic) for _ in range(count)]
    try:
        wait_until(lambda: all(each.store.loaded for each in made), "all have read the topic", 60)
        yield made
    finally:
        for each in made:
            each.stop()


def fleet(name: str, kafka: RealKafka, port: int, home: Path, fleet_id: str) -> Sidecar:
    extra = {"GATEWAY_STORAGE_TYPE": "KAFKA", "GATEWAY_CLUSTER_ID": fleet_id}
    return Sidecar(name, kafka, port, home, **extra)


def listed(sidecar: Sidecar) -> dict[str, Any]:
    status, body = sidecar.request("GET", TEAM)
    assert status == 200
    return {each["name"]: each["config"] for each in body["interceptors"]}


def store_check(sidecar: Sidecar) -> str:
    _, health = sidecar.request("GET", "/health")
    [found] = [check["status"] for check in health["checks"] if check["id"] == "store"]
    return str(found)


def refused(sidecar: Sidecar, vcluster: str) -> int:
    """The status of asking for a token of a virtual cluster."""
    path = f"/admin/vclusters/v1/vcluster/{vcluster}/username/sa"
    return sidecar.request("POST", path, {"lifeTimeSeconds": 60})[0]


def body(rate: int) -> dict[str, Any]:
    return {"pluginClass": PLUGIN, "priority": 1, "config": {"rateInPercent": rate}}


def topic_of(kafka: RealKafka, replicas: int = 3) -> str:
    name = f"_kafka_chaos_{uuid4().hex[:8]}_state"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    new = NewTopic(name, 1, replicas, config={"cleanup.policy": "compact"})
    admin.create_topics([new])[name].result(30)
    return name


def test_what_one_gateway_makes_the_other_does_and_after_restarts_too(
    kafka: RealKafka, tmp_path: Path
) -> None:
    """The demo: token and interceptor at gateway1, the producer at gateway2."""
    fleet_id = uuid4().hex[:8]
    first = fleet("gateway1", kafka, FIRST, tmp_path, fleet_id)
    second = fleet("gateway2", kafka, SECOND, tmp_path, fleet_id)
    try:
        at_first = first.access("teamA")
        first.inject("teamA", 50, 7)
        access = clients.Access(second.bootstrap, at_first.username, at_first.token)
        wait_until(lambda: "simulate" in listed(second), "gateway2 knows the interceptor", 5)
        clients.create_topic(access, "cars")

        clients.Confluent().produce(access, "cars", VALUES)

        assert second.events(virtual_cluster="teamA", topic="cars")
        assert clients.stored(kafka.bootstrap, "teamAcars") == VALUES

        assert second.stop() == 0
        assert first.request("PUT", f"{TEAM}/interceptor/simulate", body(100))[0] == 200
        second = fleet("gateway2", kafka, SECOND, tmp_path, fleet_id)
        assert listed(second) == {"simulate": {"rateInPercent": 100}}
        assert second.request("DELETE", f"{TEAM}/interceptor/simulate")[0] == 204
        wait_until(lambda: listed(first) == {}, "gateway1 knows the end", 5)

        assert first.stop() == 0
        first = fleet("gateway1", kafka, FIRST, tmp_path, fleet_id)
        assert listed(first) == {}
        assert refused(first, "team") == 409
    finally:
        first.stop()
        second.stop()


@pytest.mark.parametrize("storage", ["FILE", "KAFKA"])
def test_the_state_outlives_a_process_that_is_killed(
    kafka: RealKafka, tmp_path: Path, storage: str
) -> None:
    extra = {
        "GATEWAY_STORAGE_TYPE": storage,
        "GATEWAY_STORAGE_FILE": str(tmp_path / "state.json"),
        "GATEWAY_CLUSTER_ID": uuid4().hex[:8],
    }
    one = Sidecar("one", kafka, FIRST, tmp_path, **extra)
    one.access("teamA")
    one.inject("teamA", 30, 1)
    mapping = {"username": "al", "groups": ["dev"]}
    assert one.request("POST", "/admin/userMappings/v1/vcluster/teamA", mapping)[0] == 201
    one.kill()

    again = Sidecar("again", kafka, FIRST, tmp_path, **extra)
    try:
        assert listed(again) == {"simulate": {"rateInPercent": 30, "seed": 1}}
        assert again.request("GET", "/admin/userMappings/v1/vcluster/teamA")[1] == ["al"]
        assert refused(again, "team") == 409
    finally:
        again.stop()


def test_twenty_see_a_change_within_a_second_and_lose_none(kafka: RealKafka) -> None:
    with members(kafka.bootstrap, topic_of(kafka), 20) as all_of_them:
        first = all_of_them[0]
        insist(first, "warm")
        for each in all_of_them:
            each.until(each.knows("warm"), 10)
        insist(first, "one")
        committed = time.monotonic()
        seen = [each.until(each.knows("one"), 10) for each in all_of_them]
        assert max(seen) - committed < 1

        with ThreadPoolExecutor(len(all_of_them)) as pool:
            names = [f"user{number}" for number in range(len(all_of_them))]
            list(pool.map(lambda pair: insist(*pair), zip(all_of_them, names, strict=True)))

        wanted = {"warm", "one", *names}
        for each in all_of_them:
            each.until(each.knows(*wanted), 10)
            assert each.names() == wanted


def insist(member: Member, name: str) -> None:
    """Add a user, patiently."""
    patiently(lambda: member.add(name))


def patiently(change: Callable[[], object]) -> None:
    """Make a change; again when others were faster or a broker is busy, which callers are told."""
    for _ in range(20):
        try:
            change()
        except (Aborted, Unavailable):
            continue
        return
    raise AssertionError("it was never taken")


def test_of_two_who_change_one_thing_at_once_one_is_told(kafka: RealKafka) -> None:
    topic = topic_of(kafka)
    with members(kafka.bootstrap, topic, 2) as [first, second]:
        outcomes: list[str] = []

        def create(member: Member, groups: str) -> None:
            mapping = UserMapping("teamA", "al", groups=frozenset({groups}))
            try:
                patiently(lambda: member.users.create(mapping))
                outcomes.append("created")
            except DomainError as error:
                outcomes.append(type(error).__name__)

        for turn in range(5):
            outcomes.clear()
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(create, (first, second), ("dev", "ops")))
            assert sorted(outcomes) == ["AlreadyExists", "created"], turn
            first.until(lambda: first.names() == {"al"}, 5)
            patiently(lambda: first.users.delete("teamA", "al"))
            second.until(lambda: second.names() == set(), 5)


def test_a_topic_that_is_deleted_is_made_anew_with_the_last_state(kafka: RealKafka) -> None:
    topic = topic_of(kafka)
    with members(kafka.bootstrap, topic, 2) as both:
        first, second = both
        insist(first, "al")
        second.until(lambda: second.names() == {"al"}, 5)

        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        admin.delete_topics([topic])[topic].result(30)
        wait_until(lambda: "store_unreachable" in first.log.events, "it is noticed", 60)
        wait_until(lambda: not first.store.trouble and not second.store.trouble, "it is back", 60)

        assert first.names() == second.names() == {"al"}
        insist(second, "bo")
        first.until(lambda: first.names() == {"al", "bo"}, 10)
        with members(kafka.bootstrap, topic, 1) as [third]:
            third.until(lambda: third.names() == {"al", "bo"}, 10)


def test_while_all_brokers_are_gone_the_last_state_is_served_and_nothing_is_written(
    tmp_path: Path, mortal_kafka: RealKafka
) -> None:
    own = mortal_kafka
    one = fleet("one", own, FIRST, tmp_path, "own")
    try:
        one.access("teamA")
        one.inject("teamA", 30, 1)
        assert store_check(one) == "UP"
        for broker in (3, 2, 1):
            own.stop_broker(broker, grace=0)
        wait_until(lambda: store_check(one) == "DOWN", "it is told", 60)

        status, refusal = one.request("DELETE", f"{TEAM}/interceptor/simulate")
        assert status == 503
        assert "the store, topic '_kafka_chaos_own_state', cannot be reached" in str(refusal)
        assert listed(one) == {"simulate": {"rateInPercent": 30, "seed": 1}}
        assert one.request("GET", "/health")[0] == 200

        for broker in (1, 2, 3):
            own.restart_broker(broker)
        own.wait_ready()
        wait_until(lambda: store_check(one) == "UP", "it is back", 60)
        wait_until(
            lambda: one.request("DELETE", f"{TEAM}/interceptor/simulate")[0] == 204,
            "it is written",
            60,
        )
        assert listed(one) == {}
    finally:
        one.stop()


def test_a_topic_that_would_lose_the_state_is_refused(kafka: RealKafka, tmp_path: Path) -> None:
    fleet_id = uuid4().hex[:8]
    name = f"_kafka_chaos_{fleet_id}_state"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(30)

    with pytest.raises(RuntimeError, match=r"cleanup\.policy=delete, which would delete the state"):
        fleet("one", kafka, FIRST, tmp_path, fleet_id)


def test_the_topic_can_be_read_by_anybody(kafka: RealKafka) -> None:
    """Plain keys and values, the last of each key counts: no reader of our own is needed."""
    topic = topic_of(kafka)
    with members(kafka.bootstrap, topic, 1) as [one]:
        insist(one, "al")
        patiently(lambda: one.users.delete("teamA", "al"))
        insist(one, "bo")
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": kafka.bootstrap, "group.id": "x", "enable.partition.eof": True}
    )
    consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
    last: dict[bytes, bytes | None] = {}
    while (message := consumer.poll(10)) is not None and message.error() is None:
        last[message.key()] = message.value()
    consumer.close()

    assert {key for key, value in last.items() if value and b"barrier" not in key} == {
        b'["user-mapping","teamA","bo"]'
    }


def test_a_way_to_the_cluster_that_cannot_be_is_told(kafka: RealKafka) -> None:
    """The reader's thread outlives what librdkafka refuses, and says it."""
    member = Member(kafka.bootstrap, topic_of(kafka), **{"security.protocol": "nonsense"})
    try:
        wait_until(lambda: "store_waiting" in member.log.events, "it is told", 20)
        assert "security.protocol" in member.store.trouble
        assert not member.store.loaded
        with pytest.raises(Unavailable, match="cannot be reached"):
            member.add("al")
    finally:
        member.stop()
