"""A virtual cluster's names: prefixed on the way in, stripped on the way out, others' left out.

Every API and version a tenant is offered is tried with every field that the codec's tables give a
role; the messages whose names depend on another field have stories of their own below.
"""

from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.messages.consumer_group_heartbeat import (
    ConsumerGroupHeartbeatRequest,
    ConsumerGroupHeartbeatResponse,
)
from codec.messages.describe_share_group_offsets import DescribeShareGroupOffsetsRequest
from codec.messages.find_coordinator import FindCoordinatorRequest, FindCoordinatorResponse
from codec.messages.list_groups import ListGroupsRequest
from codec.messages.list_transactions import ListTransactionsRequest
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.messages.offset_fetch import OffsetFetchRequest
from codec.registry import SUPPORTED
from codec.schema import Role
from sidecar.dataplane.tenancy import Mapped
from tests.support.filled import filled, has_role
from tests.support.mapping import MAPPED, kafka, sidecar, tenancy

EVERYTHING = [
    (key, version)
    for key, api in SUPPORTED.items()
    for version in range(api.min_version, api.max_version + 1)
]
OFFSETS_OF = OffsetFetchRequest.OffsetFetchRequestGroup
SHARES_OF = DescribeShareGroupOffsetsRequest.DescribeShareGroupOffsetsRequestGroup


def mapped_request(key: int, version: int, message: Any) -> tuple[Any, Any]:
    """The request as it goes to the broker, and the context."""
    chunks, context = tenancy().map_request(key, version, codec.encode(message, version))
    return codec.decode_request(key, version, b"".join(chunks)), context


def mapped_response(key: int, version: int, message: Any, context: Any) -> Any:
    """The response as the client reads it."""
    chunks = tenancy().map_response(key, version, codec.encode(message, version), context)
    return codec.decode_response(key, version, b"".join(chunks))


# Every API, by the roles in the codec's tables


@pytest.mark.parametrize(("key", "version"), MAPPED)
def test_every_name_in_a_request_gets_the_prefix(key: ApiKey, version: int) -> None:
    kind = SUPPORTED[key].request

    found, context = mapped_request(key, version, filled(kind, version, [""], kafka))

    assert found == codec.decode_request(
        key, version, codec.encode(filled(kind, version, ["teamA"], kafka), version)
    )
    assert context is not None


@pytest.mark.parametrize(("key", "version"), MAPPED)
def test_a_response_shows_own_names_own_words_and_the_sidecars_addresses(
    key: ApiKey, version: int
) -> None:
    api = SUPPORTED[key]
    asked = filled(api.request, version, [""], kafka)
    _, context = mapped_request(key, version, asked)
    text = "no name in here"
    if has_role(api.request, version, Role.TOPIC):
        text = "topic {}cars is bad, {}cars-0 too"
    answer = filled(api.response, version, ["teamA", "teamB"], kafka, text.format("teamA", "teamA"))

    found = mapped_response(key, version, answer, context)

    wanted = filled(api.response, version, [""], sidecar, text.format("", ""))
    assert found == codec.decode_response(key, version, codec.encode(wanted, version))


@pytest.mark.parametrize(("key", "version"), EVERYTHING)
def test_no_broker_address_leaves_in_any_version_of_any_api(key: ApiKey, version: int) -> None:
    """Not without a prefix either: a client would go on past the sidecar."""
    api = SUPPORTED[key]
    mapping = tenancy("")
    body = codec.encode(filled(api.request, version, [""], kafka), version)
    answer = codec.encode(filled(api.response, version, [""], kafka), version)

    chunks, context = mapping.map_request(key, version, body)

    assert b"".join(chunks) == body
    assert (context is not None) is has_role(api.response, version, Role.BROKER)
    if context is not None:
        told = b"".join(mapping.map_response(key, version, answer, context))
        wanted = filled(api.response, version, [""], sidecar)
        assert told == codec.encode(wanted, version)


def test_passthrough_names_of_others_are_left_in_place() -> None:
    mapping = tenancy("")
    answer = filled(MetadataResponse, 9, ["teamA", "teamB", ""], kafka)
    _, context = mapping.map_request(ApiKey.METADATA, 9, b"")

    body = b"".join(mapping.map_response(ApiKey.METADATA, 9, codec.encode(answer, 9), context))

    found: Any = codec.decode_response(ApiKey.METADATA, 9, body)
    assert [topic.name for topic in found.topics] == ["teamAcars", "teamBcars", "cars"]


