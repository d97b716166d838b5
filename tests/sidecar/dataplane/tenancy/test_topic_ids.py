"""Topic ids of a virtual cluster: its own pass, those of others are as unknown as nobody's."""

from typing import Any

import pytest

import codec
from codec.api_keys import ApiKey
from codec.messages.create_topics import CreateTopicsResponse
from codec.messages.fetch import FetchRequest
from codec.messages.metadata import MetadataRequest, MetadataResponse
from codec.registry import SUPPORTED
from codec.schema import ZERO_UUID, Role
from sidecar.dataplane.tenancy import Mapped, Names, Tenancy, TopicDirectory
from tests.support.filled import fill_topic_ids, filled, has_role
from tests.support.mapping import MAPPED, kafka, sidecar
from tests.support.sessions import address_book

OWN, FOREIGN, MISSING = b"o" * 16, b"f" * 16, b"m" * 16
WITH_IDS = [
    (key, version)
    for key, version in MAPPED
    if has_role(SUPPORTED[key].request, version, Role.TOPIC_ID)
]


def knowing() -> Tenancy:
    """The mapping of a tenant whose directory knows its own topic and another's."""
    directory = TopicDirectory()
    directory.learn(OWN, b"teamAcars")
    directory.learn(FOREIGN, b"teamBcars")
    return Tenancy(lambda: Names("teamA"), address_book().advertised, directory)


@pytest.mark.parametrize(("key", "version"), WITH_IDS)
def test_own_ids_pass_and_those_of_others_never_reach_the_broker(key: int, version: int) -> None:
    for topic_id, passes in ((OWN, True), (FOREIGN, False), (MISSING, False)):
        request = filled(SUPPORTED[key].request, version, [""], kafka)
        fill_topic_ids(request, version, topic_id)
        answer = filled(SUPPORTED[key].response, version, ["teamA"], kafka)
        mapping = knowing()

        mapped = mapping.map_request(key, version, codec.encode(request, version))

        assert isinstance(mapped, Mapped)
        body = b"".join(mapped.body)
        assert (topic_id in body) is passes
        # Whatever the broker says about what it got is about what the client sent.
        masked = topic_id if passes else mapping.masks.mask(topic_id)
        assert masked in body
        fill_topic_ids(answer, version, masked)
        assert mapped.exchange is not None
        chunks = mapping.map_response(key, version, codec.encode(answer, version), mapped.exchange)
        wanted = filled(SUPPORTED[key].response, version, [""], sidecar)
        fill_topic_ids(wanted, version, topic_id)
        assert b"".join(chunks) == codec.encode(wanted, version)


@pytest.mark.parametrize("version", [12, 13])
def test_an_id_of_another_is_as_unknown_as_one_of_nobody(version: int) -> None:
    mapping = knowing()
    wanted = MetadataRequest.MetadataRequestTopic
    topic = MetadataResponse.MetadataResponseTopic
    ids = (OWN, FOREIGN, MISSING, ZERO_UUID)
    request = MetadataRequest(topics=[wanted(topic_id=t, name=None) for t in ids])

    mapped = mapping.map_request(ApiKey.METADATA, version, codec.encode(request, version))

    assert isinstance(mapped, Mapped)
    assert mapped.exchange is not None
    assert mapped.exchange.unknown == {MISSING}
    sent: Any = codec.decode_request(ApiKey.METADATA, version, b"".join(mapped.body))
    own, foreign, missing, zero = (t.topic_id for t in sent.topics)
    assert (own, zero) == (OWN, ZERO_UUID)
    assert len({own, foreign, missing, OWN, FOREIGN, MISSING}) == 5
    answer = MetadataResponse(
        topics=[
            topic(name="teamAcars", topic_id=own),
            topic(name=None, topic_id=foreign, error_code=100),
            topic(name=None, topic_id=missing, error_code=100),
        ]
    )
    body = codec.encode(answer, version)
    chunks = mapping.map_response(ApiKey.METADATA, version, body, mapped.exchange)
    found: Any = codec.decode_response(ApiKey.METADATA, version, b"".join(chunks))
    assert [(t.topic_id, t.name, t.error_code) for t in found.topics] == [
        (OWN, "cars", 0),
        (FOREIGN, None, 100),
        (MISSING, None, 100),
    ]


def test_the_same_id_has_the_same_mask_on_one_connection() -> None:
    mapping = knowing()
    request = FetchRequest(topics=[FetchRequest.FetchTopic(topic_id=FOREIGN)])
    body = codec.encode(request, 13)

    first, second = (mapping.map_request(ApiKey.FETCH, 13, body) for _ in range(2))

    assert isinstance(first, Mapped)
    assert isinstance(second, Mapped)
    assert b"".join(first.body) == b"".join(second.body) != body


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        (
            MetadataResponse(
                topics=[
                    MetadataResponse.MetadataResponseTopic(name="teamAx", topic_id=b"x" * 16),
                    MetadataResponse.MetadataResponseTopic(name=None, topic_id=b"n" * 16),
                    MetadataResponse.MetadataResponseTopic(name="teamBy", topic_id=b"y" * 16),
                    MetadataResponse.MetadataResponseTopic(name="none", topic_id=ZERO_UUID),
                ]
            ),
            12,
        ),
        (
            CreateTopicsResponse(
                topics=[
                    CreateTopicsResponse.CreatableTopicResult(name="teamAx", topic_id=b"x" * 16),
                    CreateTopicsResponse.CreatableTopicResult(name="teamBy", topic_id=b"y" * 16),
                ]
            ),
            7,
        ),
    ],
)
@pytest.mark.parametrize("prefix", ["teamA", ""])
def test_the_directory_learns_from_names_that_stand_before_their_ids(
    prefix: str, answer: Any, version: int
) -> None:
    directory = TopicDirectory()
    mapping = Tenancy(lambda: Names(prefix), address_book().advertised, directory)

    body = codec.encode(answer, version)
    mapping.map_response(answer.API_KEY, version, body, mapping.exchange(None))

    assert directory.name(b"x" * 16) == b"teamAx"
    assert directory.name(b"y" * 16) == b"teamBy"
    assert directory.name(b"n" * 16) is None
    assert directory.name(ZERO_UUID) is None
