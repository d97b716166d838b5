"""The fast lane does what the session does with the same frames: draws, refusals, records, bytes.

Requests go through a relay, several in one read, in pieces; and one by one through a session that
sees each of them whole. The two must not differ in anything.
"""

import random
from dataclasses import replace
from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.produce import ProduceRequest
from sidecar.dataplane.actions import LookUp
from sidecar.dataplane.pipeline import Pipeline
from sidecar.model.injection import Injection
from sidecar.model.interceptor import Interceptor
from tests.support.fast_lane import FastLane, appended
from tests.support.messages import batch, frames, produce, request, sized, topic_id
from tests.support.sessions import Client, interceptor, snapshot, tenant, to_broker, to_client


def workload(seed: int, count: int) -> list[tuple[ProduceRequest, int]]:
    """Requests as clients send them, more or less: idempotent or not, retried, of other forms."""
    choice = random.Random(seed)
    found = []
    sequence = {0: 0, 1: 0, 2: 0}
    version = 9
    for _ in range(count):
        version = choice.choice((version,) * 9 + (choice.randint(3, 13), 13))
        partition = choice.choice((0, 0, 1, 2))
        producer = choice.choice((-1, 4000, 4000))
        back = choice.choice((0, 0, 0, 1, 2))
        first = max(0, sequence[partition] - back)
        sequence[partition] += back == 0
        fields = (
            {"producer_id": producer, "producer_epoch": 0, "base_sequence": first}
            if producer >= 0
            else {}
        )
        payload = choice.randbytes(choice.choice((0, 50, 120, 20_000)))
        records = batch(choice.randint(1, 9), payload=payload, **fields)
        if choice.random() < 0.05:
            records = choice.choice((None, b"", b"no batch", records + records))
        partitions = {partition: records}
        if choice.random() < 0.05:
            partitions[7] = batch()
        topics = {choice.choice(("cars", "cars", "cars", "bikes")): partitions}
        if choice.random() < 0.05:
            topics["boats"] = {0: batch()}
        found.append((produce(topics, acks=choice.choice((-1, -1, 1))), version))
    return found


TOPICS = {topic_id(name): name for name in ("cars", "bikes", "boats")}


def physical(client: Client, name: str) -> bytes:
    assert client.session.peer.identity
    return (client.session.peer.identity.prefix + name).encode()


def learn(client: Client, *ids: bytes) -> None:
    """What a broker would say about topic ids."""
    for each in ids:
        client.shared.directory.learn(each, physical(client, TOPICS[each]))


def same_but_for_time(injections: list[Injection]) -> list[Injection]:
    return [replace(injection, time=0) for injection in injections]


def by_the_session(client: Client, requests: list[tuple[Any, int]]) -> Any:
    """Forwarded frames, answers and records, one request at a time."""
    forwarded, answers = [], []
    for number, (message, version) in enumerate(requests, 1):
        actions = client.sends(message, version, number)
        if isinstance(actions[0], LookUp):
            learn(client, *actions[0].topic_ids)
            actions = client.sends(message, version, number, looked_up=True)
        forwarded += to_broker(actions)
        answers += to_client(actions)
        for asked in to_broker(actions):
            answers += to_client(client.broker_answers(appended(asked)))
    return forwarded, answers, same_but_for_time(client.recorded.injections)


def by_the_fast_lane(lane: FastLane, requests: list[tuple[Any, int]], choice: random.Random) -> Any:
    """The same, with reads of any size; the broker answers when it likes."""
    data = b"".join(
        sized(request(message, version, number))
        for number, (message, version) in enumerate(requests, 1)
    )
    while data:
        size = choice.choice((1, 7, 60, 130, 400, 5000, 70_000))
        lane.receive(data[:size])
        data = data[size:]
        if choice.random() < 0.6:
            lane.answer()
    lane.answer()
    assert not lane.closes
    assert not lane.reports
    answers = frames([bytes(lane.near.sent)])
    return lane.forwarded, answers, same_but_for_time(lane.client.recorded.injections)


def faults(seed: int) -> list[Interceptor]:
    """One interceptor, or two of which the second draws only if the first does not choose."""
    found = [interceptor(40, seed=seed)]
    if seed % 2:
        found.append(interceptor(20, name="second", seed=seed + 1, priority=200))
    return found


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("isolated", [False, True], ids=["passthrough", "tenant"])
def test_the_fast_lane_does_what_the_session_does(
    isolated: bool, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tenant if isolated else Client
    requests = workload(seed, 250)
    lane = FastLane(make(*faults(seed)), monkeypatch)
    lane.topics = {each: physical(lane.client, name) for each, name in TOPICS.items()}

    slow = by_the_session(make(*faults(seed)), requests)
    fast = by_the_fast_lane(lane, requests, random.Random(seed))

    assert fast[2] == slow[2]
    assert fast[1] == slow[1]
    assert fast[0] == slow[0]
    reasons = {injection.reason for injection in fast[2]}
    assert reasons == {"DRAWN", "FOLLOWS"}
    assert bool(lane.asked) is any(version == 13 for _, version in requests)
    assert frozenset().union(*lane.asked) <= TOPICS.keys()
    assert {injection.topic for injection in fast[2]} <= set(TOPICS.values())


def test_without_interceptors_everything_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = workload(99, 200)
    lane = FastLane(Client(), monkeypatch)

    forwarded, _, recorded = by_the_fast_lane(lane, requests, random.Random(1))

    assert recorded == []
    assert forwarded == [request(m, v, n) for n, (m, v) in enumerate(requests, 1)]


def test_what_cannot_be_recorded_is_forwarded(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = workload(5, 100)
    client = Client(interceptor(100))
    client.recorded.accepts = False
    learn(client, *TOPICS)
    lane = FastLane(client, monkeypatch)

    forwarded, _, recorded = by_the_fast_lane(lane, requests, random.Random(1))

    assert recorded == []
    assert client.recorded.refused > 50
    assert forwarded == [request(m, v, n) for n, (m, v) in enumerate(requests, 1)]


def test_a_new_interceptor_counts_from_the_next_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    lane = FastLane(client, monkeypatch)
    frame = sized(request(produce(), 9))
    lane.receive(frame)
    assert lane.far.sent == frame

    client.shared.pipeline = Pipeline(snapshot(interceptor(100)), client.shared.pipeline)
    lane.receive(frame)
    client.shared.pipeline = Pipeline(snapshot(), client.shared.pipeline)
    lane.receive(frame)

    assert lane.far.sent == frame * 2
    assert len(client.recorded.injections) == 1


def test_a_refusal_is_sent_when_its_request_has_come_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client(interceptor(100))
    lane = FastLane(client, monkeypatch)
    large = sized(request(produce({"cars": {3: batch(payload=bytes(700_000))}}), 9, 5))

    lane.receive(large[:-1])
    assert not lane.near.sent
    assert [i.partition for i in client.recorded.injections] == [3]
    lane.receive(large[-1:] + sized(request(produce(), 9, 6)))

    assert [int.from_bytes(f[:4], "big") for f in frames([bytes(lane.near.sent)])] == [5, 6]
    assert not lane.far.sent


def test_a_refusal_in_the_fast_lane_has_what_the_client_calls_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client(interceptor(100))
    lane = FastLane(client, monkeypatch)

    lane.receive(sized(request(produce(), 9, 1, "größer %s")))
    lane.receive(sized(request(produce(), 9, 2, None)))

    assert [i.client_id for i in client.recorded.injections] == ["größer %s", None]
    assert {i.api for i in client.recorded.injections} == {ApiKey.PRODUCE.name}
