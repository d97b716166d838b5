"""While a coordinator moves, every API about it says so, in the shape of its version."""

from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.registry import request_class, response_class
from sidecar.faults.base import FORWARD, Answer, Answered, Asked, Await, Deny
from sidecar.faults.coordinator_move import CoordinatorMove, CoordinatorMoveRule
from sidecar.faults.coordinators import GROUP_APIS, TRANSACTION_APIS
from sidecar.model.errors import InvalidArgument
from tests.support.filled import filled

SEVERAL = {ApiKey.FIND_COORDINATOR, ApiKey.OFFSET_FETCH}
UNAVAILABLE, LOADING = ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS


def rule(key_type: str = "GROUP", key: str = "team-.*") -> CoordinatorMoveRule:
    config = CoordinatorMove(
        coordinator_key=key, key_type=key_type, unavailable_ms=1000, loading_ms=2000
    )
    return CoordinatorMoveRule(config)


def asked(api: ApiKey, version: int, message: Any, now: float = 0.0, where: str = "v") -> Asked:
    request = codec.decode_request(api, version, codec.encode(message, version))
    return Asked(api, version, request, lambda: 0.5, 0, now, where)


def about(api: ApiKey, version: int, key: str) -> Any:
    """A request about this group or transactional id, with something in every other field."""
    message: Any = filled(request_class(api), version, [""], lambda node: ("h", node))
    for name in ("group_id", "transactional_id", "v3_and_below_transactional_id", "key"):
        if hasattr(message, name):
            setattr(message, name, key)
    if api is ApiKey.FIND_COORDINATOR:
        message.coordinator_keys, message.key_type = [key], 0
    for group in getattr(message, "groups", None) or ():
        group.group_id = key
    for topic in getattr(message, "v3_and_below_topics", None) or ():
        topic.partitions = [0, 1]
    return message


def versions(api: ApiKey) -> list[int]:
    """All there are."""
    return list(request_class(api).VERSIONS)


def codes(message: Any) -> set[int]:
    """Every error code in a decoded message."""
    found: set[int] = set()
    for field in type(message).FIELDS if hasattr(type(message), "FIELDS") else ():
        value = getattr(message, field.name)
        if field.name.endswith("error_code"):
            found.add(value)
        for each in value if isinstance(value, list | tuple) else ():
            found |= codes(each) if hasattr(type(each), "FIELDS") else set()
    return found


CASES = [
    (key_type, api, version)
    for key_type, apis in (("GROUP", GROUP_APIS), ("TRANSACTION", TRANSACTION_APIS))
    for api in sorted(apis - SEVERAL)
    for version in versions(api)
    if not (api is ApiKey.ADD_PARTITIONS_TO_TXN and version >= 4)
]


@pytest.mark.parametrize(("key_type", "api", "version"), CASES)
def test_what_is_about_one_is_refused(key_type: str, api: ApiKey, version: int) -> None:
    moving = rule(key_type)

    for now, error in ((0.0, UNAVAILABLE), (0.99, UNAVAILABLE), (1.0, LOADING), (2.9, LOADING)):
        decision = moving.decide(asked(api, version, about(api, version, "team-a"), now))
        assert isinstance(decision, Answer)
        assert (decision.error, decision.key) == (error, "team-a")
        body = codec.encode(decision.response, version)
        answer = codec.decode_response(api, version, body)
        assert codes(answer) <= {error, 0}
        assert error in codes(answer)
    assert moving.decide(asked(api, version, about(api, version, "team-a"), 3.0)) is FORWARD
    other = about(api, version, "another")
    assert rule(key_type).decide(asked(api, version, other)) is FORWARD


@pytest.mark.parametrize("version", versions(ApiKey.FIND_COORDINATOR))
def test_who_asks_for_the_coordinator_hears_that_there_is_none_yet(version: int) -> None:
    moving, api = rule(), ApiKey.FIND_COORDINATOR
    question = about(api, version, "team-a")

    decision = moving.decide(asked(api, version, question))
    assert isinstance(decision, Await)
    message: Any = response_class(api)(node_id=2, host="h", port=9)
    if version >= 4:
        coordinator = type(message).Coordinator
        message.coordinators = [
            coordinator(key=key, node_id=2, host="h", port=9) for key in ("team-a", "another")
        ]
    response = codec.decode_response(api, version, codec.encode(message, version))
    told = moving.answered(Answered(api, version, response, lambda: 0.5, decision.kept))

    assert isinstance(told, Deny)
    assert (told.error, told.key) == (ErrorCode.COORDINATOR_NOT_AVAILABLE, "team-a")
    answer: Any = codec.decode_response(api, version, codec.encode(told.message, version))
    places = (
        [(c.error_code, c.node_id, c.host) for c in answer.coordinators]
        if version >= 4
        else [(answer.error_code, answer.node_id, answer.host)]
    )
    assert places == [(15, -1, ""), (0, 2, "h")][: len(places)]
    assert moving.decide(asked(api, version, question, 1.0)) is FORWARD
    if version > 0:
        question.key_type = 1
        assert rule().decide(asked(api, version, question)) is FORWARD


@pytest.mark.parametrize("version", versions(ApiKey.OFFSET_FETCH))
def test_offsets_of_a_group_that_moves_are_not_told(version: int) -> None:
    moving, api = rule(), ApiKey.OFFSET_FETCH
    decision = moving.decide(asked(api, version, about(api, version, "team-a")))
    assert isinstance(decision, Await)
    message: Any = filled(response_class(api), version, [""], lambda node: ("h", node))
    for group in message.groups or () if version >= 8 else ():
        group.group_id = "team-a"
    response = codec.decode_response(api, version, codec.encode(message, version))

    told = moving.answered(Answered(api, version, response, lambda: 0.5, decision.kept))

    assert isinstance(told, Deny)
    answer = codec.decode_response(api, version, codec.encode(told.message, version))
    assert codes(answer) - {0} == {UNAVAILABLE}


def test_each_moves_once_and_for_itself() -> None:
    moving, api = rule(), ApiKey.HEARTBEAT

    def struck(key: str, now: float, where: str = "v") -> bool:
        decision = moving.decide(asked(api, 4, about(api, 4, key), now, where))
        return decision is not FORWARD

    assert struck("team-a", 0.0)
    assert not struck("team-a", 5.0)
    assert struck("team-b", 5.0)
    assert struck("team-a", 6.0, where="another")
    assert not struck("team-a", 7.0)


def test_whatever_is_wrong_is_named() -> None:
    with pytest.raises(InvalidArgument) as caught:
        CoordinatorMove(coordinator_key="(", key_type="SHARE", unavailable_ms=-1, loading_ms=-1)

    fields = [violation.field for violation in caught.value.violations]
    assert fields == ["coordinator_key", "key_type", "unavailable_ms", "loading_ms"]
