"""A broken broker: each API gets its error, in the shape in which brokers give it."""

from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.fetch import FetchRequest
from sidecar.faults.base import FORWARD, Answer, Asked, Disconnect
from sidecar.faults.broken_broker import ALLOWED, BrokenBroker, BrokenBrokerRule
from sidecar.model.errors import InvalidArgument
from tests.support.messages import batch, produce

TOPIC = FetchRequest.FetchTopic
WANTED = [TOPIC(topic="a", partitions=[TOPIC.FetchPartition(partition=n) for n in (0, 3)])]


def decide(api: ApiKey, message: Any, version: int, **config: Any) -> Any:
    request = codec.decode_request(api, version, codec.encode(message, version))
    rule = BrokenBrokerRule(BrokenBroker(rate_in_percent=100, **config))
    return rule.decide(Asked(api, version, request, lambda: 0.5))


@pytest.mark.parametrize("error", ALLOWED["PRODUCE"])
@pytest.mark.parametrize("version", [3, 8, 9, 12])
def test_every_partition_of_a_produce_gets_the_error(version: int, error: str) -> None:
    message = produce({"a": {0: batch(), 3: batch()}})
    decision = decide(ApiKey.PRODUCE, message, version, error_map={"PRODUCE": error})

    assert isinstance(decision, Answer)
    body = codec.encode(decision.response, version)
    answer: Any = codec.decode_response(ApiKey.PRODUCE, version, body)
    codes = [(p.index, p.error_code) for t in answer.responses for p in t.partition_responses]
    assert codes == [(0, ErrorCode[error]), (3, ErrorCode[error])]


@pytest.mark.parametrize("error", [e for e in ALLOWED["FETCH"] if "SESSION" not in e])
@pytest.mark.parametrize("version", [4, 7, 12])
def test_every_partition_of_a_fetch_gets_the_error(version: int, error: str) -> None:
    decision = decide(
        ApiKey.FETCH, FetchRequest(topics=WANTED), version, error_map={"FETCH": error}
    )

    assert isinstance(decision, Answer)
    body = codec.encode(decision.response, version)
    answer: Any = codec.decode_response(ApiKey.FETCH, version, body)
    codes = [(p.partition_index, p.error_code) for t in answer.responses for p in t.partitions]
    assert codes == [(0, ErrorCode[error]), (3, ErrorCode[error])]
    assert (answer.error_code, answer.session_id) == (0, 0)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (FetchRequest(session_id=5, session_epoch=2), "UNKNOWN_SERVER_ERROR"),
        (FetchRequest(topics=WANTED), "FETCH_SESSION_TOPIC_ID_ERROR"),
    ],
    ids=["it goes on with a session", "the error is of sessions"],
)
def test_some_fetches_get_the_error_as_a_whole(message: FetchRequest, error: str) -> None:
    decision = decide(ApiKey.FETCH, message, 12, error_map={"FETCH": error})

    assert isinstance(decision, Answer)
    assert (decision.response.error_code, decision.response.responses) == (ErrorCode[error], [])


def test_the_defaults_are_those_of_the_reference() -> None:
    assert decide(ApiKey.PRODUCE, produce(), 9).error is ErrorCode.CORRUPT_MESSAGE
    fetched = decide(ApiKey.FETCH, FetchRequest(topics=WANTED), 12)
    assert fetched.error is ErrorCode.UNKNOWN_SERVER_ERROR


def test_without_an_answer_the_connection_closes_and_without_partitions_nothing_happens() -> None:
    assert decide(ApiKey.PRODUCE, produce(acks=0), 9) == Disconnect(ErrorCode.CORRUPT_MESSAGE)
    assert decide(ApiKey.PRODUCE, produce({}), 9) is FORWARD
    assert decide(ApiKey.FETCH, FetchRequest(), 12) is FORWARD


def test_an_api_that_is_not_named_is_not_drawn_for() -> None:
    only = BrokenBroker(rate_in_percent=1, error_map={"FETCH": "CORRUPT_MESSAGE"})
    nothing = BrokenBroker(rate_in_percent=0)

    assert BrokenBrokerRule(only).apis == {ApiKey.FETCH}
    assert BrokenBrokerRule(nothing).apis == frozenset()


def test_whatever_is_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidArgument) as caught:
        BrokenBroker(
            rate_in_percent=101,
            error_map={"PRODUCE": "NOT_LEADER", "METADATA": "NONE"},
            seed=-1,
        )

    fields = [violation.field for violation in caught.value.violations]
    assert fields == ["rate_in_percent", "error_map", "error_map", "seed"]
    assert "allowed are CORRUPT_MESSAGE, " in str(caught.value)
    assert "allowed are PRODUCE, FETCH" in str(caught.value)
