"""The listeners: one a broker, also for brokers that join later."""

import itertools
import time
from typing import Any

import pytest
from gevent import socket

from codec.messages.api_versions import ApiVersionsRequest
from codec.messages.heartbeat import HeartbeatRequest
from codec.messages.metadata import MetadataRequest
from codec.messages.sasl_authenticate import SaslAuthenticateRequest
from codec.messages.sasl_handshake import SaslHandshakeRequest
from sidecar.dataplane.addresses import Broker, PortsExhausted
from sidecar.model.identity import Identity
from tests.sidecar.net.conftest import Start
from tests.support.fake_broker import FakeBroker, until
from tests.support.gateways import Running, Wire, free_ports

HEARTBEAT = HeartbeatRequest(group_id="g", generation_id=1, member_id="m")


def places(client: Wire) -> list[tuple[int, str, int]]:
    """The brokers as a client is told."""
    answer = client.ask(MetadataRequest(topics=[]), 9)
    return sorted((b.node_id, b.host, b.port) for b in answer.brokers)


def test_every_broker_has_a_port_and_is_reached_by_it(start: Start) -> None:
    brokers = FakeBroker(1), FakeBroker(2), FakeBroker(3)
    running = start(*brokers)

    for index, broker in enumerate(brokers):
        assert running.client(index).ask(HEARTBEAT, 4).error_code == 0
        assert len(broker.received) == 1

    first = running.first_port
    assert places(running.client(2)) == [
        (1, "127.0.0.1", first),
        (2, "127.0.0.1", first + 1),
        (3, "127.0.0.1", first + 2),
    ]
    assert [(e["broker_id"], e["port"]) for e in running.log.of("listening")] == [
        (1, first),
        (2, first + 1),
        (3, first + 2),
    ]


def test_a_broker_first_seen_in_an_answer_is_listened_for(start: Start) -> None:
    known, late = FakeBroker(1), FakeBroker(2)
    running = start(known)
    with late:
        known.others = [late]

        told = places(running.client())

        assert told[1] == (2, "127.0.0.1", running.first_port + 1)
        assert running.client(1).ask(HEARTBEAT, 4).error_code == 0
        assert len(late.received) == 1


def test_a_broker_that_joins_and_new_versions_are_found_by_asking_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.net.gateway.LEAST_REFRESH_SECONDS", 0.01)
    monkeypatch.setattr("sidecar.net.gateway.REFRESH_SECONDS", 0.02)
    known, late = FakeBroker(1), FakeBroker(2)
    running = start(known)
    before = running.shared.versions
    with late:
        known.others = [late]

        until(lambda: len(running.log.of("listening")) == 2, "the second listener")

        assert running.client(1).ask(HEARTBEAT, 4).error_code == 0
        assert running.shared.versions is not before


