"""Hints of who leads, from the Metadata of one request to the refusal of another."""

from dataclasses import replace
from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.messages.produce import ProduceResponse
from sidecar.dataplane.pipeline import Pipeline
from sidecar.dataplane.session import Session
from sidecar.faults.leader_election import LeaderElection, LeaderElectionRule
from sidecar.faults.leaderless import Leaderless
from sidecar.faults.leaders import Leaders
from sidecar.model.injection import FOLLOWS
from sidecar.model.interceptor import Interceptor
from sidecar.model.selector import Selector
from sidecar.model.snapshot import Snapshot
from tests.support.fast_lane import FastLane
from tests.support.messages import (
    batch,
    frames,
    produce,
    read_response,
    request,
    response,
    sized,
    topic_id,
)
from tests.support.sessions import (
    NOW,
    Client,
    forwarded,
    striking,
    tenant,
    to_broker,
    to_client,
)

MADE = pytest.mark.parametrize("make", [Client, tenant], ids=["passthrough", "tenant"])
NOTHING = [("cars", 0, 6, -1, -1)]


def electing(rate: float = 100, **fields: Any) -> Interceptor:
    config = {"rate_in_percent": rate, "hint": "UNCHANGED"}
    names = {name: fields.pop(name) for name in ("draw", "hint", "window_ms") if name in fields}
    return striking(LeaderElection(**config | names), **fields)


def physical(client: Client, topic: str) -> str:
    """As the cluster calls it; the directory knows it from now on."""
    identity = client.session.peer.identity
    name = (identity.prefix if identity else "") + topic
    client.shared.directory.learn(topic_id(topic), name.encode())
    return name


def hears(client: Client, version: int = 12, leader: int = 1, epoch: int = 5) -> Any:
    """The client asks for the metadata of cars, two partitions, and gets it; what it reads."""
    topic = MetadataResponse.MetadataResponseTopic
    broker = MetadataResponse.MetadataResponseBroker
    name = physical(client, "cars")
    parts = [
        topic.MetadataResponsePartition(
            partition_index=n, leader_id=leader, leader_epoch=epoch, isr_nodes=[1, 2, 3]
        )
        for n in (0, 1)
    ]
    message = MetadataResponse(
        brokers=[broker(node_id=n, host=f"kafka{n}", port=9092, rack="r") for n in (1, 2, 3)],
        topics=[topic(name=name, topic_id=topic_id("cars"), partitions=parts)],
    )
    wanted = MetadataRequest.MetadataRequestTopic
    asked = client.sends(MetadataRequest(topics=[wanted(name="cars")]), version)
    assert to_broker(asked)
    [told] = to_client(client.broker_answers(response(message, version)))
    return read_response(ApiKey.METADATA, version, told)[1]


def told(data: list[bytes], version: int, names: dict[bytes, str] | None = None) -> Any:
    """Of a Produce answer: topic, partition, error, leader, epoch; then the endpoints."""
    [frame] = data
    answer = read_response(ApiKey.PRODUCE, version, frame)[1]
    known = {topic_id(name): name for name in ("cars", "bikes")}
    parts = []
    for topic in answer.responses:
        for part in topic.partition_responses:
            leader = part.current_leader if version >= 10 else None
            hint = (-1, -1) if leader is None else (leader.leader_id, leader.leader_epoch)
            name = known[topic.topic_id] if version >= 13 else topic.name
            parts.append((name, part.index, part.error_code, *hint))
    ends = answer.node_endpoints if version >= 10 else ()
    return parts, [(end.node_id, end.host, end.port, end.rack) for end in ends]


def advertised(client: Client) -> list[tuple[Any, Any]]:
    """Of what was recorded, but for Metadata."""
    recorded = [each for each in client.recorded.injections if each.api != "METADATA"]
    return [(each.leader_id, each.leader_epoch) for each in recorded]


