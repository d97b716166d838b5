"""Connections whose peer is gone without a word."""

from typing import Any

import pytest
from gevent import socket

from codec.messages.heartbeat import HeartbeatRequest
from sidecar.net import dialing, listeners
from sidecar.net.liveness import KEEP_COUNT, KEEP_IDLE, KEEP_INTERVAL, keep_alive
from tests.sidecar.net.conftest import Start
from tests.support.fake_broker import FakeBroker

Options = tuple[int, int, int, int]
ASKED = (1, KEEP_IDLE, KEEP_INTERVAL, KEEP_COUNT)


def options(sock: Any) -> Options:
    """Whether the kernel asks, after how long, how often, how many times."""
    wanted = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    on = sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    idle, interval, count = (sock.getsockopt(socket.IPPROTO_TCP, option) for option in wanted)
    return bool(on), idle, interval, count


def test_both_sides_of_a_connection_are_asked_after(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers: dict[int, Options] = {}

    def noted(sock: Any) -> None:
        keep_alive(sock)
        peers[sock.getpeername()[1]] = options(sock)

    monkeypatch.setattr(listeners, "keep_alive", noted)
    monkeypatch.setattr(dialing, "keep_alive", noted)
    broker = FakeBroker()
    running = start(broker)
    client = running.client()
    assert client.ask(HeartbeatRequest(group_id="g", generation_id=1, member_id="m"), 4)

    assert peers[client.sock.getsockname()[1]] == ASKED
    assert peers[broker.address[1]] == ASKED
