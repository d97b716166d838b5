"""Transactions, of both protocols: producers, their partitions and groups, and what is told."""

from __future__ import annotations

from dataclasses import dataclass

from codec.api_keys import ApiKey
from tests.kafka.api_matrix.client import Answer
from tests.kafka.api_matrix.groups import leave, stable
from tests.kafka.api_matrix.offsets import TRANSACTION
from tests.kafka.api_matrix.records import batch
from tests.kafka.api_matrix.shapes import Plain
from tests.kafka.api_matrix.spec import exercise, ok, only
from tests.kafka.api_matrix.tenant import TOPIC, WAITING, Tenant

#: The first versions of the second protocol (KIP-890), which registers what is written to.
SECOND_PRODUCE, SECOND_END, SECOND_OFFSETS = 12, 5, 5


@dataclass(frozen=True)
class Producer:
    """A transactional producer."""

    transactional_id: str
    producer_id: int
    epoch: int
    node: int

    def fields(self) -> Plain:
        """What its requests say of it."""
        return {
            "transactional_id": self.transactional_id,
            "producer_id": self.producer_id,
            "producer_epoch": self.epoch,
        }


def producer(
    tenant: Tenant, transactional_id: str, version: int = 4, *, timeout_ms: int = 60000
) -> Producer:
    """Initialise with an InitProducerId of `version`."""
    node = tenant.coordinator(transactional_id, TRANSACTION)
    values = {"transactional_id": transactional_id, "transaction_timeout_ms": timeout_ms}
    made = ok(tenant.settled(ApiKey.INIT_PRODUCER_ID, version, values, node))
    return Producer(transactional_id, made["producer_id"], made["producer_epoch"], node)


def add(tenant: Tenant, made: Producer, topic: str, version: int = 3) -> Answer:
    """Add partition 0 of `topic` to the transaction."""
    topics = [{"name": topic, "partitions": [0]}]
    one = {**made.fields(), "verify_only": False, "topics": topics}
    values = {
        "transactions": [one],
        "v3_and_below_transactional_id": made.transactional_id,
        "v3_and_below_producer_id": made.producer_id,
        "v3_and_below_producer_epoch": made.epoch,
        "v3_and_below_topics": topics,
    }

    def patient(answer: Answer) -> bool:
        results = answer.body.get("results_by_topic_v3_and_below", [])
        codes = [p["partition_error_code"] for t in results for p in t["results_by_partition"]]
        return not set(codes) & set(WAITING)

    ask = lambda: tenant.ask(ApiKey.ADD_PARTITIONS_TO_TXN, version, values, made.node)  # noqa: E731
    return ok(tenant.until(ask, patient))


def write(tenant: Tenant, made: Producer, topic: str, version: int = 11) -> None:
    """Append two records to partition 0 of `topic`, which broker 1 leads."""
    records = batch(
        [tenant.marker] * 2,
        producer_id=made.producer_id,
        producer_epoch=made.epoch,
        first_sequence=0,
        transactional=True,
    )
    part = {"index": 0, "records": records}
    values = {
        "transactional_id": made.transactional_id,
        "acks": -1,
        "timeout_ms": 10000,
        "topic_data": [{**tenant.named(topic), "partition_data": [part]}],
    }
    ok(tenant.ask(ApiKey.PRODUCE, version, values, node=1))


def end(tenant: Tenant, made: Producer, version: int = 4, *, committed: bool = True) -> Answer:
    """Commit or abort with an EndTxn of `version`."""
    values = {**made.fields(), "committed": committed}
    return ok(tenant.settled(ApiKey.END_TXN, version, values, made.node))


def ongoing(tenant: Tenant, name: str, *, timeout_ms: int = 60000) -> Producer:
    """A producer with an open transaction, which has written to the topic of that name."""
    tenant.create(name)
    made = producer(tenant, name, timeout_ms=timeout_ms)
    add(tenant, made, name)
    write(tenant, made, name)
    return made


@exercise(ApiKey.INIT_PRODUCER_ID)
def init_producer_id(tenant: Tenant, version: int) -> None:
    """Idempotent only; transactional; and again, with the epoch moved on."""
    values = {"transactional_id": None, "transaction_timeout_ms": 60000}
    assert ok(tenant.settled(ApiKey.INIT_PRODUCER_ID, version, values))["producer_id"] >= 0
    first = producer(tenant, f"initialised-{version}", version)
    second = producer(tenant, f"initialised-{version}", version)
    assert (second.producer_id, second.epoch) == (first.producer_id, first.epoch + 1)


@exercise(ApiKey.ADD_PARTITIONS_TO_TXN)
def add_partitions_to_txn(tenant: Tenant, version: int) -> None:
    """One partition; then nothing is written, and the transaction ends."""
    topic = f"added-{version}"
    tenant.create(topic)
    made = producer(tenant, topic)
    answer = add(tenant, made, topic, version)
    if version >= 4:
        one = only(answer["results_by_transaction"])
        assert one["transactional_id"] == topic
        entry = only(one["topic_results"])
    else:
        entry = only(answer["results_by_topic_v3_and_below"])
    assert entry["name"] == topic
    end(tenant, made, committed=False)


