"""A Produce of which some partitions are refused: the rest goes on, the client gets one answer."""

from collections.abc import Sequence
from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.produce import ProduceRequest, ProduceResponse
from sidecar.dataplane.actions import Close, ToBroker
from sidecar.faults.leader_election import LeaderElection
from sidecar.model.interceptor import Interceptor, Scope
from tests.support.messages import batch, produce, read_response, request, response, topic_id
from tests.support.sessions import Client, closes, forwarded, tenant, to_broker, to_client

VERSIONS = [3, 8, 9, 12, 13]
TOPICS = {"a": {0: batch(2), 1: batch(3), 2: batch()}, "b": {0: batch(), 5: batch()}}
PLACES = [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 5)]
Told = list[tuple[str, int, int]]


def election(rate: float = 50, **config: Any) -> Interceptor:
    fault = LeaderElection(rate_in_percent=rate, **{"draw": "PARTITION", **config})
    return Interceptor(name="elect", scope=Scope(), priority=1, fault=fault, seed=3, uid="u")


def client(make: Any, *interceptors: Interceptor) -> Client:
    """Whose directory knows the topics."""
    made: Client = make(*interceptors)
    for name in TOPICS:
        physical = name if make is Client else f"teamA{name}"
        made.shared.directory.learn(topic_id(name), physical.encode())
    return made


def places(message: ProduceRequest, version: int, prefix: str) -> list[tuple[str, int]]:
    """What a broker was asked, in logical names."""
    names = {topic_id(name): name for name in TOPICS}
    return [
        (names[t.topic_id] if version >= 13 else t.name.removeprefix(prefix), p.index)
        for t in message.topic_data
        for p in t.partition_data
    ]


def appended(message: ProduceRequest, error: int = 0) -> ProduceResponse:
    """The broker's answer, topics and partitions in an order of its own."""
    topic = ProduceResponse.TopicProduceResponse
    return ProduceResponse(
        responses=[
            topic(
                name=each.name,
                topic_id=each.topic_id,
                partition_responses=[
                    topic.PartitionProduceResponse(
                        index=part.index, error_code=error, base_offset=100 + part.index
                    )
                    for part in reversed(each.partition_data)
                ],
            )
            for each in reversed(message.topic_data)
        ]
    )


def told(data: Sequence[Any], version: int) -> Told:
    """Topic, partition and error code of an answer."""
    [frame] = data
    names = {topic_id(name): name for name in TOPICS}
    _, answer = read_response(ApiKey.PRODUCE, version, frame)
    return [
        (names[t.topic_id] if version >= 13 else t.name, p.index, p.error_code)
        for t in answer.responses
        for p in t.partition_responses
    ]


@pytest.mark.parametrize("make", [Client, tenant], ids=["passthrough", "tenant"])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_rest_is_forwarded_and_the_answers_are_one(version: int, make: Any) -> None:
    talker = client(make, election())
    struck: set[int] = set()
    for number in range(1, 30):
        actions = talker.sends_frame(request(produce(TOPICS), version, number))
        recorded = [(i.topic, i.partition) for i in talker.recorded.injections]
        talker.recorded.injections.clear()
        if len(recorded) == len(PLACES):
            answer = to_client(actions)
        else:
            asked = forwarded(actions)
            kept = places(asked, version, "teamA" if make is tenant else "")
            assert kept == [place for place in PLACES if place not in recorded]
            records = [bytes(p.records) for t in asked.topic_data for p in t.partition_data]
            assert records == [bytes(TOPICS[name][index]) for name, index in kept]
            answer = to_client(talker.broker_answers(response(appended(asked), version, number)))
        expected = [(*place, 6 if place in recorded else 0) for place in PLACES]
        found = told(answer, version)
        assert (found if recorded else sorted(found)) == expected
        struck.add(len(recorded))
    assert struck >= {1, 2, 3, 4}


