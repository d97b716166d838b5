"""The same API over TLS."""

import contextlib
import http.client
import json
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from rest_bridge.server import BridgeServer
from tests.rest_bridge.test_server import ADMIN, BODY, ITEM
from tests.sidecar.api.harness import Control

CA = trustme.CA()


def context_of(folder: Path, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def contexts(tmp_path: Path) -> list[ssl.SSLContext]:
    """The last is the one for new connections."""
    return [context_of(tmp_path)]


@pytest.fixture
def bridge(control: Control, contexts: list[ssl.SSLContext]) -> Iterator[BridgeServer]:
    target = f"127.0.0.1:{control.server.port}"
    bridge = BridgeServer(target, "127.0.0.1", 0, lambda: contexts[-1])
    bridge.start()
    try:
        yield bridge
    finally:
        bridge.stop()


def client() -> ssl.SSLContext:
    context = ssl.create_default_context()
    CA.configure_trust(context)
    return context


def connection(port: int) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection("localhost", port, timeout=10, context=client())


def asked(
    told: http.client.HTTPConnection, method: str, path: str, body: str = ""
) -> tuple[int, bytes]:
    told.request(method, path, body or None, ADMIN)
    answer = told.getresponse()
    return answer.status, answer.read()


def test_scripts_work_unchanged_on_one_connection(bridge: BridgeServer) -> None:
    told = connection(bridge.port)
    assert asked(told, "POST", ITEM, BODY)[0] == 201
    first = told.sock
    assert json.loads(asked(told, "GET", ITEM)[1])["name"] == "n"
    assert asked(told, "DELETE", ITEM) == (204, b"")
    for number in range(100):
        assert asked(told, "POST", f"{ITEM}{number}", BODY)[0] == 201
    status, listing = asked(told, "GET", "/admin/interceptors/v1/global")
    assert (status, len(json.loads(listing)["interceptors"])) == (200, 100)
    assert len(listing) > 16 * 1024  # more than a TLS record
    assert told.sock is first
    told.close()


@pytest.mark.parametrize("size", [16_000, 16_384, 40_000, 70_000])
def test_bodies_of_any_size_are_read_or_refused(bridge: BridgeServer, size: int) -> None:
    told = connection(bridge.port)
    body = BODY.replace('"priority"', f'"{"x" * size}":1,"priority"')

    status, text = asked(told, "POST", ITEM, body)

    assert status in ((400,) if size < 65_000 else (413,))
    assert (b"xxx" in text) is (size < 65_000)
    told.close()


def test_a_request_in_single_bytes(bridge: BridgeServer) -> None:
    with (
        socket.create_connection(("localhost", bridge.port), 10) as plain,
        client().wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        for byte in b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
            secured.sendall(bytes([byte]))
        text = b""
        while part := secured.recv(4096):
            text += part
    assert text.startswith(b"HTTP/1.1 200")


def test_who_speaks_no_tls_or_stops_in_the_handshake_holds_up_nobody(bridge: BridgeServer) -> None:
    stalled = [socket.create_connection(("localhost", bridge.port), 10) for _ in range(20)]
    with socket.create_connection(("localhost", bridge.port), 10) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):  # which says as much
            assert not plain.recv(4096).startswith(b"HTTP")

    told = connection(bridge.port)
    assert asked(told, "GET", "/health")[0] == 200
    told.close()
    for each in stalled:
        each.close()


def test_a_reset_in_the_handshake_is_nothing_to_log(
    bridge: BridgeServer, caplog: pytest.LogCaptureFixture
) -> None:
    def served() -> None:
        told = connection(bridge.port)
        assert asked(told, "GET", "/health")[0] == 200
        told.close()

    for _ in range(5):  # before it is accepted, perhaps, and in the handshake
        for wait in (lambda: None, served):
            with socket.create_connection(("localhost", bridge.port), 10) as plain:
                plain.sendall(b"\x16\x03\x01")
                wait()
                # Closed so, it is reset.
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            served()
    assert caplog.records == []


def test_many_at_once(bridge: BridgeServer) -> None:
    statuses: list[int] = []

    def ask() -> None:
        told = connection(bridge.port)
        statuses.extend(asked(told, "GET", "/admin/plugins/v1/extended")[0] for _ in range(5))
        told.close()

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert statuses == [200] * 60


def test_a_new_certificate_counts_for_new_connections(
    bridge: BridgeServer, contexts: list[ssl.SSLContext], tmp_path: Path
) -> None:
    old = connection(bridge.port)
    assert asked(old, "GET", "/health")[0] == 200
    contexts.append(context_of(tmp_path, "elsewhere"))

    with (
        socket.create_connection(("localhost", bridge.port), 10) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        client().wrap_socket(plain, server_hostname="localhost")
    assert asked(old, "GET", "/health")[0] == 200
    old.close()
