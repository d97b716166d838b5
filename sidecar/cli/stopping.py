"""Waiting for Ctrl-C or SIGTERM on the gevent hub."""

import signal
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from gevent.util import wrap_errors


def until_stopped(start: Callable[[], None], stop: Callable[[], None]) -> None:
    """Call `start`, wait for SIGINT or SIGTERM (also while it starts), then call `stop`.

    Raises:
        whatever `start` raises; `stop` has been called then too.
    """
    asked = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, asked.set)
    # Wrapped: gevent would print a traceback of what the caller turns into a sentence.
    starting = gevent.spawn(wrap_errors((Exception,), start))
    either: list[Any] = [starting, asked]
    try:
        gevent.wait(either, count=1)
        if starting.ready():
            failure = starting.get()
            if failure is not None:
                raise failure
            asked.wait()
    finally:
        starting.kill()
        stop()
