"""Kafka's own admin tools in two virtual clusters at once: each sees a cluster of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from tests.kafka import clients
from tests.kafka.conftest import unavailable
from tests.kafka.distribution import KafkaUnavailableError
from tests.kafka.java_process import JavaProcess, Shown, compiled
from tests.kafka.overheard import Overheard, Side
from tests.kafka.sidecars import Access
from tests.kafka.tools import client_properties

# The first test pays for the start of the cluster, and perhaps for the download.
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

TOPIC, LEDGER, RECORDS = "parcels", "ledger", 5
VCLUSTERS = ("tenant-erin-", "tenant-frank-")
#: What tools that change something have in their line.
CHANGING = frozenset(
    [
        "--create",
        "--alter",
        "--delete",
        "--add",
        "--remove",
        "--execute",
        "--delete-offsets",
        "kafka-delete-records",
    ]
)
LOOKS, PAUSE = 20, 0.5
DENIED = "ClusterAuthorizationException: Cluster authorization failed."


@dataclass(frozen=True)
class Step:
    """A tool, its arguments, and what it must print; `denied` ones must fail."""

    line: str
    says: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    denied: bool = False

    @property
    def looks(self) -> bool:
        """Whether it changes nothing."""
        return not self.denied and not set(self.line.split()) & CHANGING


def denied(line: str, says: str = DENIED) -> Step:
    """What would show or change the physical cluster."""
    return Step(line, (says,), denied=True)


_ACL = "User:alice, host=*, operation=READ"
STEPS = [
    Step("kafka-topics --create --topic cars --partitions 2", ("Created topic cars.",)),
    Step("kafka-topics --list", ("cars", TOPIC)),
    Step("kafka-topics --describe --topic cars", ("Topic: cars", "PartitionCount: 2")),
    Step("kafka-topics --alter --topic cars --partitions 3"),
    Step("kafka-topics --describe", ("PartitionCount: 3", f"Topic: {TOPIC}")),
    Step(
        "kafka-configs --alter --entity-type topics --entity-name cars"
        " --add-config retention.ms=99",
        ("Completed updating config for topic cars.",),
    ),
    Step("kafka-configs --describe --entity-type topics --entity-name cars", ("retention.ms=99",)),
    Step("kafka-configs --describe --entity-type topics", ("topic cars are", f"topic {TOPIC} are")),
    Step(
        "kafka-configs --alter --entity-type groups --entity-name readers"
        " --add-config consumer.session.timeout.ms=46000"
    ),
    Step(
        "kafka-configs --describe --entity-type groups --entity-name readers",
        ("consumer.session.timeout.ms=46000",),
    ),
    denied("kafka-configs --describe --entity-type brokers --entity-name 1"),
    denied("kafka-configs --alter --entity-type brokers --entity-name 1 --add-config x=1"),
    denied("kafka-configs --describe --entity-type users"),
    Step(f"kafka-get-offsets --topic {TOPIC}", (f"{TOPIC}:0:{RECORDS}",)),
    Step("kafka-get-offsets", (f"{TOPIC}:0:{RECORDS}", "cars:2:0")),
    Step("kafka-delete-records --offset-json-file {home}/offsets.json", ("low_watermark: 2",)),
    Step(f"kafka-get-offsets --topic {TOPIC} --time earliest", (f"{TOPIC}:0:2",)),
    Step("kafka-groups --list", ("readers", "Classic")),
    Step("kafka-consumer-groups --list", ("readers",)),
    Step("kafka-consumer-groups --describe --group readers", (f"readers {TOPIC} 0 5 5 0",)),
    Step(
        f"kafka-consumer-groups --group readers --topic {TOPIC} --reset-offsets --to-earliest"
        " --execute",
        (f"readers {TOPIC} 0 2",),
    ),
    Step(
        f"kafka-consumer-groups --group readers --topic {TOPIC} --delete-offsets",
        ("Successful",),
    ),
    Step("kafka-consumer-groups --group readers --delete", ("Deletion of requested",)),
    Step("kafka-consumer-groups --list", hides=("readers",)),
    Step("kafka-acls --list", hides=("User:",)),
    Step("kafka-acls --add --allow-principal User:alice --operation Read --topic cars", (_ACL,)),
    Step("kafka-acls --add --allow-principal User:alice --operation Read --topic *"),
    Step(
        "kafka-acls --add --allow-principal User:alice --operation Read --group read"
        " --resource-pattern-type prefixed"
    ),
    Step("kafka-acls --add --allow-principal User:alice --operation Write --transactional-id pay"),
    Step(
        "kafka-acls --list",
        (
            "name=cars, patternType=LITERAL",
            "name=*, patternType=LITERAL",
            "name=read, patternType=PREFIXED",
            "resourceType=TRANSACTIONAL_ID, name=pay",
        ),
    ),
    Step("kafka-acls --list --topic bikes --resource-pattern-type match", ("name=*",), ("cars",)),
    denied("kafka-acls --add --allow-principal User:alice --operation Create --cluster"),
    Step("kafka-acls --remove --force --topic cars"),
    Step("kafka-acls --list", ("name=*", "name=read"), ("cars",)),
    Step("kafka-acls --remove --force --topic *"),
    Step("kafka-acls --remove --force --group read --resource-pattern-type prefixed"),
    Step("kafka-acls --remove --force --transactional-id pay"),
    Step("kafka-acls --list", hides=("User:",)),
    Step("kafka-transactions list", ("payments", "CompleteCommit")),
    Step("kafka-transactions describe --transactional-id payments", ("payments",)),
    Step(f"kafka-transactions describe-producers --topic {TOPIC} --partition 0", ("None",)),
    Step("kafka-share-groups --list", hides=("readers",)),
    Step("kafka-streams-groups --list", hides=("readers",)),
    Step("kafka-client-metrics --list"),
    Step("kafka-features describe", ("transaction.version",)),
    denied(
        "kafka-features upgrade --feature transaction.version=2", "Cluster authorization failed"
    ),
    denied("kafka-log-dirs --describe"),
    denied("kafka-leader-election --election-type preferred --all-topic-partitions", "Not author"),
    denied("kafka-reassign-partitions --list"),
    denied("kafka-reassign-partitions --reassignment-json-file {home}/move.json --execute"),
    denied("kafka-metadata-quorum describe --status"),
    denied("kafka-delegation-tokens --describe"),
    Step("kafka-topics --delete --topic cars"),
    Step("kafka-topics --list", (TOPIC,), ("cars",)),
]


@dataclass(frozen=True)
class Desk:
    """One tenant's tools."""

    process: JavaProcess
    home: Path

    def does(self, step: Step) -> Shown:
        """What the tool did."""
        name, *arguments = step.line.format(home=self.home).split()
        return self.process.tool(name, *arguments)