def test_what_is_forwarded_is_not_copied() -> None:
    talker = client(tenant, election(rate=50))
    large = batch(payload=bytes(100_000))
    whole = request(produce({"a": {n: large for n in range(6)}}), 9)

    [sent] = [each for each in talker.sends_frame(memoryview(whole)) if isinstance(each, ToBroker)]

    assert talker.recorded.injections
    views = [chunk for chunk in sent.chunks if len(chunk) > 90_000]
    assert len(views) == 6 - len(talker.recorded.injections)
    assert all(isinstance(view, memoryview) and view.obj is whole for view in views)


def test_a_batch_behind_a_refused_one_is_refused_and_its_neighbours_are_not() -> None:
    """Of one producer on one partition nothing overtakes; other partitions go on."""
    talker = client(Client, election(rate=50))
    sequence = {place: 0 for place in PLACES[:2]}
    gaps: set[tuple[str, int]] = set()
    follows = 0
    for number in range(1, 40):
        topics = {
            "a": {
                index: batch(1, producer_id=5, producer_epoch=0, base_sequence=sequence["a", index])
                for index in (0, 1)
            }
        }
        actions = talker.sends_frame(request(produce(topics), 9, number))
        refused = {(i.topic, i.partition): i.reason for i in talker.recorded.injections}
        talker.recorded.injections.clear()
        for place in sequence:
            if place in gaps:
                assert place in refused
            if place in refused:
                gaps.add(place)
            sequence[place] += 1
        follows += list(refused.values()).count("FOLLOWS")
        kept = places(forwarded(actions), 9, "") if to_broker(actions) else []
        assert kept == [place for place in PLACES[:2] if place not in refused]
    assert follows > 10


@pytest.mark.parametrize("version", VERSIONS)
def test_appended_then_rejected(version: int) -> None:
    talker = client(tenant, election(100, outcome="APPEND_THEN_REJECT"))

    asked = forwarded(talker.sends_frame(request(produce(TOPICS), version)))
    assert not talker.recorded.injections
    answer = to_client(talker.broker_answers(response(appended(asked), version)))

    assert sorted(told(answer, version)) == [(*place, 6) for place in PLACES]
    found = talker.recorded.injections
    assert sorted((i.topic, i.partition) for i in found) == PLACES
    assert {(i.outcome, i.error, i.fault) for i in found} == {
        ("APPEND_THEN_REJECT", "NOT_LEADER_OR_FOLLOWER", "leader_election")
    }


def test_appended_then_disconnected() -> None:
    talker = client(tenant, election(100, outcome="APPEND_THEN_DISCONNECT"))

    asked = forwarded(talker.sends(produce(TOPICS), 9))
    actions = talker.broker_answers(response(appended(asked), 9))

    assert closes(actions) == ["fault_injected"]
    assert to_client(actions) == []
    assert {i.outcome for i in talker.recorded.injections} == {"APPEND_THEN_DISCONNECT"}


def test_appended_then_disconnected_without_an_answer() -> None:
    talker = client(tenant, election(100, outcome="APPEND_THEN_DISCONNECT"))

    first, second = talker.sends(produce({"a": {0: batch()}}, acks=0), 9)

    assert isinstance(first, ToBroker)
    assert isinstance(second, Close)
    assert [(i.outcome, i.acks) for i in talker.recorded.injections] == [
        ("APPEND_THEN_DISCONNECT", 0)
    ]


@pytest.mark.parametrize("outcome", ["REJECT", "APPEND_THEN_REJECT", "APPEND_THEN_DISCONNECT"])
def test_what_cannot_be_recorded_is_not_injected(outcome: str) -> None:
    talker = client(tenant, election(100, outcome=outcome))
    talker.recorded.accepts = False

    asked = forwarded(talker.sends(produce(TOPICS), 9))
    assert places(asked, 9, "teamA") == PLACES
    answer = to_client(talker.broker_answers(response(appended(asked), 9)))

    assert {code for _, _, code in told(answer, 9)} == {0}


def test_a_brokers_own_failure_stays() -> None:
    talker = client(tenant, election(100, outcome="APPEND_THEN_REJECT"))

    asked = forwarded(talker.sends(produce(TOPICS), 9))
    answer = to_client(talker.broker_answers(response(appended(asked, error=19), 9)))

    assert {code for _, _, code in told(answer, 9)} == {19}
    assert not talker.recorded.injections
