"""Rung 1: a sampled Produce is refused as a whole, as by a broker that lost its partitions."""

from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.produce import ProduceRequest
from sidecar.faults.base import FORWARD, Answer, Asked, Disconnect
from sidecar.faults.leader_election import LeaderElection, LeaderElectionRule
from sidecar.faults.registry import kind_of, rule_for
from tests.support.messages import batch, produce


def rule(rate: float = 50) -> LeaderElectionRule:
    return LeaderElectionRule(LeaderElection(rate_in_percent=rate))


def decoded(request: ProduceRequest, version: int) -> Any:
    return codec.decode_request(ApiKey.PRODUCE, version, codec.encode(request, version))


def decide(request: Any) -> Any:
    asked = Asked(ApiKey.PRODUCE, 9, request, lambda: 0.5)
    return rule().decide(asked)


def test_the_registry_carries_it_out() -> None:
    fault = LeaderElection(rate_in_percent=100)
    found = rule_for(fault)

    assert (kind_of(fault), found.rung, found.apis) == ("leader_election", 1, {ApiKey.PRODUCE})
    assert (found.share, found.memorable) == (1, True)


@pytest.mark.parametrize(("rate", "share"), [(0, 0), (0.1, 0.001), (50, 0.5), (100, 1)])
def test_the_rate_is_the_share_of_requests(rate: float, share: float) -> None:
    assert rule(rate).share == share


@pytest.mark.parametrize("version", range(13))
def test_every_partition_is_refused_with_error_6_and_nothing_known(version: int) -> None:
    request = decoded(produce({"a": {0: batch(), 3: batch()}, "b": {1: batch()}}), version)

    decision = decide(request)

    assert isinstance(decision, Answer)
    assert decision.error is ErrorCode.NOT_LEADER_OR_FOLLOWER
    body = codec.encode(decision.response, version)
    response: Any = codec.decode_response(ApiKey.PRODUCE, version, body)
    partitions = [(t.name, p) for t in response.responses for p in t.partition_responses]
    assert [(name, p.index) for name, p in partitions] == [("a", 0), ("a", 3), ("b", 1)]
    for _, partition in partitions:
        assert partition.error_code == 6
        assert partition.base_offset == -1
        assert partition.log_append_time_ms == -1
        assert partition.log_start_offset == -1
        assert not partition.record_errors
        assert partition.error_message is None
        assert partition.current_leader is None, "a hint would spare clients the refresh"
    assert not response.node_endpoints
    assert response.throttle_time_ms == 0


def test_a_request_by_topic_id_is_answered_by_topic_id() -> None:
    request = produce({"": {0: batch()}})
    request.topic_data[0].topic_id = b"an-id-of-a-topic"

    decision = decide(decoded(request, 13))

    assert isinstance(decision, Answer)
    body = codec.encode(decision.response, 13)
    response: Any = codec.decode_response(ApiKey.PRODUCE, 13, body)
    assert response.responses[0].topic_id == b"an-id-of-a-topic"


def test_without_acks_there_is_no_answer_so_the_connection_goes() -> None:
    decision = decide(decoded(produce(acks=0), 9))

    assert decision == Disconnect(ErrorCode.NOT_LEADER_OR_FOLLOWER)


@pytest.mark.parametrize("acks", [0, 1, -1])
@pytest.mark.parametrize("topics", [{}, {"a": {}}, {"a": {}, "b": {}}])
def test_a_request_without_partitions_is_forwarded(topics: Any, acks: int) -> None:
    request = decoded(produce(topics, acks=acks), 9)

    assert decide(request) is FORWARD


def test_a_topic_without_partitions_beside_one_with_is_answered_too() -> None:
    decision = decide(decoded(produce({"a": {}, "b": {0: batch()}}), 9))

    assert isinstance(decision, Answer)
    names = [(t.name, len(t.partition_responses)) for t in decision.response.responses]
    assert names == [("a", 0), ("b", 1)]
