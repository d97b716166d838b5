"""One row of the table: what is done to a world."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.kafka.reliability.world import World


def nothing(world: World) -> contextlib.AbstractContextManager[object]:
    """The world as it is."""
    return contextlib.nullcontext()


@dataclass(frozen=True)
class Fault:
    """One row of the table.

    Args:
        what: was done, in words.
        act: does it; returns what a client saw besides, in words, or nothing.
        may_grow: MiB that memory may grow by.
        prepare: what has to be so before the load begins, and is undone after it; raises
            NotHere where it cannot be.
        on_hosts: whether clients, sidecar and brokers are on hosts of their own.
    """

    name: str
    what: str
    act: Callable[[World], str | None]
    may_grow: float = 40
    prepare: Callable[[World], contextlib.AbstractContextManager[object]] = nothing
    on_hosts: bool = False


def pause(seconds: float) -> None:
    """Let the load go on."""
    threading.Event().wait(seconds)
