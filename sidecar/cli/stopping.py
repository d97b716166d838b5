"""Waiting for Ctrl-C or SIGTERM on the gevent hub."""

import signal
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event


def until_stopped(start: Callable[[], None], stop: Callable[[], None]) -> None:
    """Call `start`, wait for SIGINT or SIGTERM (also while it starts), then call `stop`.

    Raises:
        whatever `start` raises; `stop` has been called then too.
    """
    asked = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, asked.set)
    starting = gevent.spawn(start)
    either: list[Any] = [starting, asked]
    try:
        gevent.wait(either, count=1)
        if starting.ready():
            starting.get()
            asked.wait()
    finally:
        starting.kill()
        stop()
