"""What is drawn, and what becomes of it."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.produce import ProduceResponse
from sidecar.faults.base import (
    FORWARD,
    Answer,
    Answered,
    Asked,
    Await,
    Deny,
    Disconnect,
    Part,
    Place,
    Refuse,
)
from sidecar.faults.draws import draw
from sidecar.faults.leader_election import LeaderElection, LeaderElectionRule
from sidecar.model.errors import InvalidArgument
from tests.support.messages import batch, produce

ERROR = ErrorCode.NOT_LEADER_OR_FOLLOWER
REQUEST = produce({"a": {0: batch(), 1: batch()}, "b": {0: batch()}})
PLACES = frozenset({("a", 0), ("a", 1), ("b", 0)})
SEED = 11


def rule(**config: Any) -> LeaderElectionRule:
    return LeaderElectionRule(LeaderElection(**{"rate_in_percent": 100, **config}))


def asked(request: Any = REQUEST, seed: int = SEED) -> Asked:
    return Asked(ApiKey.PRODUCE, 9, request, lambda: 0.5, seed)


def answered(kept: Any, **codes: int) -> Answered:
    """About a0, a1 and b0, each with an error code or 0."""
    topic = ProduceResponse.TopicProduceResponse
    part = topic.PartitionProduceResponse
    response = ProduceResponse(
        responses=[
            topic(
                name=name,
                partition_responses=[
                    part(index=index, error_code=codes.get(f"{name}{index}", 0), base_offset=7)
                    for index in indexes
                ],
            )
            for name, indexes in (("a", (0, 1)), ("b", (0,)))
        ]
    )
    return Answered(ApiKey.PRODUCE, 9, response, lambda: 0.5, kept)


def chosen(found: LeaderElectionRule, request: Any = REQUEST, seed: int = SEED) -> frozenset[Place]:
    decision = found.decide(asked(request, seed))
    if decision is FORWARD:
        return frozenset()
    assert isinstance(decision, Refuse)
    assert decision.error is ERROR
    return frozenset(decision.parts)


def test_a_drawn_request_is_refused_as_a_whole() -> None:
    assert isinstance(rule().decide(asked()), Answer)
    assert (rule(rate_in_percent=30).share, rule().memorable, rule().splits) == (0.3, True, None)


def test_each_partition_is_drawn_for() -> None:
    found = rule(draw="PARTITION", rate_in_percent=50)
    assert (found.share, found.memorable, found.splits) == (1.0, False, ERROR)

    seen = [chosen(found) for _ in range(400)]

    for place in PLACES:
        assert sum(place in each for each in seen) == pytest.approx(200, abs=40)
    assert len(set(seen)) == 8, "each for itself"


def test_the_draws_of_a_partition_depend_on_nothing_but_how_many_there_were() -> None:
    together, alone = (rule(draw="PARTITION", rate_in_percent=50) for _ in range(2))
    of_a1 = produce({"a": {1: batch()}})

    expected = [("a", 1) in chosen(together) for _ in range(50)]

    assert [bool(chosen(alone, of_a1)) for _ in range(50)] == expected
    other = rule(draw="PARTITION", rate_in_percent=50)
    assert [bool(chosen(other, of_a1, SEED + 1)) for _ in range(50)] != expected


def test_at_the_ends_of_the_rate_all_or_none_are_chosen() -> None:
    assert chosen(rule(draw="PARTITION")) == PLACES
    none = rule(draw="PARTITION", rate_in_percent=0)
    assert (none.apis, none.share) == (frozenset(), 0)
    assert draw(0, 0) < 1


@pytest.mark.parametrize("what", ["REQUEST", "PARTITION"])
@pytest.mark.parametrize("outcome", ["APPEND_THEN_REJECT", "APPEND_THEN_DISCONNECT"])
def test_what_is_appended_first_is_decided_about_when_it_is(outcome: str, what: str) -> None:
    found = rule(draw=what, outcome=outcome)

    assert found.decide(asked()) == Await(PLACES)
    assert not found.memorable


def test_appended_then_rejected_the_answer_says_error_6_of_what_went_well() -> None:
    found = rule(outcome="APPEND_THEN_REJECT")

    decision = found.answered(answered(frozenset({("a", 0), ("a", 1)}), a1=19))

    assert isinstance(decision, Deny)
    assert decision.parts == [Part("a", 0)]
    told = [
        (p.error_code, p.base_offset)
        for t in decision.message.responses
        for p in t.partition_responses
    ]
    assert told == [(6, -1), (19, 7), (0, 7)]


def test_appended_then_disconnected_there_is_no_answer() -> None:
    found = rule(outcome="APPEND_THEN_DISCONNECT")

    decision = found.answered(answered(PLACES, b0=1))

    assert decision == Disconnect(ERROR, True, [Part("a", 0), Part("a", 1)])


@pytest.mark.parametrize("outcome", ["APPEND_THEN_REJECT", "APPEND_THEN_DISCONNECT"])
def test_where_nothing_was_appended_the_brokers_answer_stays(outcome: str) -> None:
    found = rule(outcome=outcome)

    assert found.answered(answered(PLACES, a0=19, a1=19, b0=19)) is FORWARD


@pytest.mark.parametrize("what", ["REQUEST", "PARTITION"])
@pytest.mark.parametrize(
    ("outcome", "appended"),
    [("REJECT", False), ("APPEND_THEN_REJECT", True), ("APPEND_THEN_DISCONNECT", True)],
)
def test_without_an_answer_the_connection_closes(outcome: str, appended: bool, what: str) -> None:
    silent = produce({"a": {0: batch()}}, acks=0)

    decision = rule(draw=what, outcome=outcome).decide(asked(silent))

    assert isinstance(decision, Disconnect)
    assert (decision.error, decision.appended) == (ERROR, appended)


def test_words_that_are_none_are_named() -> None:
    with pytest.raises(InvalidArgument) as caught:
        LeaderElection(rate_in_percent=1, draw="TOPIC", outcome="LOSE")

    assert [violation.field for violation in caught.value.violations] == ["draw", "outcome"]
    assert "allowed are REQUEST, PARTITION" in str(caught.value)
