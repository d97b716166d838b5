"""The HTTP server on a real socket."""

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from rest_bridge import server
from rest_bridge.server import BridgeServer
from tests.sidecar.api.harness import Control, basic

ADMIN = {"Authorization": basic()}


@pytest.fixture
def bridge(control: Control) -> Iterator[BridgeServer]:
    """A started bridge in front of `control`."""
    bridge = BridgeServer(f"127.0.0.1:{control.server.port}", "127.0.0.1", 0)
    bridge.start()
    try:
        yield bridge
    finally:
        bridge.stop()


def ask(port: int, path: str) -> tuple[int, str, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=ADMIN)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.getheader("Server")
    finally:
        connection.close()


def test_serves_and_stops(bridge: BridgeServer) -> None:
    status, text, software = ask(bridge.port, "/admin/plugins/v1")

    assert status == 200
    assert list(json.loads(text)) == ["plugins"]
    assert software is None
    bridge.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(bridge.port, "/health")


ITEM = "/admin/interceptors/v1/global/interceptor/n"
BODY = (
    '{"pluginClass":"io.conduktor.gateway.interceptor.chaos.SimulateLeaderElectionsErrorsPlugin",'
    '"priority":1,"config":{"rateInPercent":0}}'
)


def test_a_deletion_says_no_more_than_that_and_leaves_the_connection_open(
    bridge: BridgeServer,
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", bridge.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("POST", ITEM, BODY, ADMIN)
        connection.getresponse().read()
        used = connection.sock

        connection.request("DELETE", ITEM, headers=ADMIN)
        answer = connection.getresponse()

        assert (answer.status, answer.read()) == (204, b"")
        assert sorted(name for name, _ in answer.getheaders()) == ["Cache-Control", "Date"]
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        assert connection.sock is used


@pytest.mark.parametrize(
    "head", ["OPTIONS /health HTTP/1.1\r\nConnection: Close", "OPTIONS /health HTTP/1.0"]
)
def test_a_connection_is_closed_if_the_client_says_so(bridge: BridgeServer, head: str) -> None:
    with socket.create_connection(("127.0.0.1", bridge.port), timeout=10) as client:
        client.sendall(f"{head}\r\nHost: x\r\n\r\n".encode())
        answer = b""
        while piece := client.recv(4096):
            answer += piece

    assert b" 204 " in answer.splitlines()[0]
    assert b"Connection: close" in answer


def test_a_proxy_for_the_web_is_not_asked_for_the_sidecar(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    bridge = BridgeServer(f"127.0.0.1:{control.server.port}", "127.0.0.1", 0)
    bridge.start()
    try:
        assert ask(bridge.port, "/health")[0] == 200
    finally:
        bridge.stop()


def test_serves_over_a_channel_that_is_given(control: Control) -> None:
    bridge = BridgeServer(control.channel, "127.0.0.1", 0)
    bridge.start()
    try:
        assert ask(bridge.port, "/health")[0] == 200
    finally:
        bridge.stop()


def test_a_taken_port_is_named(bridge: BridgeServer) -> None:
    second = BridgeServer("127.0.0.1:1", "127.0.0.1", bridge.port)
    try:
        with pytest.raises(
            OSError, match=f"the REST bridge cannot listen on 127.0.0.1:{bridge.port}"
        ):
            second.start()
    finally:
        second.stop()


def test_stopping_is_harmless_at_any_time(bridge: BridgeServer) -> None:
    BridgeServer("127.0.0.1:1", "127.0.0.1", 0).stop()
    bridge.stop()
    bridge.stop()


def test_serve_forever_ends_when_stopped(control: Control) -> None:
    bridge = BridgeServer(control.channel, "127.0.0.1", 0)
    stopper = threading.Timer(0.1, bridge.stop)
    stopper.start()
    bridge.serve_forever()
    stopper.join()


def test_too_much_is_refused_before_it_is_read(bridge: BridgeServer) -> None:
    with socket.create_connection(("127.0.0.1", bridge.port), timeout=10) as client:
        client.sendall(b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n")
        assert b"413" in client.recv(1000)


def test_requests_that_never_end_are_cut(
    bridge: BridgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", bridge.port), timeout=20) as client:
        client.sendall(b"GET /health HTTP/1.1\r\n")
        assert client.recv(1000) == b""