def hears_elsewhere(client: Client, **told: Any) -> None:
    """Another connection of the client does."""
    session = client.session
    client.session = Session(client.shared, 8, 2)
    hears(client, **told)
    client.session = session


@MADE
@pytest.mark.parametrize("version", [3, 9, 10, 12, 13])
@pytest.mark.parametrize(("hint", "leader"), [("UNCHANGED", 1), ("MOVED", 3)])
def test_a_refusal_names_who_metadata_named_at_the_sidecar(
    make: Any, version: int, hint: str, leader: int
) -> None:
    client = make(electing(hint=hint))
    shown = hears(client)
    assert (shown.brokers[0].host, shown.brokers[0].port) == ("sidecar", 6969)

    answer = to_client(client.sends(produce(), version))

    given = (leader, 5) if version >= 10 else (-1, -1)
    ends = [(leader, "sidecar", 6968 + leader, "r")] if version >= 10 else []
    assert told(answer, version) == ([("cars", 0, 6, *given)], ends)
    assert advertised(client) == [given if version >= 10 else (None, None)]


@pytest.mark.parametrize("hint", ["UNCHANGED", "MOVED"])
def test_before_any_metadata_there_is_no_hint(hint: str) -> None:
    client = Client(electing(hint=hint))

    answer = to_client(client.sends(produce(), 10))

    assert told(answer, 10) == (NOTHING, [])
    assert advertised(client) == [(None, None)]


def test_without_a_hint_metadata_is_not_looked_at() -> None:
    client = Client(electing(hint="NONE"), striking(Leaderless(topic="x"), name="other"))
    client.shared.pipeline = Pipeline(Snapshot(1, (electing(hint="NONE"),)))
    client.sends(MetadataRequest(topics=None), 12)

    pending = client.session.order.expected()

    assert pending is not None
    assert pending.faults is None


def test_metadata_is_not_drawn_for() -> None:
    client = Client(electing(rate=50))
    for _ in range(20):
        hears_elsewhere(client)
        client.sends(produce(), 10)
    draws = [each.draw for each in client.recorded.injections]
    without = Client(electing(rate=50, hint="NONE"))
    for _ in range(20):
        without.sends(produce(), 10)

    assert draws == [each.draw for each in without.recorded.injections]
    assert 0 < len(draws) < 20


@pytest.mark.parametrize(
    "selector",
    [
        Selector(topics=("cars",)),
        Selector(apis=("PRODUCE",)),
        Selector(brokers=(2,)),
        Selector(client_ids=("app",)),
        Selector(partitions=(0,)),
        Selector(acks=(-1,)),
    ],
)
def test_whatever_is_selected_all_metadata_is_heard(selector: Selector) -> None:
    client = Client(electing(selector=selector))
    client.session = Session(client.shared, 8, broker_id=3)
    hears(client)
    client.session = Session(client.shared, 9, broker_id=2)

    answer = to_client(client.sends(produce(), 10))

    assert told(answer, 10)[0] == [("cars", 0, 6, 1, 5)]


def test_another_virtual_clusters_leaders_are_not_named() -> None:
    client = tenant(electing())
    hears(client)
    identity = client.session.peer.identity
    assert identity is not None
    [stage] = client.shared.pipeline.chains(identity)[ApiKey.PRODUCE]
    other = Client(electing())
    other.shared.pipeline = client.shared.pipeline

    answer = to_client(other.sends(produce(), 10))

    assert stage.rule.learner is not None
    assert told(answer, 10) == (NOTHING, [])


@pytest.mark.parametrize(
    ("paused", "halted", "ends", "known"),
    [
        (False, False, None, True),
        (True, False, None, True),
        (False, True, None, True),
        (False, False, NOW - 1, False),
        (True, False, NOW - 1, False),
    ],
)
def test_interceptors_that_may_go_on_learn_and_those_that_are_over_do_not(
    paused: bool, halted: bool, ends: float | None, known: bool
) -> None:
    elections = electing(paused=paused, expires=ends)
    client = Client()
    client.shared.pipeline = Pipeline(Snapshot(1, (elections,), halted=halted))
    hears(client)
    again = replace(elections, paused=False, expires=None)
    client.shared.pipeline = Pipeline(Snapshot(2, (again,)), client.shared.pipeline)

    answer = to_client(client.sends(produce(), 10))

    assert told(answer, 10)[0] == ([("cars", 0, 6, 1, 5)] if known else NOTHING)


