"""DeleteTopics: not by an alias, which is another name for somebody else's topic."""

from typing import Any

import pytest

from codec.messages.delete_topics import DeleteTopicsRequest, DeleteTopicsResponse
from codec.schema import ZERO_UUID
from tests.support.conversation import Conversation

OWN, TARGET, HIDDEN = b"o" * 16, b"t" * 16, b"h" * 16
ALIASES = {"shared": "elsewhere"}
IDS = {OWN: b"teamAcars", TARGET: b"elsewhere", HIDDEN: b"teamAshared"}
TEXT = "Topic authorization failed."


def deleting(version: int, *names: str) -> DeleteTopicsRequest:
    if version < 6:
        return DeleteTopicsRequest(topic_names=list(names), timeout_ms=7)
    state = DeleteTopicsRequest.DeleteTopicState
    return DeleteTopicsRequest(topics=[state(name=name) for name in names], timeout_ms=7)


def named(request: Any, version: int) -> list[Any]:
    return [t.name for t in request.topics] if version >= 6 else list(request.topic_names)


def answers(*names: str) -> DeleteTopicsResponse:
    result = DeleteTopicsResponse.DeletableTopicResult
    return DeleteTopicsResponse(responses=[result(name=name) for name in names])


def told(response: Any) -> list[Any]:
    return [(r.name, r.error_code) for r in response.responses]


@pytest.mark.parametrize("version", range(7))
def test_an_alias_is_refused_in_its_place_and_the_others_are_deleted(version: int) -> None:
    talk = Conversation(deleting(version, "a", "shared", "b"), version, aliases=ALIASES)

    assert named(talk.sent, version) == ["teamAa", "teamAb"]
    assert talk.sent.timeout_ms == 7
    found = talk.heard(answers("teamAa", "teamAb"))
    assert told(found) == [("a", 0), ("shared", 29), ("b", 0)]
    if version >= 5:
        assert [r.error_message for r in found.responses] == [None, TEXT, None]


@pytest.mark.parametrize("version", range(7))
def test_aliases_alone_are_answered_without_a_broker(version: int) -> None:
    talk = Conversation(deleting(version, "shared", "shared"), version, aliases=ALIASES)

    assert talk.sent is None
    assert told(talk.answer) == [("shared", 29), ("shared", 29)]
    if version >= 5:
        assert talk.answer.responses[0].error_message == TEXT


@pytest.mark.parametrize("version", range(7))
@pytest.mark.parametrize("aliases", [{}, {"other": "elsewhere"}])
def test_without_an_alias_of_that_name_a_topic_is_ones_own(
    version: int, aliases: dict[str, str]
) -> None:
    talk = Conversation(deleting(version, "shared"), version, aliases=aliases)

    assert named(talk.sent, version) == ["teamAshared"]
    assert told(talk.heard(answers("teamAshared"))) == [("shared", 0)]


def test_by_id_the_topic_an_alias_stands_for_is_refused_and_what_it_hides_is_nobodys() -> None:
    state = DeleteTopicsRequest.DeleteTopicState
    request = DeleteTopicsRequest(topics=[state(topic_id=i) for i in (HIDDEN, TARGET, OWN)])

    talk = Conversation(request, 6, aliases=ALIASES, ids=IDS)

    hidden, own = talk.sent.topics
    assert (own.name, own.topic_id) == (None, OWN)
    assert hidden.name is None
    assert hidden.topic_id not in (HIDDEN, TARGET, OWN, ZERO_UUID)
    result = DeleteTopicsResponse.DeletableTopicResult
    answer = DeleteTopicsResponse(
        responses=[
            result(name=None, topic_id=hidden.topic_id, error_code=100),
            result(name="teamAcars", topic_id=OWN),
        ]
    )
    found = talk.heard(answer)
    assert [(r.name, r.topic_id, r.error_code) for r in found.responses] == [
        (None, HIDDEN, 100),
        ("shared", TARGET, 29),
        ("cars", OWN, 0),
    ]


@pytest.mark.parametrize("name", [None, "cars"])
def test_by_id_an_alias_alone_is_answered_without_a_broker(name: str | None) -> None:
    state = DeleteTopicsRequest.DeleteTopicState
    request = DeleteTopicsRequest(topics=[state(name=name, topic_id=TARGET)])

    talk = Conversation(request, 6, aliases=ALIASES, ids=IDS)

    assert talk.sent is None
    [found] = talk.answer.responses
    assert (found.name, found.topic_id, found.error_code) == ("shared", TARGET, 29)