def _prepared(side: Side, vcluster: str) -> Access:
    """A topic with records, a group that has read them, and a transaction that is over."""
    access, marker = side.tenant(vcluster)
    for topic in (TOPIC, LEDGER):
        clients.create_topic(access, topic)
    clients.Confluent().produce(access, TOPIC, [f"{marker}-{n}" for n in range(RECORDS)])
    common = clients.librdkafka_config(access)
    reader = Consumer({**common, "group.id": "readers", "auto.offset.reset": "earliest"})
    try:
        reader.subscribe([TOPIC])
        assert len(clients.read(reader, RECORDS)) == RECORDS
        reader.commit(asynchronous=False)
    finally:
        reader.close()
    producer = Producer({**common, "transactional.id": "payments"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(LEDGER, marker.encode())
    producer.commit_transaction(30)
    return access


@pytest.fixture(scope="module")
def desks(
    overheard: Overheard, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Desk, Desk]]:
    """The tools of two tenants, whose names are the same."""
    distribution = overheard.kafka.distribution
    try:
        compiled(distribution)
    except KafkaUnavailableError as exc:
        unavailable(str(exc))
    made = []
    for side, vcluster in zip((overheard.first, overheard.second), VCLUSTERS, strict=True):
        access = _prepared(side, vcluster)
        home = tmp_path_factory.mktemp("desk")
        part = {"topic": TOPIC, "partition": 0}
        offsets = {"version": 1, "partitions": [{**part, "offset": 2}]}
        (home / "offsets.json").write_text(json.dumps(offsets))
        move = {"version": 1, "partitions": [{**part, "replicas": [1]}]}
        (home / "move.json").write_text(json.dumps(move))
        config = home / "client.properties"
        config.write_text(client_properties(access.bootstrap, access.username, access.token))
        made.append(Desk(JavaProcess(distribution, access.bootstrap, config), home))
    with made[0].process, made[1].process:
        yield made[0], made[1]


def _wrong(step: Step, shown: Shown, home: Path) -> str:
    """Why this is not what the tool must do; empty if it is."""
    text = " ".join(shown.text.replace(str(home), "{home}").split())
    foreign = [vcluster for vcluster in VCLUSTERS if vcluster.rstrip("-") in text]
    missing = [words for words in step.says if words not in text]
    surplus = [words for words in step.hides if words in text]
    if (shown.status != 0) is step.denied and not (foreign or missing or surplus):
        return ""
    return (
        f"{step.line}: status {shown.status}, missing {missing}, not to be there {surplus},"
        f" foreign {foreign}\n{shown.text}"
    )


def _tried(desk: Desk, step: Step) -> str:
    """Why the tool does not do what it must; one that only looks may have to look again.

    Brokers learn of changes one after the other, and a tool asks any of them.
    """
    for _ in range(LOOKS if step.looks else 1):
        why = _wrong(step, desk.does(step), desk.home)
        if not why:
            break
        threading.Event().wait(PAUSE)
    return why


def test_every_tool_shows_a_cluster_of_ones_own(
    desks: tuple[Desk, Desk], overheard: Overheard
) -> None:
    """Both tenants at once, step by step."""
    with ThreadPoolExecutor(2) as pool:
        for step in STEPS:
            assert list(pool.map(lambda desk, step=step: _tried(desk, step), desks)) == ["", ""]
    assert overheard.leaks() == []
