"""Configurations: topics and groups are mapped, everything else is the physical cluster's."""

from typing import Any

import pytest

from codec.api_keys import ApiKey as K
from codec.messages.list_config_resources import (
    ListConfigResourcesRequest,
    ListConfigResourcesResponse,
)
from codec.registry import SUPPORTED
from codec.schema import Struct
from tests.support.conversation import Conversation

ARRAYS = {
    K.DESCRIBE_CONFIGS: "results",
    K.ALTER_CONFIGS: "responses",
    K.INCREMENTAL_ALTER_CONFIGS: "responses",
}
VERSIONS = [
    (key, version)
    for key in ARRAYS
    for version in range(SUPPORTED[key].min_version, SUPPORTED[key].max_version + 1)
]
TEXT = "Cluster authorization failed."


def element(kind: type[Struct], array: str) -> Any:
    [field] = [field for field in kind.FIELDS if field.name == array]
    return field.element


def asked(key: K, *resources: tuple[int, str]) -> Any:
    """A request about resources of these types and names."""
    kind = SUPPORTED[key].request
    item = element(kind, "resources")
    return kind(resources=[item(resource_type=t, resource_name=name) for t, name in resources])


def answers(key: K, sent: Any, error_code: int = 0) -> Any:
    """What a broker says about the resources it was asked for."""
    kind = SUPPORTED[key].response
    item = element(kind, ARRAYS[key])
    found = [
        item(
            resource_type=r.resource_type,
            resource_name=r.resource_name,
            error_code=error_code,
            error_message=f"on {r.resource_name}",
        )
        for r in sent.resources
    ]
    return kind(**{ARRAYS[key]: found})


def told(key: K, response: Any) -> list[Any]:
    found = getattr(response, ARRAYS[key])
    return [(r.resource_type, r.resource_name, r.error_code, r.error_message) for r in found]


def resources(request: Any) -> list[Any]:
    return [(r.resource_type, r.resource_name) for r in request.resources]


@pytest.mark.parametrize(("key", "version"), VERSIONS)
def test_topics_and_groups_are_mapped_and_the_rest_denied_in_order(key: K, version: int) -> None:
    request = asked(
        key, (4, "1"), (2, "cars"), (8, "1"), (16, "m"), (32, "group"), (0, "x"), (2, "b")
    )

    talk = Conversation(request, version)
    found = talk.heard(answers(key, talk.sent, error_code=7))

    assert resources(talk.sent) == [(2, "teamAcars"), (32, "teamAgroup"), (2, "teamAb")]
    assert told(key, found) == [
        (4, "1", 31, TEXT),
        (2, "cars", 7, "on cars"),
        (8, "1", 31, TEXT),
        (16, "m", 31, TEXT),
        (32, "group", 7, "on group"),
        (0, "x", 31, TEXT),
        (2, "b", 7, "on b"),
    ]


@pytest.mark.parametrize(("key", "version"), VERSIONS)
def test_nothing_left_is_answered_without_the_broker(key: K, version: int) -> None:
    talk = Conversation(asked(key, (4, "1"), (4, "")), version)

    assert talk.sent is None
    assert told(key, talk.answer) == [(4, "1", 31, TEXT), (4, "", 31, TEXT)]


@pytest.mark.parametrize(("key", "version"), VERSIONS)
def test_an_empty_request_is_the_brokers_to_answer(key: K, version: int) -> None:
    talk = Conversation(asked(key), version)

    assert resources(talk.sent) == []
    assert told(key, talk.heard(answers(key, talk.sent))) == []


@pytest.mark.parametrize(("key", "version"), VERSIONS)
def test_the_broker_says_what_is_wrong_with_an_empty_name(key: K, version: int) -> None:
    talk = Conversation(asked(key, (2, ""), (32, "")), version)

    assert resources(talk.sent) == [(2, ""), (32, "")]
    found = talk.heard(answers(key, talk.sent, error_code=42))
    assert told(key, found) == [(2, "", 42, "on "), (32, "", 42, "on ")]


@pytest.mark.parametrize(("key", "version"), VERSIONS)
def test_an_alias_is_configured_as_the_topic_it_stands_for(key: K, version: int) -> None:
    talk = Conversation(asked(key, (2, "shared"), (32, "shared")), version, aliases={"shared": "x"})

    assert resources(talk.sent) == [(2, "x"), (32, "teamAshared")]
    found = talk.heard(answers(key, talk.sent))
    assert [name for _, name, _, _ in told(key, found)] == ["shared", "shared"]


@pytest.mark.parametrize(("key", "version"), VERSIONS)
def test_a_resource_nobody_asked_for_is_not_shown(key: K, version: int) -> None:
    talk = Conversation(asked(key, (4, "1"), (2, "cars")), version)
    foreign = asked(key, (2, "teamBcars"), (32, "teamBg"), (4, "1"), (2, "teamAcars"))

    found = talk.heard(answers(key, foreign))

    assert told(key, found) == [(4, "1", 31, TEXT), (2, "cars", 0, "on cars")]


def listing(*resources: tuple[int, str]) -> ListConfigResourcesResponse:
    item = ListConfigResourcesResponse.ConfigResource
    found = [item(resource_type=t, resource_name=name) for t, name in resources]
    return ListConfigResourcesResponse(config_resources=found)


def test_listed_are_own_topics_and_groups() -> None:
    talk = Conversation(ListConfigResourcesRequest(resource_types=[2, 4, 16, 32]), 1)

    found = talk.heard(
        listing(
            (16, "teamAmetrics"),
            (2, "teamAcars"),
            (2, "teamBcars"),
            (2, "cars"),
            (32, "teamAgroup"),
            (32, "teamBgroup"),
            (32, "teamA"),
            (4, "1"),
            (8, "1"),
            (99, "teamAnew"),
        )
    )

    assert list(talk.sent.resource_types) == [2, 4, 16, 32]
    assert [(r.resource_type, r.resource_name) for r in found.config_resources] == [
        (2, "cars"),
        (32, "group"),
    ]


def test_client_metrics_are_never_listed() -> None:
    talk = Conversation(ListConfigResourcesRequest(), 0)

    found = talk.heard(listing((16, "teamAmetrics"), (16, "metrics")))

    assert list(found.config_resources) == []


def test_an_alias_is_listed_under_its_own_name_and_hides_a_topic_of_that_name() -> None:
    talk = Conversation(ListConfigResourcesRequest(), 1, aliases={"shared": "x"})

    found = talk.heard(listing((2, "x"), (2, "teamAshared"), (32, "x"), (32, "teamAshared")))

    assert [(r.resource_type, r.resource_name) for r in found.config_resources] == [
        (2, "shared"),
        (32, "shared"),
    ]