@MADE
@pytest.mark.parametrize("draw", ["REQUEST", "PARTITION"])
@pytest.mark.parametrize("version", [9, 12, 13])
def test_what_follows_a_refused_batch_is_told_the_same(version: int, draw: str, make: Any) -> None:
    client = make(electing(rate=50, seed=3, draw=draw))
    hears(client)
    sent = 0
    while not client.recorded.injections:
        first = batch(producer_id=7, producer_epoch=0, base_sequence=sent)
        client.sends(produce({"cars": {0: first}}), version, sent)
        sent += 1
    while client.recorded.injections[-1].reason != FOLLOWS:
        later = batch(producer_id=7, producer_epoch=0, base_sequence=sent + 1)
        client.sends(produce({"cars": {0: later}}), version, sent)
        sent += 1

    given = (1, 5) if version >= 10 else (None, None)
    assert set(advertised(client)) == {given}


@MADE
@pytest.mark.parametrize("version", [10, 13])
def test_a_split_answer_has_hints_beside_the_brokers_own(version: int, make: Any) -> None:
    client = make(striking(Leaderless(topic="cars", partitions=(1,), hint="MOVED")))
    hears(client)
    both = produce({"cars": {0: batch(), 1: batch()}})
    asked = forwarded(client.sends(both, version))
    topic = ProduceResponse.TopicProduceResponse
    part = topic.PartitionProduceResponse
    refused = part(index=0, error_code=6, base_offset=-1)
    refused.current_leader = part.LeaderIdAndEpoch(leader_id=1, leader_epoch=4)
    answer = ProduceResponse(
        responses=[
            topic(
                name=asked.topic_data[0].name,
                topic_id=asked.topic_data[0].topic_id,
                partition_responses=[refused],
            )
        ],
        node_endpoints=[ProduceResponse.NodeEndpoint(node_id=1, host="kafka1", port=9092)],
    )

    shown = to_client(client.broker_answers(response(answer, version)))

    assert told(shown, version) == (
        [("cars", 0, 6, 1, 4), ("cars", 1, 6, 3, 5)],
        [(1, "sidecar", 6969, None), (3, "sidecar", 6971, "r")],
    )
    assert advertised(client) == [(3, 5)]


def test_two_rules_that_split_one_request_tell_each_its_own() -> None:
    first = striking(Leaderless(topic="cars", partitions=(0,), hint="UNCHANGED"), name="a")
    second = striking(Leaderless(topic="cars", partitions=(1,), hint="MOVED"), name="b")
    client = Client(first, second)
    hears(client)

    answer = to_client(client.sends(produce({"cars": {0: batch(), 1: batch()}}), 12))

    assert told(answer, 12) == (
        [("cars", 0, 6, 1, 5), ("cars", 1, 6, 3, 5)],
        [(1, "sidecar", 6969, "r"), (3, "sidecar", 6971, "r")],
    )
    assert advertised(client) == [(1, 5), (3, 5)]


@MADE
def test_a_leader_is_learned_before_its_own_rule_takes_it_away(make: Any) -> None:
    client = make(striking(Leaderless(topic="cars", hint="UNCHANGED")))

    shown = hears(client)

    assert {part.leader_id for part in shown.topics[0].partitions} == {-1}
    answer = to_client(client.sends(produce(), 10))
    assert told(answer, 10)[0] == [("cars", 0, 6, 1, 5)]


