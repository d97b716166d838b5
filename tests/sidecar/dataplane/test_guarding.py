"""A fault with a bug: clients do not notice, and those who look do."""

from dataclasses import replace
from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.heartbeat import HeartbeatRequest, HeartbeatResponse
from sidecar.dataplane.guarding import GuardedRule
from sidecar.dataplane.pipeline import Pipeline
from sidecar.failures import FaultFailures
from sidecar.faults.base import FORWARD, Asked, Await, RequestRule
from sidecar.faults.latency import Latency, LatencyRule
from sidecar.faults.leader_election import LeaderElectionRule
from sidecar.faults.message_corruption import ProduceMessageCorruption
from sidecar.metrics import Metrics
from tests.support.fast_lane import FastLane, appended
from tests.support.log import EventLog
from tests.support.messages import batch, produce, request, response, sized
from tests.support.records import batch as batch_of
from tests.support.sessions import (
    Client,
    forwarded,
    interceptor,
    snapshot,
    striking,
    to_broker,
    to_client,
)


def broken(*_: Any) -> Any:
    raise ZeroDivisionError("a bug")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Elections fail, in whatever way they are asked."""
    monkeypatch.setattr(LeaderElectionRule, "decide", broken)
    return monkeypatch


def idempotent(sequence: int) -> Any:
    records = batch(1, producer_id=4000, producer_epoch=0, base_sequence=sequence)
    return produce({"cars": {0: records}})


@pytest.mark.usefixtures("failing")
def test_what_a_rule_fails_to_decide_about_goes_on_untouched() -> None:
    told: list[tuple[str, str]] = []
    client = Client()
    client.shared.pipeline = Pipeline(
        snapshot(interceptor(100)), failed=lambda one, error: told.append((one.name, repr(error)))
    )
    for number in range(3):
        message = idempotent(number)
        assert to_broker(client.sends(message, 9, number)) == [request(message, 9, number)]

    assert client.recorded.injections == []
    assert told == [("simulate", "ZeroDivisionError('a bug')")] * 3


def test_the_fast_lane_does_the_same(failing: pytest.MonkeyPatch) -> None:
    client = Client(interceptor(100))
    lane = FastLane(client, failing)
    data = b"".join(sized(request(idempotent(number), 9, number)) for number in range(3))
    lane.receive(data)

    assert bytes(lane.far.sent) == data
    assert not lane.closes
    assert not lane.reports


def test_other_interceptors_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LatencyRule, "decide", broken)
    late = Latency(applied_percentage=100, latency_ms=50)
    client = Client(striking(late, name="late"), interceptor(100, priority=200))
    client.sends(produce(), 9)

    assert [each.fault for each in client.recorded.injections] == ["leader_election"]


def test_an_answer_goes_on_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LeaderElectionRule, "decide", lambda *_: Await(None))
    monkeypatch.setattr(LeaderElectionRule, "answered", broken)
    client = Client(interceptor(100))
    [asked] = to_broker(client.sends(produce(), 9))

    assert to_client(client.broker_answers(appended(asked))) == [appended(asked)]
    assert client.recorded.injections == []


def test_a_rule_is_guarded_with_all_it_says_of_itself() -> None:
    class Rule(RequestRule):
        rung = 2
        share = 0.5
        apis = frozenset()

        def decide(self, asked: Any) -> Any:
            return FORWARD

    rule = Rule()
    guarded = GuardedRule(rule, broken, broken)
    names = {name for name in dir(rule) if not name.startswith("_")} - {
        "decide",
        "answered",
        "hints",
    }
    assert names
    assert {name: getattr(guarded, name) for name in names} == {
        name: getattr(rule, name) for name in names
    }
    asked = Asked(ApiKey.PRODUCE, 9, produce(), lambda: 0.0)
    assert guarded.decide(asked) is FORWARD


def test_a_failure_is_counted_each_time_and_told_once() -> None:
    log, metrics = EventLog(), Metrics()
    failures = FaultFailures(log, metrics)
    one = interceptor(100)
    for each in (one, one, replace(one, uid="anew"), one, replace(one, name="other", uid="o")):
        failures.note(each, ValueError("x" * 9999))

    events = log.of("fault_failed")
    assert [(event["interceptor"], event["interceptor_uid"]) for event in events] == [
        ("simulate", "simulate"),
        ("simulate", "anew"),
        ("simulate", "simulate"),
        ("other", "o"),
    ]
    assert max(len(event["error"]) for event in events) <= 500
    name, labels = "kafka_chaos_fault_failures_total", {"fault": "leader_election"}
    assert metrics.registry.get_sample_value(name, labels) == 5


def test_records_passed_over_are_counted_and_told_once() -> None:
    log, metrics = EventLog(), Metrics()
    failures = FaultFailures(log, metrics)
    fault = ProduceMessageCorruption(size_in_bytes=1)
    one = striking(fault, name="spoil")
    pipeline = Pipeline(snapshot(one), passed_over=failures.passed_over)
    client = Client()
    client.shared.pipeline = pipeline
    many = batch_of([b"x"] * 9000)
    for number in range(2):
        client.sends(produce({"cars": {0: many}}), 9, number)
    client.sends(produce({"cars": {0: batch_of([b"x"])}}), 9, 2)

    struck = [each.records_changed for each in client.recorded.injections]
    passed = 2 * 9000 + 1 - sum(each or 0 for each in struck)
    assert len(struck) == 3
    assert passed > 8000
    [event] = log.of("records_passed_over")
    assert (event["interceptor"], event["fault"]) == ("spoil", "produce_message_corruption")
    assert event["records"] == passed / 2
    name, labels = "kafka_chaos_records_passed_over_total", {"fault": "produce_message_corruption"}
    assert metrics.registry.get_sample_value(name, labels) == passed


def test_a_bug_in_one_fault_leaves_requests_of_other_apis_alone() -> None:
    client = Client(interceptor(100))
    beat = HeartbeatRequest(group_id="g")
    assert forwarded(client.sends(beat, 4)) == beat
    assert to_client(client.broker_answers(response(HeartbeatResponse(error_code=0), 4)))