WITH_TOPICS = [
    (key, version)
    for key, version in MAPPED
    if has_role(SUPPORTED[key].request, version, Role.TOPIC)
]


@pytest.mark.parametrize(("key", "version"), WITH_TOPICS)
def test_a_request_that_ends_inside_a_name_is_an_error_and_never_passes(
    key: ApiKey, version: int
) -> None:
    body = codec.encode(filled(SUPPORTED[key].request, version, [""], kafka), version)

    with pytest.raises(codec.CodecError):
        tenancy().map_request(key, version, body[: body.index(b"cars") + 2])


# Metadata


def names(topics: Any) -> list[Any]:
    return [topic.name for topic in topics]


@pytest.mark.parametrize("version", range(14))
def test_a_request_for_all_topics_stays_one_and_shows_the_own_ones(version: int) -> None:
    every = MetadataRequest(topics=None if version else [])

    sent, context = mapped_request(ApiKey.METADATA, version, every)
    answer = filled(MetadataResponse, version, ["teamB", "teamA", "tea", "__x"], kafka)
    found = mapped_response(ApiKey.METADATA, version, answer, context)

    assert sent.topics is None if version else len(sent.topics) == 0
    assert names(found.topics) == ["cars"]
    assert [(b.node_id, b.host, b.port) for b in found.brokers] == [
        (1, "sidecar", 6969),
        (2, "sidecar", 6970),
    ]


# FindCoordinator


@pytest.mark.parametrize("version", range(4))
@pytest.mark.parametrize("key_type", [0, 1])
def test_find_coordinator_of_one_key(version: int, key_type: int) -> None:
    request = FindCoordinatorRequest(key="billing", key_type=key_type)
    sent, context = mapped_request(ApiKey.FIND_COORDINATOR, version, request)
    answer = FindCoordinatorResponse(node_id=3, host="kafka3", port=9092)
    if version:
        answer.error_message = "coordinator of teamAbilling"

    found = mapped_response(ApiKey.FIND_COORDINATOR, version, answer, context)

    assert sent.key == "teamAbilling"
    assert (found.node_id, found.host, found.port) == (3, "sidecar", 6971)
    if version:
        assert found.error_message == "coordinator of billing"


@pytest.mark.parametrize("version", [4, 5, 6])
def test_find_coordinator_of_several_keys(version: int) -> None:
    request = FindCoordinatorRequest(coordinator_keys=["a", "teamA"])
    sent, context = mapped_request(ApiKey.FIND_COORDINATOR, version, request)
    place = FindCoordinatorResponse.Coordinator
    answer = FindCoordinatorResponse(
        coordinators=[
            place(key="teamAa", node_id=1, host="kafka1", port=9092),
            place(key="teamAteamA", node_id=-1, host="", port=-1, error_message="no teamAteamA"),
        ]
    )

    found = mapped_response(ApiKey.FIND_COORDINATOR, version, answer, context)

    assert list(sent.coordinator_keys) == ["teamAa", "teamAteamA"]
    assert [(c.key, c.node_id, c.host, c.port, c.error_message) for c in found.coordinators] == [
        ("a", 1, "sidecar", 6969, ""),
        ("teamA", -1, "", -1, "no teamA"),
    ]


def test_a_share_key_begins_with_a_group_and_its_topic_id_tells_nothing() -> None:
    key = "group:with:colons:ZmZmZmZmZmZmZmZmZmZmZg:3"
    request = FindCoordinatorRequest(key_type=2, coordinator_keys=[key])
    sent, context = mapped_request(ApiKey.FIND_COORDINATOR, 6, request)
    place = FindCoordinatorResponse.Coordinator(key=f"teamA{key}", node_id=2, host="h", port=1)

    found = mapped_response(
        ApiKey.FIND_COORDINATOR, 6, FindCoordinatorResponse(coordinators=[place]), context
    )

    assert list(sent.coordinator_keys) == [f"teamA{key}"]
    assert [(c.key, c.host) for c in found.coordinators] == [(key, "sidecar")]


# Lists of everything


