"""The eavesdropper hears what is there to be heard, or its silence would prove nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from codec.api_keys import ApiKey
from tests.kafka.api_matrix.client import Connection
from tests.kafka.api_matrix.data import fetch_request
from tests.kafka.api_matrix.tenant import TOPIC
from tests.kafka.api_matrix.world import PREFIX, World
from tests.kafka.eavesdropper import Eavesdropper
from tests.kafka.overheard import SIDECARS, Overheard
from tests.kafka.processes import free_ports

LISTENING, ECHOING, PLANTED = "127.0.0.4", "127.0.0.5", "127.0.0.6"
ADMINISTRATORS = "passthrough"


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it is sent, once, and closes."""
    [port] = free_ports(1)
    with socket.create_server((ECHOING, port)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(connection.recv(100) * 2)

        thread = threading.Thread(target=serve)
        thread.start()
        yield port
        thread.join(10)


def test_both_ways_are_kept_apart(echo: int) -> None:
    with Eavesdropper([echo], LISTENING, ECHOING) as ear:
        with socket.create_connection((LISTENING, echo), timeout=10) as client:
            client.sendall(b"a secret;")
            received = b""
            while data := client.recv(100):
                received += data
        [conversation] = ear.conversations
    assert received == b"a secret;a secret;"
    assert conversation.from_client == b"a secret;"
    assert conversation.to_client == received
    assert ear.volume == len(received)


def test_a_sequence_is_found_and_shown_with_what_is_around_it(echo: int) -> None:
    with (
        Eavesdropper([echo], LISTENING, ECHOING) as ear,
        socket.create_connection((LISTENING, echo), timeout=10) as client,
    ):
        client.sendall(b"12a\x00secret34")
        while client.recv(100):
            pass
    assert ear.heard([b"nothing", b"a\x00secret"]) == [
        f"port {echo}, byte 2: b'a\\x00secret' in b'12a\\x00secret3412a\\x00secret34'"
    ]
    assert ear.heard([b"nothing"]) == []


def test_what_came_is_kept_with_when_and_from_whom(echo: int) -> None:
    before = time.monotonic()
    with Eavesdropper([echo], LISTENING, ECHOING) as ear:
        with socket.create_connection((LISTENING, echo), timeout=10) as client:
            client.sendall(b"12")
            while client.recv(100):
                pass
        [conversation] = ear.conversations
        said = [(read.from_client, read.size) for read in conversation.reads]
        times = [before, conversation.opened, *(read.at for read in conversation.reads)]
    assert said[:3] == [(True, 2), (False, 4), (False, 0)], "the server closed first"
    times.append(time.monotonic())
    assert times == sorted(times)


def test_a_port_refuses_while_it_follows_one_that_does() -> None:
    [port] = free_ports(1)
    with Eavesdropper([port], LISTENING, ECHOING) as ear:
        for _ in range(2):
            ear.follow(port, False)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((LISTENING, port), timeout=10)
            ear.follow(port, True)
            socket.create_connection((LISTENING, port), timeout=10).close()


def test_nobody_is_left_hanging_where_a_port_begins_to_refuse() -> None:
    """Whoever is just being accepted is served or closed."""
    [port] = free_ports(1)
    with Eavesdropper([port], LISTENING, ECHOING) as ear:
        for _ in range(200):
            with socket.create_connection((LISTENING, port), timeout=10) as client:
                ear.follow(port, False)
                with contextlib.suppress(ConnectionResetError):
                    assert client.recv(1) == b"", "nothing listens behind it"
            ear.follow(port, True)


def test_an_empty_sequence_is_refused() -> None:
    with (
        Eavesdropper([], LISTENING, ECHOING) as ear,
        pytest.raises(AssertionError, match="everywhere"),
    ):
        ear.heard([b""])


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_a_planted_leak_is_heard(overheard: Overheard, tenants: World) -> None:
    """`passthrough` sees the cluster as it is: the names, the ids and the records of a tenant."""
    side, victim = overheard.first, tenants.second
    port = side.sidecar.port
    access = side.sidecar.access(ADMINISTRATORS)
    secrets = {
        "name": f"{victim.name}{TOPIC}".encode(),
        "id": victim.ids[TOPIC],
        "record": victim.marker,
    }
    with Eavesdropper([port], PLANTED, SIDECARS) as ear:
        connection = Connection((PLANTED, port), (access.username, access.token))
        try:
            named = {"topics": [{"name": f"{victim.name}{TOPIC}"}]}
            connection.ask(ApiKey.METADATA, 9, named)
            assert len(ear.heard([PREFIX])) == 1
            assert ear.heard([secrets["id"], secrets["record"]]) == []
            connection.ask(ApiKey.METADATA, 12, named)
            assert len(ear.heard([secrets["name"], secrets["id"]])) == 2
            request = fetch_request(victim, 12, {0: 0}, session_id=0, session_epoch=-1)
            request["topics"][0]["topic"] = f"{victim.name}{TOPIC}"
            connection.ask(ApiKey.FETCH, 12, request)
            assert len(ear.heard(secrets.values())) == 3
        finally:
            connection.close()
