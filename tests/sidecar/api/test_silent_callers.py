"""Who opens calls and says nothing holds up nobody."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from werkzeug.test import Client

from rest_bridge.client import SidecarClient
from rest_bridge.wsgi import Bridge
from sidecar.api import grpc_server
from sidecar.api.guard import MAX_ARRIVING
from sidecar.gen.kafka.chaos.v1 import sidecar_service_pb2 as spb
from tests.sidecar.api.harness import ADMIN, VIEWER, Control, running

_SILENT = 50
"""Of one connection; it has 64 streams at most."""
_METHODS = (
    "/grpc.health.v1.Health/Check",
    "/kafka.chaos.v1.SidecarService/GetBuildInfo",
    "/kafka.chaos.v1.SidecarService/GetStatus",
)
Metadata = tuple[tuple[str, str], ...]


@contextmanager
def silent(
    port: int, method: str, connections: int, number: int, metadata: Metadata = ()
) -> Iterator[list[Any]]:
    """Calls that are open and whose message never comes."""
    over = threading.Event()

    def nothing() -> Iterator[bytes]:
        over.wait(60)
        yield from ()

    with ExitStack() as stack:
        calls = []
        for _ in range(connections):
            options = (("grpc.use_local_subchannel_pool", 1),)  # or they share one connection
            channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}", options))
            opened: Callable[..., Any] = channel.stream_unary(method)
            calls += [opened.future(nothing(), metadata=metadata) for _ in range(number)]
        try:
            yield calls
        finally:
            over.set()
            for call in calls:
                call.cancel()


def wait_until_over(calls: list[Any], number: int) -> None:
    """Wait until so many of the calls are over; which is when all of them have come."""
    over = threading.Semaphore(0)
    for call in calls:
        call.add_done_callback(lambda _: over.release())
    for _ in range(number):
        assert over.acquire(timeout=30)


def assert_answers(control: Control) -> None:
    """A real call, gRPC's health and /health of REST are answered."""
    assert control.sidecar.GetStatus(spb.GetStatusRequest(), metadata=ADMIN, timeout=30)
    health = health_pb2_grpc.HealthStub(control.channel)
    answer = health.Check(health_pb2.HealthCheckRequest(), timeout=30)  # type: ignore[attr-defined]
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    rest = Client(Bridge(SidecarClient(control.channel, "the sidecar")))
    assert rest.get("/health").status_code == 200


@pytest.mark.parametrize("metadata", [(), VIEWER], ids=["strangers", "users"])
@pytest.mark.parametrize("method", _METHODS)
def test_silent_callers_hold_up_nobody(method: str, metadata: Metadata) -> None:
    with (
        running() as control,
        silent(control.server.port, method, 3, _SILENT, metadata) as calls,
    ):
        refused = method == _METHODS[-1] and not metadata
        wait_until_over(calls, len(calls) - (0 if refused else MAX_ARRIVING))
        for _ in range(3):
            assert_answers(control)
        codes = {call.code() for call in calls if call.done()}

    expected = grpc.StatusCode.UNAUTHENTICATED if refused else grpc.StatusCode.CANCELLED
    assert expected in codes
    assert codes <= {expected, grpc.StatusCode.RESOURCE_EXHAUSTED}


@pytest.mark.parametrize("metadata", [(), VIEWER], ids=["strangers", "users"])
@pytest.mark.parametrize("method", _METHODS)
def test_as_many_as_one_connection_has_hold_up_nobody(method: str, metadata: Metadata) -> None:
    with running() as control, silent(control.server.port, method, 1, _SILENT, metadata):
        for _ in range(3):
            assert_answers(control)


def test_a_stranger_is_refused_before_its_message_comes(control: Control) -> None:
    with (
        silent(control.server.port, _METHODS[-1], 1, 1) as [call],
        pytest.raises(grpc.RpcError) as failure,
    ):
        call.result(timeout=30)

    assert failure.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_a_call_that_ends_without_a_message_is_told_so(control: Control) -> None:
    for method, metadata in zip(_METHODS, ((), (), ADMIN), strict=True):
        call: Callable[..., Any] = control.channel.stream_unary(method)
        with pytest.raises(grpc.RpcError) as failure:
            call(iter(()), metadata=metadata, timeout=30)
        assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert failure.value.details() == "request: the call has no message"


def test_bytes_that_are_no_message_are_told_so(control: Control) -> None:
    for method, metadata in zip(_METHODS, ((), (), ADMIN), strict=True):
        call: Callable[..., Any] = control.channel.unary_unary(method)
        with pytest.raises(grpc.RpcError) as failure:
            call(b"\xff\xff", metadata=metadata, timeout=30)
        assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert failure.value.details() == "request: the message cannot be parsed"


def test_health_is_told_to_watchers(control: Control) -> None:
    health = health_pb2_grpc.HealthStub(control.channel)
    request = health_pb2.HealthCheckRequest()
    watchers = [health.Watch(request, timeout=60) for _ in range(40)]  # type: ignore[attr-defined]
    for watcher in watchers:
        assert next(watcher).status == health_pb2.HealthCheckResponse.SERVING
    control.server.set_serving(False)
    for watcher in watchers:
        assert next(watcher).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watcher.cancel()
    assert control.sidecar.GetStatus(spb.GetStatusRequest(), metadata=ADMIN, timeout=30)


def test_a_connection_that_never_begins_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "grpc.server_handshake_timeout_ms"
    limits = dict(grpc_server._OPTIONS)
    assert limits[name] == grpc_server.HANDSHAKE_SECONDS * 1000
    monkeypatch.setattr(grpc_server, "_OPTIONS", tuple((limits | {name: 200}).items()))
    with (
        running() as control,
        socket.create_connection(("127.0.0.1", control.server.port), 30) as silent,
    ):
        while silent.recv(4096):
            pass
