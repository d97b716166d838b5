"""How a connection whose peer is gone without a word comes to its end."""

import socket
from typing import Any, Final

KEEP_IDLE: Final = 60
"""Seconds of silence until the kernel asks whether the peer is still there."""
KEEP_INTERVAL: Final = 10
"""Seconds until it asks again."""
KEEP_COUNT: Final = 3
"""Questions without an answer until the connection is broken."""

_OPTIONS: Final = (
    ("TCP_KEEPIDLE", KEEP_IDLE),
    ("TCP_KEEPALIVE", KEEP_IDLE),  # as macOS calls it
    ("TCP_KEEPINTVL", KEEP_INTERVAL),
    ("TCP_KEEPCNT", KEEP_COUNT),
)


def keep_alive(sock: Any) -> None:
    """Have the kernel end a silent connection whose peer does not answer, within 90 s.

    Its own pace is two hours, and as long a place and a descriptor would be taken. A peer that is
    there answers without its application knowing, however long it neither reads nor writes. There
    is no TCP_USER_TIMEOUT: it would end connections to brokers that throttle and to consumers that
    are busy, as both let their windows close (tcp(7)). What has been sent and is not acknowledged
    is repeated by the kernel for some 15 minutes; Kafka's clients give up before, after
    `request.timeout.ms`, and that ends both sides.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
