"""A request that waits for a look-up, over real sockets: in order, once, and not for ever."""

from typing import Any

import gevent
import pytest
from gevent.event import Event

from codec.api_keys import ApiKey
from codec.messages.fetch import FetchRequest, FetchResponse
from codec.messages.heartbeat import HeartbeatRequest
from codec.messages.metadata import MetadataResponse
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from sidecar.model.identity import Identity
from tests.sidecar.net.conftest import Start
from tests.support.fake_broker import Cut, FakeBroker
from tests.support.gateways import Wire
from tests.support.messages import topic_id

CARS = topic_id("cars")
FETCH = FetchRequest(topics=[FetchRequest.FetchTopic(topic_id=CARS)])
HEARTBEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")


def authenticate(token: str, now: float) -> Identity:
    return Identity("sa", "teamA")


class Broker(FakeBroker):
    """Knows one topic, and answers by id when it is let."""

    def __init__(self, name: str | None = "teamAcars") -> None:
        super().__init__(
            fetch=lambda request: FetchResponse(session_id=7), metadata=self._answer_ids
        )
        self.name = name
        self.asked: list[bytes] = []
        self.let = Event()
        self.let.set()

    def _answer_ids(self, request: Any) -> Any:
        ids = [each.topic_id for each in request.topics or () if each.name is None]
        answer = self._metadata(request)
        if ids:
            self.asked += ids
            self.let.wait()
            found = MetadataResponse.MetadataResponseTopic
            error = 0 if self.name else 100
            answer.topics = [found(topic_id=i, name=self.name, error_code=error) for i in ids]
        return answer


def tenant(start: Start, broker: FakeBroker) -> Wire:
    client = start(broker, authenticate=authenticate).client()
    client.ask(SaslHandshakeRequest(mechanism="PLAIN"), 1)
    client.ask(SaslAuthenticateRequest(auth_bytes=b"\0sa\0token"), 1)
    return client


def fetched(broker: FakeBroker) -> list[bytes]:
    return [m.topics[0].topic_id for key, m in broker.received if key == ApiKey.FETCH]


@pytest.mark.parametrize("version", [13, 16])
def test_an_id_is_looked_up_once(start: Start, version: int) -> None:
    broker = Broker()
    client = tenant(start, broker)

    for _ in range(3):
        assert client.ask(FETCH, version).session_id == 7

    assert broker.asked == [CARS]
    assert fetched(broker) == [CARS] * 3


def test_a_foreign_or_unknown_topic_reaches_the_broker_masked(start: Start) -> None:
    for name in ("teamBcars", None):
        broker = Broker(name)
        client = tenant(start, broker)
        assert client.ask(FETCH, 13).session_id == 7
        [seen] = fetched(broker)
        assert seen != CARS


def test_requests_behind_it_wait_and_keep_their_order(start: Start) -> None:
    broker = Broker()
    broker.let.clear()
    client = tenant(start, broker)
    client.ask(HEARTBEAT, 4)

    numbers = [client.send(message, version) for message, version in ((HEARTBEAT, 4), (FETCH, 13))]
    numbers += [client.send(HEARTBEAT, 4) for _ in range(3)]
    first = client.receive()
    gevent.sleep(0.05)
    before = broker.keys()
    broker.let.set()
    answers = [first, *(client.receive() for _ in range(4))]

    assert before == [ApiKey.HEARTBEAT, ApiKey.HEARTBEAT]
    assert [each and each[0] for each in answers] == numbers
    assert broker.keys() == [ApiKey.HEARTBEAT] * 2 + [ApiKey.FETCH] + [ApiKey.HEARTBEAT] * 3


def test_where_nobody_can_be_asked_the_connection_closes(start: Start) -> None:
    broker = Broker()
    client = tenant(start, broker)
    client.ask(HEARTBEAT, 4)
    broker.scripts[ApiKey.METADATA] = lambda request: Cut()

    client.send(FETCH, 13)

    assert client.is_closed()
    assert fetched(broker) == []


def test_a_client_that_goes_meanwhile_leaves_nothing_behind(start: Start) -> None:
    broker = Broker()
    broker.let.clear()
    running = start(broker, authenticate=authenticate)
    client = running.client()
    client.ask(SaslHandshakeRequest(mechanism="PLAIN"), 1)
    client.ask(SaslAuthenticateRequest(auth_bytes=b"\0sa\0token"), 1)
    client.send(FETCH, 13)
    while not broker.asked:
        gevent.sleep(0.005)

    broker.connections.kill(timeout=1)  # the broker goes; the look-up fails
    assert client.is_closed()
    broker.let.set()
    gevent.sleep(0.02)
    assert running.gateway.connections == 0
    assert fetched(broker) == []
