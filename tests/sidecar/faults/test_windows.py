"""Partitions without a leader, by a draw for a time or for as long as an interceptor is there."""

from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.delete_records import DeleteRecordsRequest
from codec.messages.metadata import MetadataRequest, MetadataResponse
from sidecar.faults.base import (
    FORWARD,
    Answer,
    Answered,
    Asked,
    Await,
    Deny,
    Disconnect,
    Part,
    Refuse,
)
from sidecar.faults.leader_election import LeaderElection, LeaderElectionRule
from sidecar.faults.leaderless import Leaderless, LeaderlessRule
from sidecar.faults.lost_leadership import APIS
from sidecar.model.errors import InvalidArgument
from tests.support.messages import batch, produce

ERROR = ErrorCode.NOT_LEADER_OR_FOLLOWER
WINDOW = 5.0
BOTH = produce({"a": {0: batch(), 1: batch()}})
LOST = LeaderlessRule(Leaderless(topic="a|b.*", partitions=(1,)))


def election(rate: float = 100, draw: str = "PARTITION") -> LeaderElectionRule:
    window = round(WINDOW * 1000)
    return LeaderElectionRule(LeaderElection(rate_in_percent=rate, draw=draw, window_ms=window))


def asked(
    message: Any = BOTH, now: float = 0.0, api: ApiKey = ApiKey.PRODUCE, where: str = "v"
) -> Asked:
    return Asked(api, 9, message, lambda: 0.5, 7, now, where)


def metadata(now: float = 0.0, where: str = "v", version: int = 9) -> Answered:
    """Both partitions of a, led by 2 in epoch 4, as decoded."""
    topic = MetadataResponse.MetadataResponseTopic
    parts = [
        topic.MetadataResponsePartition(partition_index=index, leader_id=2, leader_epoch=4)
        for index in (0, 1)
    ]
    message = MetadataResponse(topics=[topic(name="a", partitions=parts)])
    body = codec.encode(message, version)
    decoded = codec.decode_response(ApiKey.METADATA, version, body)
    return Answered(ApiKey.METADATA, version, decoded, lambda: 0.5, True, now, where)


def leaders(decision: Any) -> list[tuple[int, int, int]]:
    """Error, leader and epoch of each partition as it is told."""
    assert isinstance(decision, Deny)
    body = codec.encode(decision.message, 9)
    answer: Any = codec.decode_response(ApiKey.METADATA, 9, body)
    return [(p.error_code, p.leader_id, p.leader_epoch) for p in answer.topics[0].partitions]


def test_produce_is_refused_on_these_partitions_only() -> None:
    assert LOST.decide(asked()) == Refuse(frozenset({("a", 1)}), ERROR)
    assert LOST.decide(asked(produce({"aa": {1: batch()}}))) is FORWARD
    silent = LOST.decide(asked(produce({"a": {0: batch(), 1: batch()}}, acks=0)))
    assert silent == Disconnect(ERROR, parts=[Part("a", 1)])
    assert (LOST.apis, LOST.share, LOST.rung, LOST.splits) == (APIS, 1.0, 2, ERROR)


def test_metadata_has_no_leader_and_keeps_the_epoch() -> None:
    assert LOST.decide(asked(MetadataRequest(), api=ApiKey.METADATA)) == Await(True)

    decision = LOST.answered(metadata())

    assert leaders(decision) == [(0, 2, 4), (5, -1, 4)]
    assert isinstance(decision, Deny)
    assert (decision.error, decision.parts, decision.appended) == (
        ErrorCode.LEADER_NOT_AVAILABLE,
        [Part("a", 1)],
        False,
    )


@pytest.mark.parametrize("version", [0, 2])
def test_a_deletion_is_refused_where_all_of_it_is_lost(version: int) -> None:
    topic = DeleteRecordsRequest.DeleteRecordsTopic
    part = topic.DeleteRecordsPartition

    def decide(*indexes: int) -> Any:
        parts = [part(partition_index=index) for index in indexes]
        message = DeleteRecordsRequest(topics=[topic(name="a", partitions=parts)])
        return LOST.decide(asked(message, api=ApiKey.DELETE_RECORDS))

    refused = decide(1)
    assert isinstance(refused, Answer)
    body = codec.encode(refused.response, version)
    answer: Any = codec.decode_response(ApiKey.DELETE_RECORDS, version, body)
    [told] = answer.topics[0].partitions
    assert (told.partition_index, told.low_watermark, told.error_code) == (1, -1, 6)
    assert decide(0, 1) == Await(True)


def test_a_draw_takes_the_leader_away_for_a_time_and_for_everybody() -> None:
    rule = election()
    assert rule.answered(metadata(now=99.0)) is FORWARD
    only_0 = produce({"a": {0: batch()}})

    assert rule.decide(asked(only_0, now=100.0)) == Refuse(frozenset({("a", 0)}), ERROR)

    assert leaders(rule.answered(metadata(now=104.9))) == [(5, -1, 4), (0, 2, 4)]
    assert rule.answered(metadata(now=104.9, where="another")) is FORWARD
    assert rule.answered(metadata(now=105.0)) is FORWARD, "it heals at once"


def test_nothing_is_drawn_for_what_has_no_leader() -> None:
    """Else a window would never end where much is produced."""
    rule = election(rate=50)
    ends: list[float] = []
    was_lost = False
    for number in range(2000):
        lost = isinstance(rule.decide(asked(produce({"a": {0: batch()}}), now=number / 10)), Refuse)
        if was_lost and not lost:
            ends.append(number / 10)
        was_lost = lost
    assert len(ends) > 5