@pytest.mark.parametrize(
    ("request_", "version", "asked"),
    [
        *((OffsetFetchRequest(group_id="g", topics=None), v, "topics") for v in range(2, 8)),
        *(
            (OffsetFetchRequest(groups=[OFFSETS_OF(group_id="g", topics=None)]), v, "topics")
            for v in range(8, 11)
        ),
        *(
            (
                DescribeShareGroupOffsetsRequest(groups=[SHARES_OF(group_id="g", topics=None)]),
                v,
                "topics",
            )
            for v in range(2)
        ),
        *((ListTransactionsRequest(), v, "state_filters") for v in range(3)),
        *((ListGroupsRequest(), v, "states_filter") for v in range(4, 6)),
    ],
)
def test_who_asks_for_everything_gets_what_is_its_own(
    request_: Any, version: int, asked: str
) -> None:
    key = request_.API_KEY
    sent, context = mapped_request(key, version, request_)
    answer = filled(SUPPORTED[key].response, version, ["teamA", "teamB", "tea"], kafka)

    found = mapped_response(key, version, answer, context)

    [holder] = list(getattr(sent, "groups", ())) or [sent]
    assert not getattr(holder, asked)
    if hasattr(holder, "group_id"):
        assert holder.group_id == "teamAg"
    wanted = filled(SUPPORTED[key].response, version, [""], sidecar)
    assert found == codec.decode_response(key, version, codec.encode(wanted, version))


# Error text


@pytest.mark.parametrize("prefix", ["teamA", "team.A"])
@pytest.mark.parametrize("pattern", ["a**", "a)(b"])
def test_a_pattern_that_is_refused_is_quoted_as_the_client_wrote_it(
    pattern: str, prefix: str
) -> None:
    key = ApiKey.CONSUMER_GROUP_HEARTBEAT
    mapping = tenancy(prefix)
    request = ConsumerGroupHeartbeatRequest(group_id="g", subscribed_topic_regex=pattern)
    mapped = mapping.map_request(key, 1, codec.encode(request, 1))
    assert isinstance(mapped, Mapped)
    sent: Any = codec.decode_request(key, 1, b"".join(mapped.body))
    physical = sent.subscribed_topic_regex
    answer = ConsumerGroupHeartbeatResponse(
        error_code=128,
        error_message=f"SubscribedTopicRegex `{physical}` is not valid: `{physical}`.",
    )

    assert mapped.exchange is not None
    chunks = mapping.map_response(key, 1, codec.encode(answer, 1), mapped.exchange)

    found: Any = codec.decode_response(key, 1, b"".join(chunks))
    assert physical != pattern
    assert found.error_message == f"SubscribedTopicRegex `{pattern}` is not valid: `{pattern}`."


def test_names_that_contain_each_other_are_restored_longest_first() -> None:
    topic = MetadataRequest.MetadataRequestTopic
    request = MetadataRequest(topics=[topic(name="a"), topic(name="ab"), topic(name="abc")])
    _, context = mapped_request(ApiKey.METADATA, 9, request)
    hooks_text = tenancy().map_response(
        ApiKey.DESCRIBE_CLUSTER, 0, _cluster("teamAabc, teamAab, teamAa; teamB"), context
    )

    found: Any = codec.decode_response(ApiKey.DESCRIBE_CLUSTER, 0, b"".join(hooks_text))
    assert found.error_message == "abc, ab, a; teamB"


def test_a_name_inside_a_word_is_none() -> None:
    topic = MetadataRequest.MetadataRequestTopic
    mapping = tenancy("in")
    body = codec.encode(MetadataRequest(topics=[topic(name="g")]), 9)
    mapped = mapping.map_request(ApiKey.METADATA, 9, body)
    assert isinstance(mapped, Mapped)
    assert mapped.exchange is not None

    chunks = mapping.map_response(
        ApiKey.DESCRIBE_CLUSTER, 0, _cluster("ing, 'ing' and ing-0 are missing"), mapped.exchange
    )

    found: Any = codec.decode_response(ApiKey.DESCRIBE_CLUSTER, 0, b"".join(chunks))
    assert found.error_message == "g, 'g' and g-0 are missing"


def _cluster(text: str) -> bytes:
    kind = SUPPORTED[ApiKey.DESCRIBE_CLUSTER].response
    return codec.encode(kind(error_message=text), 0)


@pytest.mark.parametrize("name", ["é", "日本", "\udcff"])
def test_names_that_are_no_kafka_names_survive_the_way_there_and_back(name: str) -> None:
    request = FindCoordinatorRequest(coordinator_keys=[name])
    _, context = mapped_request(ApiKey.FIND_COORDINATOR, 4, request)
    place = FindCoordinatorResponse.Coordinator
    answer = FindCoordinatorResponse(
        coordinators=[place(key="teamA" + name, error_message=f"no teamA{name}")]
    )

    found = mapped_response(ApiKey.FIND_COORDINATOR, 4, answer, context)

    assert (found.coordinators[0].key, found.coordinators[0].error_message) == (name, f"no {name}")