@MADE
@pytest.mark.parametrize("version", [12, 15, 16, 18])
def test_a_refused_fetch_names_the_leader_since_16(version: int, make: Any) -> None:
    client = make(striking(Leaderless(topic="cars", hint="UNCHANGED")))
    hears(client)
    client.recorded.injections.clear()
    wanted = FetchRequest.FetchTopic
    parts = [wanted.FetchPartition(partition=0, fetch_offset=0)]
    topics = [wanted(topic="cars", topic_id=topic_id("cars"), partitions=parts)]
    asked = forwarded(client.sends(FetchRequest(topics=topics, session_epoch=-1), version))
    topic = FetchResponse.FetchableTopicResponse
    found = topic.PartitionData(partition_index=0, error_code=0, high_watermark=3, records=b"")
    answer = FetchResponse(
        responses=[
            topic(
                topic=asked.topics[0].topic,
                topic_id=asked.topics[0].topic_id,
                partitions=[found],
            )
        ]
    )

    [frame] = to_client(client.broker_answers(response(answer, version)))

    shown = read_response(ApiKey.FETCH, version, frame)[1]
    [part] = shown.responses[0].partitions
    leader = part.current_leader
    assert part.error_code == 6
    if version < 16:
        assert leader is None
    else:
        assert (leader.leader_id, leader.leader_epoch) == (1, 5)
        assert [(e.node_id, e.host, e.port) for e in shown.node_endpoints] == [(1, "sidecar", 6969)]
    assert advertised(client) == [(1, 5) if version >= 16 else (None, None)]


@pytest.mark.parametrize("idempotent", [False, True])
def test_in_the_fast_lane_each_refusal_tells_what_is_known_then(
    idempotent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers that a judge remembers would go on telling of an old epoch."""
    client = Client(electing())
    lane = FastLane(client, monkeypatch)
    found = []
    for epoch in (None, 5, 6):
        if epoch is not None:
            hears_elsewhere(client, epoch=epoch)
        records = batch(producer_id=7 if idempotent else -1, producer_epoch=0, base_sequence=0)
        lane.receive(sized(request(produce({"cars": {0: records}}), 10)))
        found += [told([answer], 10)[0] for answer in frames([bytes(lane.near.sent)])]
        lane.near.sent.clear()

    assert found == [NOTHING, [("cars", 0, 6, 1, 5)], [("cars", 0, 6, 1, 6)]]
    assert not lane.far.sent
    assert advertised(client) == [(None, None), (1, 5), (1, 6)]


def test_what_is_not_drawn_stays_in_the_fast_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(electing(rate=1, seed=1))
    hears_elsewhere(client)
    lane = FastLane(client, monkeypatch)
    monkeypatch.setattr(client.session, "on_request", None)

    for number in range(1, 6):
        lane.receive(sized(request(produce(), 10, number)))

    assert len(frames([bytes(lane.far.sent)])) == 5


def test_bugs_in_hints_are_kept_to_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata passes as it is; what follows a refused batch is refused without a hint."""
    told_of: list[Exception] = []
    elections = electing(rate=100, draw="PARTITION")
    client = Client()
    snapshot = Snapshot(1, (elections,))
    client.shared.pipeline = Pipeline(snapshot, failed=lambda _, error: told_of.append(error))
    records = [batch(producer_id=7, producer_epoch=0, base_sequence=n) for n in (0, 1)]
    client.sends(produce({"cars": {0: records[0]}}), 10)
    swap = Pipeline(replace(snapshot, halted=True), client.shared.pipeline)
    client.shared.pipeline = swap

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Leaders, "learn", broken)
    monkeypatch.setattr(LeaderElectionRule, "hints", broken)
    shown = hears(client)
    answer = to_client(client.sends(produce({"cars": {0: records[1]}}), 10))

    assert {part.leader_id for part in shown.topics[0].partitions} == {1}
    assert told(answer, 10) == (NOTHING, [])
    assert client.recorded.injections[-1].reason == FOLLOWS
    assert [type(error) for error in told_of] == [ZeroDivisionError] * 2
