"""Fetch by id in the fast lane: decided from as many bytes as have arrived, as the codec would."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.messages.fetch import FetchRequest
from sidecar.dataplane.fetch_walk import FetchForm
from sidecar.dataplane.heads import LOOK_AHEAD, Verdict
from sidecar.dataplane.id_lane import FetchIdLane
from sidecar.dataplane.lanes import Splice
from sidecar.dataplane.tenancy.fetch_sessions import FetchSessions
from tests.support.messages import request, sized, topic_id

TOPIC = FetchRequest.FetchTopic
PARTITION = TOPIC.FetchPartition
FORGOTTEN = FetchRequest.ForgottenTopic
OWN = {topic_id(name): name for name in ("cars", "bikes")}
VERSIONS = range(13, 19)


def topic(name: str, *partitions: Any) -> Any:
    return TOPIC(topic_id=topic_id(name), partitions=list(partitions) or [PARTITION()])


FORM = FetchForm(lambda body: body, ApiKey.FETCH, 13, None, lambda session_id: None)
SESSION = 12345
PLAIN, WALKED = Splice(0, 0, b"", True, None), Splice(0, 0, b"", True, FORM)


def verdict(
    message: FetchRequest, version: int, arrived: int | None = None, *, walked: bool = False
) -> Any:
    data = sized(request(message, version))
    end = len(data) if arrived is None else arrived
    sessions = FetchSessions()
    sessions.learn(SESSION)
    lane = FetchIdLane(FORM, OWN.get, sessions, walked=walked)
    return lane(b"...." + data, 4, 4 + end, version)


PASS = [
    FetchRequest(),
    FetchRequest(session_id=SESSION, session_epoch=7),
    FetchRequest(topics=[topic("cars")]),
    FetchRequest(topics=[topic("cars", *[PARTITION(partition=n) for n in range(9)])]),
    FetchRequest(topics=[topic("cars"), topic("bikes")], rack_id="r"),
    FetchRequest(
        topics=[topic("cars")], forgotten_topics_data=[FORGOTTEN(topic_id=topic_id("boats"))]
    ),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("message", PASS)
def test_own_topics_pass(message: FetchRequest, version: int) -> None:
    assert verdict(message, version) == PLAIN
    assert verdict(message, version, walked=True) == WALKED


@pytest.mark.parametrize("version", VERSIONS)
def test_the_answer_to_who_asks_for_a_session_is_looked_at(version: int) -> None:
    assert verdict(FetchRequest(session_epoch=0), version) == WALKED


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("message", PASS)
def test_cut_anywhere_more_is_asked_for(message: FetchRequest, version: int) -> None:
    data = sized(request(message, version))
    seen = [verdict(message, version, arrived) for arrived in range(20, len(data))]

    assert {type(each) for each in seen} <= {Verdict, Splice}
    assert Verdict.COLLECT not in seen
    decided = [isinstance(each, Splice) for each in seen]
    assert decided == sorted(decided), "once it is decided more bytes change nothing"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "message",
    [
        FetchRequest(topics=[topic("boats")]),
        FetchRequest(topics=[topic("cars"), topic("boats")]),
        FetchRequest(topics=[TOPIC(topic_id=topic_id("cars"), unknown_tags=[(9, b"x")])]),
        FetchRequest(topics=[topic("cars", PARTITION(unknown_tags=[(9, b"x")]))]),
        FetchRequest(session_id=SESSION + 1, session_epoch=7),
        FetchRequest(session_id=-SESSION, session_epoch=-1),
    ],
    ids=[
        "foreign",
        "foreign behind own",
        "tags of a topic",
        "tags of a partition",
        "foreign session",
        "end of a foreign session",
    ],
)
def test_anything_else_is_for_the_session(message: FetchRequest, version: int) -> None:
    assert verdict(message, version) is Verdict.COLLECT


def test_a_beginning_that_is_too_long_is_for_the_session() -> None:
    message = FetchRequest(topics=[topic("cars", *[PARTITION() for _ in range(100)])])
    assert verdict(message, 13, LOOK_AHEAD - 1) is Verdict.MORE
    assert verdict(message, 13, LOOK_AHEAD) is Verdict.COLLECT
