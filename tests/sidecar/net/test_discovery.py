"""Finding the brokers, whatever is up."""

import itertools
from typing import Any

import pytest
from gevent import socket

from codec.error_codes import ErrorCode
from codec.messages.metadata import MetadataResponse
from sidecar.dataplane.addresses import Broker
from sidecar.net.discovery import Cluster
from tests.support.fake_broker import Cut, FakeBroker, Script
from tests.support.log import EventLog
from tests.support.messages import sized


@pytest.fixture
def nobody() -> tuple[str, int]:
    """An address nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "127.0.0.1", probe.getsockname()[1]


def test_any_one_of_the_bootstrap_addresses_is_enough(nobody: tuple[str, int]) -> None:
    with FakeBroker(4) as broker, FakeBroker(5) as other:
        broker.others = [other]
        cluster = Cluster([nobody, broker.address], EventLog())

        found = cluster.refresh()

        assert found == [Broker(4, *broker.address), Broker(5, *other.address)]
        assert len(cluster.versions()) == 2
        assert cluster.versions()[0][18] == (0, 4)


def test_brokers_found_earlier_are_asked_when_the_bootstrap_ones_are_gone() -> None:
    with FakeBroker(2) as other:
        with FakeBroker(1) as first:
            first.others = [other]
            cluster = Cluster([first.address], EventLog())
            cluster.refresh()

        assert cluster.refresh() == [Broker(2, *other.address)]
        assert len(cluster.versions()) == 1


def test_nobody_up_gives_nothing_and_keeps_what_is_known(nobody: tuple[str, int]) -> None:
    log = EventLog()

    assert Cluster([nobody], log).refresh() == []

    assert log.of("bootstrap_failed")[0]["broker"] == f"127.0.0.1:{nobody[1]}"


@pytest.mark.parametrize(
    "data", [b"", sized(b"\x00\x00\x00\x00\xff"), b"HTTP/1.1 400 Bad Request\r\n\r\n"]
)
def test_what_is_not_kafka_is_passed_over(data: bytes) -> None:
    with FakeBroker(metadata=lambda _: Cut(data)) as odd, FakeBroker(2) as good:
        found = Cluster([odd.address, good.address], EventLog()).refresh()

        assert found == [Broker(2, *good.address)]


def test_a_broker_that_does_not_tell_its_versions_is_reported(nobody: tuple[str, int]) -> None:
    log = EventLog()
    with FakeBroker(1) as broker, FakeBroker(2, api_versions=lambda _: Cut()) as mute:
        broker.others = [mute]
        cluster = Cluster([broker.address], log)

        assert len(cluster.refresh()) == 2

        assert len(cluster.versions()) == 1
        [event] = log.of("broker_unreachable")
        assert event["broker"] == f"127.0.0.1:{mute.address[1]}"


def topics(*errors: ErrorCode) -> tuple[Script, list[Any]]:
    """A script that tells these errors of the topics it is asked for in turn, and the requests."""
    asked: list[Any] = []
    left = iter(errors)

    def tell(request: Any) -> MetadataResponse:
        asked.append(request)
        topic = MetadataResponse.MetadataResponseTopic(
            name=request.topics[0].name, error_code=next(left)
        )
        return MetadataResponse(topics=[topic])

    return tell, asked


@pytest.mark.parametrize(
    ("error", "exists"),
    [
        (ErrorCode.NONE, True),
        (ErrorCode.LEADER_NOT_AVAILABLE, True),
        (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, False),
        (ErrorCode.INVALID_TOPIC_EXCEPTION, False),
        (ErrorCode.TOPIC_AUTHORIZATION_FAILED, None),
    ],
)
def test_the_cluster_says_whether_it_has_a_topic_without_creating_it(
    error: ErrorCode, exists: bool | None
) -> None:
    script, asked = topics(error)
    with FakeBroker(metadata=script) as broker:
        assert Cluster([broker.address], EventLog()).has_topic("cars") is exists

    [request] = asked
    assert [topic.name for topic in request.topics] == ["cars"]
    assert request.allow_auto_topic_creation is False


def test_another_broker_is_asked_for_a_topic_when_one_cannot_say(nobody: tuple[str, int]) -> None:
    first, _ = topics(ErrorCode.UNKNOWN_SERVER_ERROR)
    second, _ = topics(ErrorCode.NONE)
    with FakeBroker(metadata=first) as one, FakeBroker(metadata=second) as other:
        addresses = [nobody, one.address, other.address]

        assert Cluster(addresses, EventLog()).has_topic("cars") is True


def test_when_nobody_answers_nothing_is_known_of_a_topic(nobody: tuple[str, int]) -> None:
    log = EventLog()
    with FakeBroker(metadata=lambda _: Cut()) as mute:
        assert Cluster([nobody, mute.address], log).has_topic("cars") is None

    assert len(log.of("topic_unknown")) == 2


def test_a_starting_cluster_is_waited_for_until_all_bootstrap_brokers_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ports go by position, so a broker that shows a second later must not move the others."""
    monkeypatch.setattr("sidecar.net.discovery._RETRY_SECONDS", 0.005)
    log = EventLog()
    asked = itertools.count()
    with FakeBroker(1) as late, FakeBroker(2) as early:

        def clock() -> float:
            if next(asked) == 3:
                early.others = [late]
            return 0.0

        found = Cluster([early.address, late.address], log).find(clock)

        assert [broker.node_id for broker in found] == [2, 1]
        assert log.of("waiting_for_kafka")[0]["brokers_found"] == 1


def test_after_a_while_the_brokers_that_are_up_are_enough(
    monkeypatch: pytest.MonkeyPatch, nobody: tuple[str, int]
) -> None:
    monkeypatch.setattr("sidecar.net.discovery._RETRY_SECONDS", 0.005)
    times = itertools.count(step=4)
    with FakeBroker(2) as only:
        found = Cluster([nobody, only.address], EventLog()).find(lambda: float(next(times)))

        assert [broker.node_id for broker in found] == [2]
        assert next(times) == 16
