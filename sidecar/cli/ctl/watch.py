"""`ctl watch`: injections of all targets, and how clients recover, as it happens."""

import argparse
import json
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from typing import Final, Protocol

from sidecar.cli.ctl.live import Live
from sidecar.cli.ctl.output import note
from sidecar.cli.ctl.rows import event_line
from sidecar.cli.ctl.streams import Streams, Told
from sidecar.cli.ctl.tables import printable
from sidecar.cli.ctl.targets import clients
from sidecar.cli.ctl.values import to_json
from sidecar.gen.kafka.chaos.v1.injection_service_pb2 import WatchInjectionsRequest

_TICK: Final = 0.25


class View(Protocol):
    """Where what happens is shown."""

    def event(self, told: Told) -> None:
        """Anything but a heartbeat."""

    def trouble(self, target: str, words: str) -> None:
        """A target that is not heard any more, or (with no words) is again."""

    def idle(self) -> None:
        """There is nothing more to show at this moment."""

    def close(self) -> None:
        """It is over."""


class Lines:
    """One line an event, for pipes and files; trouble goes to stderr.

    Args:
        several: targets, so that each line begins with one.
    """

    def __init__(self, several: bool) -> None:
        self._several = several

    def event(self, told: Told) -> None:
        """Print it."""
        assert told.event is not None
        words = event_line(told.event)
        print(printable(f"{told.target} {words}" if self._several else words))

    def trouble(self, target: str, words: str) -> None:
        """Tell it beside the lines."""
        note(f"{target}: {words or 'watching'}")

    def idle(self) -> None:
        """Let readers have what there is, and notice when there are none."""
        sys.stdout.flush()
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)  # errors are told whatever is asked for
        if any(happened & select.POLLERR for _, happened in poll.poll(0)):
            raise BrokenPipeError

    def close(self) -> None:
        """Nothing is held back."""
        sys.stdout.flush()


class JsonLines(Lines):
    """One JSON object an event."""

    def event(self, told: Told) -> None:
        """Print it with its target."""
        assert told.event is not None
        print(json.dumps({"target": told.target, **to_json(told.event)}))


class _Watch:
    """One run of the command.

    Args:
        view: where to show what happens.
        targets: their names.
        count: injections after which it ends; None for any number.
        until: when it ends, by the monotonic clock; None for never.
    """

    def __init__(
        self, view: View, targets: Sequence[str], count: int | None, until: float | None
    ) -> None:
        self._view = view
        self._targets = targets
        self._left = count
        self._until = until
        self._heard: set[str] = set()
        self._silent: set[str] = set()
        self._over: set[str] = set()

    def run(self, streams: Streams) -> int:
        """Follow until the end; the exit code."""
        while not self._done():
            told = streams.next(0)
            if told is None:
                self._view.idle()
                told = streams.next(_TICK)
            if told is None:
                continue
            if told.failure is not None:
                self._fail(told.target, told.failure.message, told.final)
            elif told.event is not None:
                self._take(told, told.event.WhichOneof("event"))
        return 1 if self._silent else 0

    def _done(self) -> bool:
        if self._left == 0 or (self._until is not None and time.monotonic() >= self._until):
            return True
        # Who was heard may come back; with nobody heard there is nothing to wait for.
        gone = self._over if self._heard else self._silent
        return len(gone) == len(self._targets)

    def _fail(self, target: str, words: str, final: bool) -> None:
        if final:
            self._over.add(target)
        if final or target not in self._silent:
            self._view.trouble(target, words if final else f"{words}; it is tried again")
        self._silent.add(target)

    def _take(self, told: Told, kind: str | None) -> None:
        if told.target in self._silent or told.target not in self._heard:
            self._heard.add(told.target)
            self._silent.discard(told.target)
            self._view.trouble(told.target, "")
        if kind != "heartbeat":
            self._view.event(told)
        if kind == "injection" and self._left is not None:
            self._left -= 1


class Watch:
    """The command."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Show what happens; the exit code."""
        asked = clients(arguments)
        names = [client.target for client in asked]
        request = WatchInjectionsRequest(
            virtual_cluster=arguments.vcluster, interceptor=arguments.interceptor
        )
        lasting = arguments.lasting
        until = None if lasting is None else time.monotonic() + lasting / 1000
        # So that the terminal is left as it was found.
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        view = _view(arguments.output, names)
        try:
            with Streams(asked, request) as streams:
                return _Watch(view, names, arguments.count, until).run(streams)
        finally:
            view.close()


def _view(output: str, names: Sequence[str]) -> View:
    if output == "json":
        return JsonLines(several=True)
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return Live(names)
    return Lines(several=len(names) > 1)