def test_a_request_that_is_drawn_takes_the_leaders_of_all_its_partitions_away() -> None:
    rule = election(draw="REQUEST")

    assert rule.decide(asked()) == Refuse(frozenset({("a", 0), ("a", 1)}), ERROR)


def test_the_same_seed_and_workload_draw_the_same() -> None:
    runs = [
        [type(rule.decide(asked(now=number))).__name__ for number in range(0, 600, 3)]
        for rule in (election(rate=20), election(rate=20))
    ]

    assert runs[0] == runs[1]
    assert set(runs[0]) == {"Forward", "Refuse"}


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"window_ms": -1}, "window_ms"),
        ({"window_ms": 3_600_001}, "window_ms"),
        ({"window_ms": 1, "outcome": "APPEND_THEN_REJECT"}, "outcome"),
    ],
)
def test_a_window_that_is_none_is_refused(config: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        LeaderElection(rate_in_percent=1, **config)

    assert [violation.field for violation in caught.value.violations] == [field]


def test_partitions_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidArgument) as caught:
        Leaderless(topic="(", partitions=(0, -1))

    assert [violation.field for violation in caught.value.violations] == ["topic", "partitions"]


def schedule(**config: Any) -> LeaderlessRule:
    wanted = {"topic": "a", "partitions": (0, 1, 2), "every_ms": 10_000, "window_ms": 4000}
    return LeaderlessRule(Leaderless(**(wanted | config)))


def lost_at(rule: LeaderlessRule, now: float, seed: int = 7) -> set[int]:
    """The partitions of topic a that have no leader then."""
    message = produce({"a": {index: batch() for index in range(4)}})
    decision = rule.decide(asked(message, now=now)._replace(seed=seed))
    return {partition for _, partition in decision.parts} if decision is not FORWARD else set()


def test_a_schedule_takes_one_leader_away_again_and_again() -> None:
    rule = schedule()
    turns = [lost_at(rule, 1_000_000.0 + 10 * turn) for turn in range(60)]

    assert {len(lost) for lost in turns} == {1}
    assert set().union(*turns) == {0, 1, 2}
    for turn, lost in enumerate(turns):
        begin = 1_000_000.0 + 10 * turn
        assert lost_at(rule, begin + 3.99) == lost
        assert lost_at(rule, begin + 4.0) == lost_at(rule, begin + 9.99) == set()
    assert [lost_at(schedule(), 1_000_000.0 + 10 * turn) for turn in range(60)] == turns
    assert [lost_at(rule, 1_000_000.0 + 10 * turn, seed=8) for turn in range(60)] != turns


def test_answers_say_the_same_as_refusals() -> None:
    rule = schedule(partitions=(0, 1))
    for turn in range(20):
        now = 1_000_000.0 + 10 * turn
        decision = rule.answered(metadata(now=now)._replace(seed=7))
        assert isinstance(decision, Deny)
        assert {part.partition for part in decision.parts} == lost_at(rule, now)


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"every_ms": -1}, ["every_ms"]),
        ({"every_ms": 86_400_001, "partitions": (1,), "window_ms": 1}, ["every_ms"]),
        ({"every_ms": 100}, ["window_ms", "partitions"]),
        ({"every_ms": 100, "window_ms": 101, "partitions": (1,)}, ["window_ms"]),
        ({"window_ms": 5}, ["window_ms"]),
    ],
)
def test_a_schedule_that_is_none_is_refused(config: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Leaderless(topic="a", **config)

    assert [violation.field for violation in caught.value.violations] == fields


FOUR = produce({"a": {n: batch() for n in range(4)}, "c": {0: batch()}})


@pytest.mark.parametrize("draw", ["REQUEST", "PARTITION"])
@pytest.mark.parametrize(("at_once", "lost"), [(1, 1), (3, 3), (9, 4), (0, 4)])
def test_so_many_partitions_of_a_topic_have_no_leader_at_once(
    at_once: int, lost: int, draw: str
) -> None:
    fault = LeaderElection(
        rate_in_percent=100, draw=draw, window_ms=1000, max_partitions_at_once=at_once
    )
    rule = LeaderElectionRule(fault)
    expected = frozenset({*(("a", n) for n in range(lost)), ("c", 0)})

    assert rule.decide(asked(FOUR, 0.0)) == Refuse(expected, ERROR)
    assert rule.decide(asked(FOUR, 0.5)) == Refuse(expected, ERROR)
    # Another virtual cluster has topics of its own.
    assert rule.decide(asked(FOUR, 0.5, where="w")) == Refuse(expected, ERROR)
    # When they have leaders again, others may lose theirs.
    last = produce({"a": {3: batch()}})
    assert rule.decide(asked(last, 0.9)) == (
        Refuse(frozenset({("a", 3)}), ERROR) if lost == 4 else FORWARD
    )
    assert rule.decide(asked(last, 1.5)) == Refuse(frozenset({("a", 3)}), ERROR)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"max_partitions_at_once": 1},
            "max_partitions_at_once is 1, allowed without window_ms is 0",
        ),
        (
            {"max_partitions_at_once": -1, "window_ms": 5},
            "max_partitions_at_once is -1, allowed are 0 to 100000",
        ),
    ],
)
def test_at_once_is_about_windows(fields: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        LeaderElection(rate_in_percent=1, **fields)