@exercise(ApiKey.ADD_OFFSETS_TO_TXN)
def add_offsets_to_txn(tenant: Tenant, version: int) -> None:
    """The offsets of a group that need not exist yet."""
    made = producer(tenant, f"offsets-added-{version}")
    _add_offsets(tenant, made, f"offsets-added-{version}", version)
    end(tenant, made)


def _add_offsets(tenant: Tenant, made: Producer, group: str, version: int = 3) -> None:
    values = {**made.fields(), "group_id": group}
    ok(tenant.settled(ApiKey.ADD_OFFSETS_TO_TXN, version, values, made.node))


@exercise(ApiKey.TXN_OFFSET_COMMIT)
def txn_offset_commit(tenant: Tenant, version: int) -> None:
    """As a member of a stable group; from version 5 on without AddOffsetsToTxn before."""
    name = f"transacted-{version}"
    member = stable(tenant, name)
    made = producer(tenant, name)
    if version < SECOND_OFFSETS:
        _add_offsets(tenant, made, name)
    part = {"partition_index": 1, "committed_offset": 4, "committed_metadata": None}
    topic = {"name": TOPIC, "partitions": [part]}
    values = {**made.fields(), **member.fields(), "topics": [topic]}

    def patient(answer: Answer) -> bool:
        code = answer["topics"][0]["partitions"][0]["error_code"]
        return code not in WAITING

    ask = lambda: tenant.ask(ApiKey.TXN_OFFSET_COMMIT, version, values, member.node)  # noqa: E731
    entry = only(ok(tenant.until(ask, patient))["topics"])
    assert tenant.is_named(entry)
    end(tenant, made, SECOND_END if version >= SECOND_OFFSETS else 4)
    leave(tenant, member)


@exercise(ApiKey.END_TXN)
def end_txn(tenant: Tenant, version: int) -> None:
    """Commit one transaction and abort the next; from version 5 on the answer moves the epoch."""
    topic = f"ended-{version}"
    tenant.create(topic)
    for committed in (True, False):
        made = producer(tenant, topic)
        if version < SECOND_END:
            add(tenant, made, topic)
        write(tenant, made, topic, SECOND_PRODUCE if version >= SECOND_END else 11)
        answer = end(tenant, made, version, committed=committed)
        if version >= SECOND_END:
            assert (answer["producer_id"], answer["producer_epoch"]) == (
                made.producer_id,
                made.epoch + 1,
            )


@exercise(ApiKey.DESCRIBE_PRODUCERS)
def describe_producers(tenant: Tenant, version: int) -> None:
    """The producer of an open transaction."""
    made = ongoing(tenant, f"producers-{version}")
    topic = made.transactional_id
    values = {"topics": [{"name": topic, "partition_indexes": [0]}]}
    answer = ok(tenant.ask(ApiKey.DESCRIBE_PRODUCERS, version, values, node=1))
    entry = only(answer["topics"])
    assert tenant.is_named(entry, topic)
    active = only(only(entry["partitions"])["active_producers"])
    assert active["producer_id"] == made.producer_id
    end(tenant, made)


@exercise(ApiKey.DESCRIBE_TRANSACTIONS)
def describe_transactions(tenant: Tenant, version: int) -> None:
    """An open transaction, with the topic in it."""
    made = ongoing(tenant, f"told-{version}")
    values = {"transactional_ids": [made.transactional_id]}
    answer = ok(tenant.ask(ApiKey.DESCRIBE_TRANSACTIONS, version, values, made.node))
    state = only(answer["transaction_states"])
    assert (state["transactional_id"], state["transaction_state"]) == (
        made.transactional_id,
        "Ongoing",
    )
    assert only(state["topics"])["topic"] == made.transactional_id
    end(tenant, made)


@exercise(ApiKey.LIST_TRANSACTIONS)
def list_transactions(tenant: Tenant, version: int) -> None:
    """All; those of a state; and from version 2 on those whose id fits a pattern."""
    made = ongoing(tenant, f"listing-{version}")
    asked: list[Plain] = [{}, {"state_filters": ["Ongoing"]}]
    if version >= 2:
        asked += [{"transactional_id_pattern": pattern} for pattern in ("list.*", "^listing-2$")]
        asked += [{"transactional_id_pattern": "other|listing-[0-9]"}]
    for values in asked:
        answer = ok(tenant.ask(ApiKey.LIST_TRANSACTIONS, version, values, made.node))
        names = [state["transactional_id"] for state in answer["transaction_states"]]
        assert made.transactional_id in names, (values, names)
    if version >= 2:
        nothing = {"transactional_id_pattern": "isting.*"}
        answer = ok(tenant.ask(ApiKey.LIST_TRANSACTIONS, version, nothing, made.node))
        assert answer["transaction_states"] == [], answer
    end(tenant, made)
