"""Broker after broker loses all its partitions, and nobody else's."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.fetch import FetchRequest, FetchResponse
from sidecar.faults.base import FORWARD, Answered, Asked, Await, Connection, Deny, Part, Refuse
from sidecar.faults.lost_leadership import APIS
from sidecar.faults.rolling_restart import RollingRestart, RollingRestartRule
from sidecar.model.errors import InvalidArgument
from tests.sidecar.faults.test_windows import leaders, metadata
from tests.support.messages import batch, produce

BEGIN = 3000.0
"""A multiple of the whole round: the first broker's turn begins."""
RULE = RollingRestartRule(RollingRestart(brokers=(2, 3, 1), every_ms=1000, down_ms=400))
BOTH = produce({"a": {0: batch(), 1: batch()}})
ERROR = ErrorCode.NOT_LEADER_OR_FOLLOWER


def asked(now: float, broker: int, api: ApiKey = ApiKey.PRODUCE, message: Any = BOTH) -> Asked:
    return Asked(
        api, 9, message, lambda: 0.5, now=now, connection=Connection(None, broker_id=broker)
    )


def test_the_brokers_have_their_turns_in_order() -> None:
    struck = [
        [broker for broker in (1, 2, 3) if RULE.decide(asked(now, broker)) is not FORWARD]
        for now in (BEGIN, BEGIN + 0.39, BEGIN + 0.41, BEGIN + 1, BEGIN + 2.2, BEGIN + 3)
    ]

    assert struck == [[2], [2], [], [3], [1], [2]]
    assert RULE.decide(asked(BEGIN, 2)) == Refuse(frozenset({("a", 0), ("a", 1)}), ERROR)
    assert (RULE.apis, RULE.rung, RULE.share) == (APIS, 2, 1.0)


def test_metadata_of_any_broker_says_which_partitions_have_no_leader() -> None:
    assert RULE.decide(asked(BEGIN, 1, ApiKey.METADATA)) == Await(2)

    assert leaders(RULE.answered(metadata(now=BEGIN))) == [(5, -1, 4), (5, -1, 4)]
    assert RULE.answered(metadata(now=BEGIN + 1)) is FORWARD, "broker 3 leads none of them"
    assert RULE.answered(metadata(now=BEGIN + 0.5)) is FORWARD


def test_a_read_is_struck_if_its_broker_is_down_when_it_is_answered() -> None:
    topic = FetchResponse.FetchableTopicResponse
    part = topic.PartitionData(partition_index=1, records=b"records")
    response = FetchResponse(responses=[topic(topic="a", partitions=[part])])
    assert RULE.decide(asked(BEGIN, 2, ApiKey.FETCH, FetchRequest())) == Await([])

    def answered(now: float) -> Answered:
        here = Connection(broker_id=2)
        return Answered(ApiKey.FETCH, 9, response, lambda: 0.5, [], now, connection=here)

    decision = RULE.answered(answered(BEGIN + 0.1))
    assert isinstance(decision, Deny)
    assert (decision.error, decision.parts) == (ERROR, [Part("a", 1)])
    assert RULE.answered(answered(BEGIN + 0.5)) is FORWARD
    assert RULE.answered(answered(BEGIN + 1.1)) is FORWARD, "it is another's turn"


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"brokers": ()}, ["brokers"]),
        ({"brokers": (1, -1)}, ["brokers"]),
        ({"brokers": (1,), "every_ms": 0}, ["every_ms", "down_ms"]),
        ({"brokers": (1,), "every_ms": 10, "down_ms": 11}, ["down_ms"]),
    ],
)
def test_whatever_is_wrong_is_named(config: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        RollingRestart(**config)

    assert [violation.field for violation in caught.value.violations] == fields
