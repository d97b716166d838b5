"""How outcomes are shown, and how a command ends: exit codes, Ctrl-C, readers that go away."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from google.protobuf.message import Message

from sidecar.cli.ctl.tables import BOLD, colours, paint, printable, table
from sidecar.cli.ctl.targets import Client, Outcome, UsageError, ask_all, clients
from sidecar.cli.ctl.values import Json, to_json

Row = Sequence[str]


class Runnable(Protocol):
    """What a command line ends in."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit code."""


STOPPED: Final = 128 + signal.SIGINT
NO_READER: Final = 128 + signal.SIGPIPE


@dataclass(frozen=True, slots=True)
class Table:
    """How an answer is shown to people.

    Args:
        columns: their titles.
        rows: of an answer, as many cells each as there are columns.
    """

    columns: Sequence[str]
    rows: Callable[[Any], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class Command:
    """What a command asks each target, and how the answers are shown.

    Args:
        call: asks; raises grpc.RpcError.
        tables: one below the other.
        nothing: what is said of a target without a row in any table.
        advice: by gRPC's name of a code, what to do about it.
        words: by field, its flag or argument where that is not what other commands call it.
    """

    call: Callable[[Client, argparse.Namespace], Message]
    tables: Sequence[Table]
    nothing: str = "nothing"
    advice: Sequence[tuple[str, str]] = ()
    words: Sequence[tuple[str, str]] = ()

    def run(self, arguments: argparse.Namespace) -> int:
        """Ask all targets, show what came of it, and return the exit code."""
        outcomes = ask_all(
            clients(arguments), lambda client: self.call(client, arguments), dict(self.words)
        )
        if arguments.output == "json":
            print(json.dumps({"targets": [_json(outcome) for outcome in outcomes]}, indent=2))
        else:
            self._show(outcomes)
        sys.stdout.flush()
        return complain(outcomes, dict(self.advice))

    def _show(self, outcomes: Sequence[Outcome]) -> None:
        several, coloured, empty = len(outcomes) > 1, colours(sys.stdout), set[str]()
        shown = False
        good = [outcome for outcome in outcomes if outcome.answer is not None]
        empty.update(outcome.target for outcome in good)
        for part in self.tables:
            rows: list[Row] = []
            for outcome in good:
                found = list(part.rows(outcome.answer))
                rows += [(outcome.target, *row) for row in found] if several else found
                if found:
                    empty.discard(outcome.target)
            if rows:
                columns = ("TARGET", *part.columns) if several else part.columns
                head, *lines = table(columns, rows)
                print(*([""] if shown else []), paint(head, BOLD, on=coloured), *lines, sep="\n")
                shown = True
        sys.stdout.flush()
        for outcome in good:
            if outcome.target in empty:
                note(f"{outcome.target}: {self.nothing}")


def complain(outcomes: Iterable[Outcome], advice: dict[str, str]) -> int:
    """Name the targets that failed on stderr; the exit code."""
    code = 0
    for outcome in outcomes:
        if outcome.failure is not None:
            more = advice.get(outcome.failure.code, "")
            note(f"{outcome.target}: {outcome.failure.message}{more}")
            code = 1
    return code


def note(message: str) -> None:
    """Tell people something that is no result."""
    print(f"chaos-sidecar: {printable(message)}", file=sys.stderr, flush=True)


def ending(function: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Run a command so that it ends without a traceback: 2 when it cannot be carried out as typed,
    130 on Ctrl-C, 141 when nobody reads its output any more."""

    def run(arguments: argparse.Namespace) -> int:
        # Names may have letters that the terminal's encoding has not.
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        try:
            _check_encoding(arguments)
            return function(arguments)
        except UsageError as error:
            note(str(error))
            return 2
        except KeyboardInterrupt:
            return STOPPED
        except BrokenPipeError:
            # Python would complain once more when it flushes at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return NO_READER

    return run


def _check_encoding(arguments: argparse.Namespace) -> None:
    """UsageError if there are bytes that are no text, which Python escapes: gRPC has text only."""
    for value in vars(arguments).values():
        several = [*value, *value.values()] if isinstance(value, dict) else value
        for one in several if isinstance(several, list) else [value]:
            if isinstance(one, str) and not _is_text(one):
                raise UsageError(f"{one!r} cannot be sent: it has bytes that are not UTF-8")


def _is_text(value: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in value)


def _json(outcome: Outcome) -> dict[str, Json]:
    failure = outcome.failure
    return {
        "target": outcome.target,
        "ok": failure is None,
        "result": None if outcome.answer is None else to_json(outcome.answer),
        "error": failure and {"code": failure.code, "message": failure.message},
    }
