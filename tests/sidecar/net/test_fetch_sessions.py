"""A tenant goes on with fetch sessions that its own connection was given, and with no other."""

from typing import Any

import pytest

from codec.api_keys import ApiKey
from codec.error_codes import ErrorCode
from codec.messages.fetch import FetchRequest, FetchResponse
from sidecar.dataplane.tenancy.fetch_sessions import MAX_SESSIONS, FetchSessions
from tests.support.fast_lane import FastLane
from tests.support.messages import (
    frames,
    read_request,
    read_response,
    request,
    response,
    sized,
    topic_id,
)
from tests.support.sessions import Client, tenant

SESSION, FOREIGN = 77, 78
VERSIONS = range(7, 19)
NOT_FOUND = (ErrorCode.FETCH_SESSION_ID_NOT_FOUND, 0, 0)


def fetch(session_id: int, epoch: int, topics: int = 1) -> FetchRequest:
    """Of one partition of a topic of the tenant's, named either way."""
    partition = FetchRequest.FetchTopic.FetchPartition(fetch_offset=epoch)
    topic = FetchRequest.FetchTopic(topic="cars", topic_id=topic_id("cars"), partitions=[partition])
    return FetchRequest(session_id=session_id, session_epoch=epoch, topics=[topic] * topics)


class Conversation:
    """A client and a broker, told what to say."""

    def __init__(self, lane: FastLane, version: int) -> None:
        self.lane = lane
        self.version = version
        self._number = 0
        self._read = 0

    def asks(self, message: FetchRequest) -> None:
        """Send a request."""
        self._number += 1
        self.lane.receive(sized(request(message, self.version, self._number)))

    @property
    def forwarded(self) -> list[tuple[int, int]]:
        """Session id and epoch of what the broker was asked."""
        seen = (read_request(each)[1] for each in frames([bytes(self.lane.far.sent)]))
        return [(each.session_id, each.session_epoch) for each in seen]

    def answers(self, session_id: int) -> None:
        """The broker answers the last request, with a session and nothing else."""
        answer = FetchResponse(session_id=session_id)
        self.lane.far.given = sized(response(answer, self.version, self._number))
        self.lane.read_broker()

    @property
    def heard(self) -> tuple[int, int, int]:
        """Error, session and number of topics of the last answer."""
        last = frames([bytes(self.lane.near.sent)])[-1]
        number, answer = read_response(ApiKey.FETCH, self.version, last)
        assert number == self._number
        return answer.error_code, answer.session_id, len(answer.responses)


def conversation(client: Client, version: int, monkeypatch: pytest.MonkeyPatch) -> Conversation:
    """With a directory that knows the topic."""
    client.shared.directory.learn(topic_id("cars"), b"teamAcars")
    return Conversation(FastLane(client, monkeypatch), version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("topics", [0, 1, 2])
def test_a_session_that_was_given_is_gone_on_with(
    topics: int, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = conversation(tenant(), version, monkeypatch)
    talk.asks(fetch(0, 0))
    talk.answers(SESSION)
    assert talk.heard == (0, SESSION, 0)
    for epoch in (1, 2, 3):
        talk.asks(fetch(SESSION, epoch, topics))
        talk.answers(SESSION)
    talk.asks(fetch(SESSION, -1, topics))

    assert talk.forwarded == [(0, 0), *((SESSION, epoch) for epoch in (1, 2, 3, -1))]
    assert not talk.lane.closes


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("topics", [0, 1, 2])
@pytest.mark.parametrize("epoch", [1, 4])
def test_another_session_is_one_that_nobody_knows(
    epoch: int, topics: int, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = conversation(tenant(), version, monkeypatch)
    talk.asks(fetch(FOREIGN, epoch, topics))

    assert talk.heard == NOT_FOUND
    assert talk.forwarded == []
    assert not talk.lane.closes


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("topics", [0, 1, 2])
@pytest.mark.parametrize("epoch", [-1, 0])
def test_who_does_not_go_on_with_another_session_does_not_end_it_either(
    epoch: int, topics: int, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal would come back for ever: franz-go says the same id with epoch 0 again."""
    talk = conversation(tenant(), version, monkeypatch)
    talk.asks(fetch(FOREIGN, epoch, topics))
    given = 0 if epoch else SESSION
    talk.answers(given)

    assert talk.heard == (0, given, 0)
    assert talk.forwarded == [(0, epoch)]
    talk.asks(fetch(FOREIGN, 1, topics))
    assert talk.heard == NOT_FOUND
    if given:
        talk.asks(fetch(SESSION, 1, topics))
        assert talk.forwarded == [(0, epoch), (SESSION, 1)]


@pytest.mark.parametrize("version", VERSIONS)
def test_another_session_is_found_among_requests_that_differ_in_nothing_else(
    version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such are passed on by what the last one was like."""
    talk = conversation(tenant(), version, monkeypatch)
    talk.asks(fetch(0, -1))
    talk.answers(0)
    talk.asks(fetch(0, -1))
    talk.answers(0)
    talk.asks(fetch(FOREIGN, -1))
    talk.answers(0)
    talk.asks(fetch(0, 0))
    talk.answers(SESSION)
    for epoch in (1, 2):
        talk.asks(fetch(SESSION, epoch))
        talk.answers(SESSION)
    talk.asks(fetch(FOREIGN, 3))
    assert talk.heard == NOT_FOUND
    talk.asks(fetch(SESSION, 3))

    sessionless, begun = [(0, -1)] * 3, [(0, 0)]
    assert talk.forwarded == sessionless + begun + [(SESSION, epoch) for epoch in (1, 2, 3)]


@pytest.mark.parametrize("version", [7, 12, 13, 18])
def test_passthrough_has_the_sessions_of_the_cluster(
    version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = conversation(Client(), version, monkeypatch)
    talk.asks(fetch(FOREIGN, 4, 0))

    assert talk.forwarded == [(FOREIGN, 4)]


@pytest.mark.parametrize("version", [12, 15])
def test_a_request_that_ends_before_its_session_closes(
    version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = FastLane(tenant(), monkeypatch)
    whole: Any = request(FetchRequest(), version)

    lane.receive(sized(whole[:-8]))

    assert [close.reason for close in lane.closes] == ["malformed_request"]
    assert not lane.far.sent


def test_a_connection_has_so_many_sessions_and_no_more() -> None:
    sessions = FetchSessions()
    for number in range(MAX_SESSIONS + 1):
        sessions.learn(number + 1)

    assert not sessions.allows(1)
    assert all(sessions.allows(number) for number in range(2, MAX_SESSIONS + 2))
