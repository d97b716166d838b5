"""What must hold for every answer: no name that closes the connection, no pattern told as sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from codec.api_keys import ApiKey
from codec.messages.consumer_group_heartbeat import (
    ConsumerGroupHeartbeatRequest,
    ConsumerGroupHeartbeatResponse,
)
from codec.registry import SUPPORTED
from codec.schema import Kind, Role, Struct
from sidecar.dataplane.tenancy.edits import EDITS
from sidecar.dataplane.tenancy.policy import DENIED, HIDDEN, INTERNAL
from tests.support.conversation import Conversation

NAMES = {Role.TOPIC, Role.GROUP, Role.TRANSACTIONAL_ID}


def outside_arrays(kind: type[Struct], version: int, in_array: bool = False) -> Iterator[str]:
    """The fields with names that no array element holds: hooks cannot drop those."""
    for field in kind.FIELDS:
        if version not in field.versions:
            continue
        if field.role in NAMES and not in_array and field.kind is not Kind.ARRAY:
            yield field.name
        if isinstance(field.element, type) and issubclass(field.element, Struct):
            yield from outside_arrays(field.element, version, field.kind is Kind.ARRAY)


def test_names_that_cannot_be_left_out_of_a_response_are_edited_first() -> None:
    found = {
        (key, name)
        for key, api in SUPPORTED.items()
        if key not in INTERNAL | HIDDEN | DENIED
        for version in range(api.min_version, api.max_version + 1)
        for name in outside_arrays(api.response, version)
    }
    assert found == {(ApiKey.DESCRIBE_TOPIC_PARTITIONS, "topic_name")}
    assert EDITS[ApiKey.DESCRIBE_TOPIC_PARTITIONS].response is not None


@pytest.mark.parametrize("prefix", ["teamA", "team.A"])
@pytest.mark.parametrize("pattern", ["a)(b", "[", "\\", "*", "(?=a)"])
def test_a_pattern_that_is_not_understood_is_quoted_as_it_was_given(
    pattern: str, prefix: str
) -> None:
    text = "SubscribedTopicRegex `{}` is not a valid regular expression: missing closing )."
    request = ConsumerGroupHeartbeatRequest(group_id="group", subscribed_topic_regex=pattern)
    talk = Conversation(request, 1, prefix=prefix)
    sent = talk.sent.subscribed_topic_regex

    found = talk.heard(
        ConsumerGroupHeartbeatResponse(error_code=128, error_message=text.format(sent))
    )

    assert sent.startswith(prefix.replace(".", "\\.") + "(?:")
    assert found.error_message == text.format(pattern)
