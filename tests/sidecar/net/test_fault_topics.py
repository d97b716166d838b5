"""What a fault's own topic pattern rules out passes as if the fault were not there."""

import random

import pytest

from codec.messages.fetch import FetchRequest, FetchResponse
from sidecar.faults.duplicate_messages import DuplicateMessages
from sidecar.faults.leaderless import Leaderless
from sidecar.faults.slow_clients import SlowClients
from sidecar.model.interceptor import Interceptor
from tests.sidecar.net.test_fast_lane import (
    TOPICS,
    by_the_fast_lane,
    by_the_session,
    physical,
    workload,
)
from tests.support.fast_lane import FastLane
from tests.support.messages import batch, produce, request, response, sized
from tests.support.sessions import Client, interceptor, striking, tenant, to_broker, to_client

LATE = SlowClients(topic="b.*", rate_in_percent=50, min_latency_ms=0, max_latency_ms=0)
LEADERLESS = Leaderless(topic="bikes", partitions=(0, 2))
NOWHERE = [
    striking(Leaderless(topic="trains"), name="none"),
    striking(DuplicateMessages(topic="planes", rate_in_percent=100), name="twice"),
]


def faults(seed: int) -> list[Interceptor]:
    return [
        striking(LATE, name="late", seed=seed),
        interceptor(30, seed=seed + 1, priority=200),
        striking(LEADERLESS, name="leaderless", priority=300),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_the_fast_lane_does_what_the_session_does(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tenant if seed % 2 else Client
    requests = workload(seed, 200)
    lane = FastLane(make(*faults(seed)), monkeypatch)
    lane.topics = {each: physical(lane.client, name) for each, name in TOPICS.items()}

    slow = by_the_session(make(*faults(seed)), requests)
    fast = by_the_fast_lane(lane, requests, random.Random(seed))

    assert fast[2] == slow[2]
    assert fast[1] == slow[1]
    assert fast[0] == slow[0]
    struck = {(each.interceptor, each.topic) for each in fast[2]}
    assert {topic for name, topic in struck if name == "leaderless"} == {"bikes"}
    assert ("late", "cars") not in struck


def test_a_produce_about_other_topics_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(*NOWHERE)
    lane = FastLane(client, monkeypatch)
    lane.receive(sized(request(produce({"cars": {0: batch()}}), 9, 1)))
    monkeypatch.setattr(
        "sidecar.dataplane.judge.Judge.__call__", lambda *_: pytest.fail("it is judged")
    )
    for number in range(2, 5):
        lane.receive(sized(request(produce({"cars": {0: batch()}}), 9, number)))

    assert list(client.session.order.queue) == [1, 2, 3, 4]


def fetch(*topics: str, epoch: int = -1) -> FetchRequest:
    topic = FetchRequest.FetchTopic
    parts = [topic.FetchPartition(partition=0)]
    return FetchRequest(
        topics=[topic(topic=name, partitions=parts) for name in topics],
        session_id=9 if epoch > 0 else 0,
        session_epoch=epoch,
    )


@pytest.mark.parametrize(
    ("asked", "looked_at"),
    [
        (fetch("cars"), False),
        (fetch("cars", "boats"), False),
        (fetch("cars", epoch=0), True),  # for the session it begins
        (fetch(epoch=3), True),  # it goes on with what nobody here knows
    ],
    ids=["one", "two", "begins", "goes on"],
)
def test_the_answer_to_a_fetch_about_other_topics_is_not_looked_at(
    asked: FetchRequest, looked_at: bool
) -> None:
    client = Client(striking(Leaderless(topic="bikes"), name="leaderless"))
    assert to_broker(client.sends(asked, 12))
    pending = client.session.order.expected()
    assert pending is not None
    assert (pending.faults is not None) is looked_at

    garbage = response(FetchResponse(responses=[]), 12) + b"garbage"
    assert to_client(client.broker_answers(garbage)) == [garbage]
