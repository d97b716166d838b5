"""Who is refused over HTTP, when it may try again, and what is told of it."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
from werkzeug.test import Client, TestResponse

from rest_bridge.client import SidecarClient
from rest_bridge.server import MAX_HEADER_BYTES, BridgeServer
from rest_bridge.wsgi import MAX_BODY_BYTES, Bridge
from sidecar.api.lockout import FAILURES_AT_ONCE, SECONDS_A_FAILURE
from sidecar.control.users import AdminUsers
from tests.rest_bridge.harness import INTERCEPTORS, Http
from tests.sidecar.api.harness import Control, basic, running

LISTING = f"{INTERCEPTORS}/all"


@pytest.mark.parametrize("path", [LISTING, "/gateway/v2/interceptor", "/metrics"])
def test_who_failed_too_often_is_told_when_to_try_again(http: Http, path: str) -> None:
    wrong = basic("admin", "wrong")
    for _ in range(FAILURES_AT_ONCE):
        assert http("GET", path, authorization=wrong).status_code == 401
    answer = http("GET", path)

    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= SECONDS_A_FAILURE
    assert "too many failed authentications" in answer.text
    assert http("GET", path, authorization=basic("viewer", "looks")).status_code == 200


def test_too_many_calls_are_told_when_to_try_again() -> None:
    with running(rate=0.001, burst=1) as control:
        http = Http(Client(Bridge(SidecarClient(control.channel, "sidecar:50051"))))
        answers = [http("GET", LISTING) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["Retry-After"] == "1"
    assert "Retry-After" not in answers[0].headers


def test_the_user_that_everybody_knows_is_not_for_clients_of_a_bridge_of_its_own() -> None:
    users = AdminUsers([("admin", "conduktor", True)], local_only=True)
    with running(users=users) as control:
        client = Client(Bridge(SidecarClient(control.channel, "sidecar:50051")))

        def ask(address: str) -> TestResponse:
            headers, base = {"Authorization": basic()}, {"REMOTE_ADDR": address}
            return client.get(LISTING, headers=headers, environ_base=base)

        assert [ask(address).status_code for address in ("127.0.0.1", "::1")] == [200, 200]
        for address in ("10.1.2.3", "2001:db8::1"):
            answer = ask(address)
            assert answer.status_code == 401
            assert "set GATEWAY_ADMIN_API_USERS" in answer.text


def test_a_guesser_does_not_lock_out_the_others_of_a_bridge_of_its_own(control: Control) -> None:
    client = Client(Bridge(SidecarClient(control.channel, "sidecar:50051")))

    def ask(address: str, password: str = "conduktor") -> int:
        headers, base = {"Authorization": basic("admin", password)}, {"REMOTE_ADDR": address}
        return client.get(LISTING, headers=headers, environ_base=base).status_code

    assert {ask("10.0.0.1", "wrong") for _ in range(3 * FAILURES_AT_ONCE)} == {401, 429}
    assert ask("10.0.0.1") == 429
    assert ask("10.0.0.2") == 200


Refused = list[tuple[int, str]]


@pytest.fixture
def refused() -> Refused:
    """Status and address of what a bridge refused."""
    return []


@pytest.fixture
def bridge(control: Control, refused: Refused) -> Iterator[BridgeServer]:
    """A started bridge that tells what it refuses."""
    bridge = BridgeServer(
        f"127.0.0.1:{control.server.port}",
        "127.0.0.1",
        0,
        refused=lambda status, address: refused.append((status, address)),
    )
    bridge.start()
    try:
        yield bridge
    finally:
        bridge.stop()


def told(port: int, request: bytes) -> bytes:
    """Return the status of the answer to a request that asks to close."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # what was too long is not read to its end
            while part := connection.recv(65536):
                answer += part
    return answer.split(b" ", 2)[1]


_CLOSE = "Host: x\r\nConnection: close\r\n"
_ADMIN = f"{_CLOSE}Authorization: {basic()}\r\n"
_BODY = "x" * (MAX_BODY_BYTES + 1)


@pytest.mark.parametrize(
    ("status", "request_text"),
    [
        (401, f"GET {LISTING} HTTP/1.1\r\n{_CLOSE}\r\n"),
        (404, f"GET /nowhere HTTP/1.1\r\n{_CLOSE}\r\n"),
        (405, f"DELETE /health HTTP/1.1\r\n{_CLOSE}\r\n"),
        (
            413,
            f"POST {INTERCEPTORS}/global/interceptor/n HTTP/1.1\r\n{_ADMIN}"
            f"Content-Length: {len(_BODY)}\r\n\r\n{_BODY}",
        ),
        (413, f"POST /x HTTP/1.1\r\n{_CLOSE}Content-Length: {5 * MAX_BODY_BYTES}\r\n\r\n"),
        (431, f"GET / HTTP/1.1\r\n{_CLOSE}X: {'x' * MAX_HEADER_BYTES}\r\n\r\n"),
        (400, f"GET / HTTP/1.1\r\n{_CLOSE}no header\r\n\r\n"),
    ],
)
def test_what_the_bridge_refuses_is_told(
    bridge: BridgeServer, refused: Refused, status: int, request_text: str
) -> None:
    assert told(bridge.port, request_text.encode()) == str(status).encode()
    assert refused == [(status, "127.0.0.1")]


def test_what_the_sidecar_refuses_is_told_by_it(bridge: BridgeServer, refused: Refused) -> None:
    wrong = f"{_CLOSE}Authorization: {basic('admin', 'wrong')}\r\n"
    assert told(bridge.port, f"GET {LISTING} HTTP/1.1\r\n{wrong}\r\n".encode()) == b"401"
    assert told(bridge.port, f"GET /health HTTP/1.1\r\n{_CLOSE}\r\n".encode()) == b"200"
    assert refused == []
