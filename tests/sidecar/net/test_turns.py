"""Who sends very much at once is served in turns with others."""

import itertools
from typing import Any

import pytest

from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.heartbeat import HeartbeatRequest
from sidecar.dataplane.session import Session
from sidecar.model.identity import Identity
from sidecar.net.relay import MAX_IN_FLIGHT
from sidecar.net.turns import MOST_DECIDED
from tests.sidecar.net.conftest import Start
from tests.support.fake_broker import FakeBroker, until
from tests.support.gateways import Wire

HEARTBEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")
MANY = 40 * MOST_DECIDED


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """Whose request was looked at, in order."""
    sessions: list[Session] = []
    on_request = Session.on_request

    def noted(session: Session, *arguments: Any, **options: Any) -> Any:
        sessions.append(session)
        return on_request(session, *arguments, **options)

    monkeypatch.setattr(Session, "on_request", noted)
    return sessions


def flood(client: Wire, count: int = MANY) -> None:
    """Many requests in one segment or a few."""
    sock, sent = client.sock, bytearray()

    class Gathered:
        def sendall(self, data: bytes) -> None:
            sent.extend(data)

    client.sock = Gathered()  # type: ignore[assignment] - for one loop
    for _ in range(count):
        client.send(ApiVersionsRequest(), 0)
    client.sock = sock
    sock.sendall(sent)


def runs(decided: list[Session]) -> list[int]:
    """How many requests of one connection came before another's."""
    return [len(list(each)) for _, each in itertools.groupby(decided)]


@pytest.mark.usefixtures("quiet")
def test_two_who_flood_take_turns_and_are_answered_in_order(
    start: Start, decided: list[Session]
) -> None:
    running = start(FakeBroker())
    first, second = running.client(), running.client()
    for client in (first, second):
        assert client.ask(HEARTBEAT, 4).error_code == 0
    decided.clear()

    flood(first)
    flood(second)

    for client in (first, second):
        numbers = [(client.receive() or (0, None))[0] for _ in range(MANY)]
        assert numbers == list(range(2, MANY + 2))
    assert len(decided) == 2 * MANY
    assert max(runs(decided)) <= 2 * MOST_DECIDED  # two of one meet where the loop begins anew


@pytest.mark.usefixtures("quiet")
def test_what_passes_and_what_is_looked_at_stay_in_order(start: Start) -> None:
    broker = FakeBroker()
    running = start(broker)
    client = running.client()

    for _ in range(4):
        flood(client, 3 * MOST_DECIDED // 2)
        client.send(HEARTBEAT, 4)

    count = 4 * (3 * MOST_DECIDED // 2 + 1)
    assert [(client.receive() or (0, None))[0] for _ in range(count)] == list(range(1, count + 1))


@pytest.mark.usefixtures("quiet")
def test_a_flood_waits_where_its_answers_are_not_taken(
    start: Start, decided: list[Session]
) -> None:
    running = start(FakeBroker())
    deaf, other = running.client(), running.client()
    assert other.ask(HEARTBEAT, 4).error_code == 0

    flood(deaf, 8 * MAX_IN_FLIGHT)
    until(lambda: len(decided) > MOST_DECIDED, "the flood has begun")

    assert other.ask(HEARTBEAT, 4).error_code == 0
    numbers = [(deaf.receive() or (0, None))[0] for _ in range(8 * MAX_IN_FLIGHT)]
    assert numbers == list(range(1, 8 * MAX_IN_FLIGHT + 1))
    assert deaf.ask(HEARTBEAT, 4).error_code == 0


@pytest.mark.usefixtures("quiet")
def test_strangers_take_turns_as_well(start: Start, decided: list[Session]) -> None:
    def nobody(token: str, now: float) -> Identity:
        raise AssertionError("nobody authenticates here")

    running = start(FakeBroker(), authenticate=nobody)
    first, second = running.client(), running.client()

    flood(first)
    flood(second)

    for client in (first, second):
        assert [(client.receive() or (0, None))[0] for _ in range(MANY)] == [*range(1, MANY + 1)]
    assert max(runs(decided)) < MANY
