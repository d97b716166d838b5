"""Selectors, limits, ends, pauses and halts in the fast lane: as in a session, at once."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.broken_broker import BrokenBroker
from sidecar.faults.slow_broker import SlowBroker
from sidecar.model.interceptor import Interceptor
from sidecar.model.limits import Limits
from sidecar.model.selector import Selector
from sidecar.model.snapshot import Snapshot
from tests.sidecar.net.test_fast_lane import (
    TOPICS,
    by_the_fast_lane,
    by_the_session,
    physical,
    workload,
)
from tests.support.fast_lane import FastLane
from tests.support.messages import batch, produce, request, sized
from tests.support.sessions import NOW, Client, interceptor, striking, tenant

SELECTORS = [
    Selector(topics=("cars",)),
    Selector(topics=("b.*",), partitions=(0, 2)),
    Selector(partitions=(1,)),
    Selector(acks=(1,), client_ids=("app",)),
    Selector(client_ids=("another",)),
    Selector(groups=("g",)),
]
SLOW = SlowBroker(rate_in_percent=50, min_latency_ms=0, max_latency_ms=0)
BROKEN = BrokenBroker(rate_in_percent=40)


def faults(selector: Selector, seed: int) -> list[Interceptor]:
    """Two that select, or one of them and one that does not; with limits now and then."""
    limits = [Limits(), Limits(max_injections=9), Limits(max_per_second=7)]
    return [
        interceptor(60, seed=seed, selector=selector, limits=limits[seed % 3]),
        striking(
            BROKEN if seed % 2 else SLOW,
            name="second",
            seed=seed + 1,
            priority=200,
            selector=SELECTORS[seed % len(SELECTORS)],
            expires=NOW + 1 if seed % 5 else NOW,
        ),
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("selector", SELECTORS, ids=repr)
def test_the_fast_lane_does_what_the_session_does(
    selector: Selector, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tenant if seed % 2 else Client
    requests = workload(seed, 200)
    lane = FastLane(make(*faults(selector, seed)), monkeypatch)
    lane.topics = {each: physical(lane.client, name) for each, name in TOPICS.items()}

    slow = by_the_session(make(*faults(selector, seed)), requests)
    fast = by_the_fast_lane(lane, requests, random.Random(seed))

    assert fast[2] == slow[2]
    assert fast[1] == slow[1]
    assert fast[0] == slow[0]


CARS, BIKES = (sized(request(produce({name: {0: batch()}}), 9)) for name in ("cars", "bikes"))


def swap(client: Client, *interceptors: Interceptor, **fields: Any) -> None:
    """What a control call does."""
    snapshot = Snapshot(2, interceptors, **fields)
    client.shared.pipeline = Pipeline(snapshot, client.shared.pipeline)


def struck(lane: FastLane, data: bytes = CARS, count: int = 1) -> int:
    """How many of so many requests of one read are not forwarded."""
    before = len(lane.far.sent)
    lane.receive(data * count)
    return count - (len(lane.far.sent) - before) // len(data)


def test_only_what_is_selected_is_struck_in_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(interceptor(selector=Selector(topics=("cars",))))
    lane = FastLane(client, monkeypatch)

    lane.receive((CARS + BIKES) * 20)

    assert lane.far.sent == BIKES * 20
    assert {injection.topic for injection in client.recorded.injections} == {"cars"}


def test_requests_that_are_not_selected_are_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(interceptor(selector=Selector(topics=("cars",))))
    lane = FastLane(client, monkeypatch)
    asked = []
    judge = "sidecar.dataplane.judge.Judge.__call__"
    monkeypatch.setattr(judge, lambda self, *rest: asked.append(rest))

    lane.receive(BIKES * 20)
    assert len(asked) == 1, "the first has to be looked at"
    lane.receive(CARS * 20)
    assert len(asked) == 21


Change = Callable[[Interceptor], dict[str, Any]]


@pytest.mark.parametrize(
    "stop",
    [{"halted": True}, {"paused": True}, {"expires": NOW}, {"lease_uid": "gone"}, {}],
    ids=["halt", "pause", "expire", "lease", "delete"],
)
def test_the_next_read_of_a_running_connection_is_affected(
    stop: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = interceptor(100)
    client = Client(one)
    lane = FastLane(client, monkeypatch)
    halted = stop.pop("halted", False)
    assert struck(lane, count=5) == 5

    for _ in range(2):
        swap(client, *([replace(one, **stop)] if stop or halted else []), halted=halted)
        assert struck(lane, count=5) == 0
        swap(client, one)
        assert struck(lane, count=5) == 5


def test_a_halt_counts_for_a_request_that_has_come_in_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = striking(BrokenBroker(rate_in_percent=100))
    client = Client(one)
    lane = FastLane(client, monkeypatch)
    several = sized(request(produce({"cars": {0: batch()}, "bikes": {0: batch()}}), 9))
    lane.receive(several[:60])  # drawn for, and collected

    swap(client, one, halted=True)
    lane.receive(several[60:])

    assert lane.far.sent == several
    assert client.recorded.injections == []


def test_an_interceptor_ends_within_a_connection_at_its_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client(interceptor(expires=NOW + 5))
    lane = FastLane(client, monkeypatch)
    assert struck(lane, count=5) == 5

    monkeypatch.setattr("sidecar.clock.now", lambda: NOW + 4.999)
    client.session.stale = True  # plans take the clock along
    assert struck(lane, count=5) == 5
    monkeypatch.setattr("sidecar.clock.now", lambda: NOW + 5)
    client.session.stale = True
    assert struck(lane, count=5) == 0
    assert client.session.stale, "there is nobody left to ask"
    assert struck(lane, count=5) == 0
    assert not client.session.stale


def test_a_number_is_not_exceeded_within_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(interceptor(limits=Limits(max_injections=7)))
    lane = FastLane(client, monkeypatch)

    assert [struck(lane, count=5) for _ in range(3)] == [5, 2, 0]
    assert client.session.stale or struck(lane) == 0
    swap(client, interceptor(limits=Limits(max_injections=9)))
    assert struck(lane, count=5) == 2


def test_a_rate_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(interceptor(limits=Limits(max_per_second=3)))
    lane = FastLane(client, monkeypatch)
    assert [struck(lane, count=5) for _ in range(2)] == [3, 0]

    monkeypatch.setattr("sidecar.clock.now", lambda: NOW + 1)
    client.session.stale = True
    assert struck(lane, count=5) == 3