def test_one_joining_broker_too_many_does_not_cost_the_other_its_listener(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its port is advertised, so somebody has to listen there."""
    monkeypatch.setattr("sidecar.net.gateway.LEAST_REFRESH_SECONDS", 0.01)
    monkeypatch.setattr("sidecar.net.gateway.REFRESH_SECONDS", 0.02)
    known, fits, surplus = FakeBroker(1), FakeBroker(2), FakeBroker(3)
    running = start(known, port_count=2)
    with fits, surplus:
        known.others = [fits, surplus]

        until(lambda: running.log.of("listen_failed"), "the log event")

        assert "broker 3" in running.log.of("listen_failed")[0]["cause"]
        assert running.client(1).ask(HEARTBEAT, 4).error_code == 0
        assert len(fits.received) == 1


def test_a_port_taken_when_a_broker_joins_is_tried_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.net.gateway.LEAST_REFRESH_SECONDS", 0.01)
    monkeypatch.setattr("sidecar.net.gateway.REFRESH_SECONDS", 0.02)
    known, late = FakeBroker(1), FakeBroker(2)
    running = start(known)
    with late:
        with socket.socket() as other:
            other.bind(("127.0.0.1", running.first_port + 1))
            other.listen()
            known.others = [late]
            until(lambda: running.log.of("listen_failed"), "the log event")
            cause = running.log.of("listen_failed")[0]["cause"]
            assert f"cannot listen on 127.0.0.1:{running.first_port + 1}" in cause

        until(lambda: len(running.log.of("listening")) == 2, "the second listener")
        assert running.client(1).ask(HEARTBEAT, 4).error_code == 0


def test_a_taken_port_at_the_start_is_named() -> None:
    with FakeBroker() as broker:
        running = Running(broker)
        with socket.socket() as other:
            other.bind(("127.0.0.1", running.first_port))
            other.listen()

            with pytest.raises(
                OSError, match=rf"cannot listen on 127\.0\.0\.1:{running.first_port}: Address"
            ):
                running.gateway.start()
        running.stop()


def test_more_brokers_than_ports_at_the_start_is_an_error(start: Start) -> None:
    with pytest.raises(PortsExhausted, match="broker 2"):
        start(FakeBroker(1), FakeBroker(2), port_count=1)


def test_more_connections_than_allowed_wait_until_one_ends(start: Start) -> None:
    running = start(FakeBroker(), max_connections=2)
    first, second = running.client(), running.client()
    assert first.ask(ApiVersionsRequest(), 0)
    assert second.ask(ApiVersionsRequest(), 0)
    third = running.client()
    third.send(ApiVersionsRequest(), 0)
    third.sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        third.sock.recv(1)

    first.sock.close()

    third.sock.settimeout(5)
    assert third.receive()
    assert running.gateway.connections == 2


def test_connections_are_counted_and_numbered(start: Start) -> None:
    running = start(FakeBroker())

    for _ in range(3):
        running.client().ask(ApiVersionsRequest(), 0)

    assert running.metric("client_connections_total") == 3
    until(lambda: len(running.log.of("client_connected")) == 3, "three log events")
    assert [e["connection_id"] for e in running.log.of("client_connected")] == [1, 2, 3]


def test_clients_are_counted_by_virtual_cluster(start: Start) -> None:
    with FakeBroker(1) as broker:
        running = start(broker, authenticate=authenticate_now)
        count = running.gateway.clients
        stranger = running.client()
        tenants = [running.client() for _ in range(3)]
        for client in tenants:
            client.ask(SaslHandshakeRequest(mechanism="PLAIN"), 1)
            client.ask(SaslAuthenticateRequest(auth_bytes=b"\0sa\0teamA"), 2)

        assert (count("teamA"), count("teamB"), count("passthrough")) == (3, 0, 0)
        tenants[0].sock.close()
        stranger.sock.close()
        until(lambda: count("teamA") == 2, "one that has gone is counted")


def authenticate_now(token: str, now: float) -> Identity:
    """Takes the name of a virtual cluster for its token."""
    return Identity("sa", token)


def test_stop_ends_every_connection_and_frees_the_ports(start: Start) -> None:
    running = start(FakeBroker())
    client = running.client()
    client.ask(HEARTBEAT, 4)

    running.gateway.stop()

    assert client.is_closed()
    assert running.gateway.connections == 0
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", running.first_port))


def test_versions_offered_are_those_every_broker_speaks(start: Start) -> None:
    def old(_: Any) -> Any:
        answer = FakeBroker._versions(second, _)
        for entry in answer.api_keys:
            entry.max_version = min(entry.max_version, 5)
        return answer

    second = FakeBroker(2, api_versions=old)
    running = start(FakeBroker(1), second)

    answer = running.client().ask(ApiVersionsRequest(), 0)

    highest = {entry.api_key: entry.max_version for entry in answer.api_keys}
    assert (highest[0], highest[3], highest[18]) == (5, 5, 4)


def test_free_ports_are_consecutive_and_free() -> None:
    """The helper these tests stand on."""
    first = free_ports(3)

    for port in range(first, first + 3):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


def test_a_broker_that_is_not_there_any_more_is_looked_for_at_once(start: Start) -> None:
    known, old, moved = FakeBroker(1), FakeBroker(2), FakeBroker(2)
    running = start(known, old)
    with moved:
        old.stop()
        known.others = [moved]

        assert running.client(1).is_closed()

        # Within seconds, where it would be half a minute.
        until(lambda: running.book.broker(2).port == moved.address[1], "the new address")
        assert running.client(1).ask(HEARTBEAT, 4).error_code == 0
        assert len(moved.received) == 1


def test_a_cluster_is_not_asked_more_often_for_clients_that_come_again_and_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, gone = FakeBroker(1), FakeBroker(2)
    running = start(known, gone)
    gone.stop()
    asked: list[float] = []
    refresh = running.cluster.refresh

    def counted() -> list[Broker]:
        asked.append(time.monotonic())
        return refresh()

    monkeypatch.setattr(running.cluster, "refresh", counted)
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        assert running.client(1).is_closed()

    until(lambda: len(asked) >= 2, "two refreshes")
    assert min(after - before for before, after in itertools.pairwise(asked)) >= 1
