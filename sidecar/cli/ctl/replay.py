"""The command `ctl replay`: have what a log tells happen again."""

import argparse
import json
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.json_format import ParseDict, ParseError

from sidecar.cli.arguments import Parser
from sidecar.cli.ctl import rows
from sidecar.cli.ctl.flags import leaf
from sidecar.cli.ctl.output import Command, note
from sidecar.cli.ctl.targets import Client, UsageError
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2_grpc import InterceptorServiceStub

_DESCRIPTION: Final = """\
Have what the log of a sidecar tells happen again: its interceptors are created anew, with their
seeds, and strike the draws that struck then and no others, whatever limited, paused or halted them.
So the same workload meets the same injections. What is there by their names is replaced.

FILE is what a sidecar wrote on stdout (- is stdin); lines that are something else are passed over.
Draws are numbered in the order in which requests come, so a workload is the same if it sends the
same requests in the same order: one connection at a time, and one process (GATEWAY_WORKERS).

Faults that strike by the clock (leaderless, rolling-restart, coordinator-move) are left out. Of an
election that draws for partitions or windows the seed decides alone, and limits stay as they were.
"""
MAX_DRAWS: Final = 10_000
"""Numbers that `Interceptor.draws` may have."""
_OUTPUTS: Final = ("uid", "effective_seed", "injections", "etag", "state", "paused")
_BY_THE_CLOCK: Final = frozenset({"leaderless", "rolling_restart", "coordinator_move"})
"""Faults that strike by the time of a request, and draw nothing."""
_ENDS: Final = ("expire_time", "ttl", "lease")


def fill(commands: Any) -> None:
    """Add the command to a subparsers object."""
    replay = _Replay()
    leaf(
        commands,
        "replay",
        "have what a log tells happen again",
        "replay sidecar.log --interceptor elections --target localhost:50051",
        Command(replay.carry_out, (rows.INTERCEPTORS,)),
        _add_what,
        description=_DESCRIPTION,
    )


def _add_what(parser: Parser) -> None:
    parser.add_argument("log", metavar="FILE", help="a sidecar's log; - is stdin")
    parser.add_argument(
        "--interceptor", default="", metavar="NAME", help="only the one of this name"
    )
    parser.add_argument(
        "--uid", default="", metavar="UID", help="only the one of this uid, as the log has it"
    )


@dataclass(slots=True)
class _Told:
    """What a log tells of one uid."""

    definition: dict[str, Any] | None = None
    name: str = ""
    fault: str = ""
    draws: set[int] = field(default_factory=set)


class _Replay:
    """Reads the log once, for however many targets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: list[Interceptor] | None = None

    def carry_out(self, client: Client, arguments: argparse.Namespace) -> Any:
        """Put the interceptors there; UsageError if the log does not tell them."""
        with self._lock:
            if self._wanted is None:
                self._wanted = _wanted(arguments)
            wanted = self._wanted
        service = InterceptorServiceStub(client.channel)
        created = []
        for one in wanted:
            # Not updated: its draws have to begin with the first one.
            gone = ipb.DeleteInterceptorRequest(name=one.name, scope=one.scope, allow_missing=True)
            client.ask(service.DeleteInterceptor, gone)
            request = ipb.CreateInterceptorRequest(interceptor=one, require_new=True)
            created.append(client.ask(service.CreateInterceptor, request).interceptor)
        return ipb.ListInterceptorsResponse(interceptors=created)


def _wanted(arguments: argparse.Namespace) -> list[Interceptor]:
    """The interceptors of the log that struck, as they are to be created."""
    try:
        if arguments.log == "-":
            told = read(sys.stdin.buffer)
        else:
            with open(arguments.log, "rb") as lines:
                told = read(lines)
    except OSError as error:
        raise UsageError(f"{arguments.log} cannot be read: {error.strerror}") from None
    found = {
        uid: one
        for uid, one in told.items()
        if one.draws and arguments.interceptor in ("", one.name) and arguments.uid in ("", uid)
    }
    if not found:
        which = [
            *([f"of interceptor {arguments.interceptor!r}"] if arguments.interceptor else []),
            *([f"under uid {arguments.uid!r}"] if arguments.uid else []),
        ]
        struck = sorted({one.name for one in told.values() if one.draws})
        there = f"; it has those of {', '.join(struck)}" if struck else ""
        words = " ".join(["no fault_injected events", *which])
        raise UsageError(f"{arguments.log} has {words}{there}")
    for uid, one in tuple(found.items()):
        if one.fault in _BY_THE_CLOCK:
            note(f"{one.name}: {one.fault} strikes by the clock, not by draws: it is left out")
            del found[uid]
    if not found:
        raise UsageError(f"{arguments.log} has nothing else that could be replayed")
    made = [(uid, interceptor_of(uid, one)) for uid, one in found.items()]
    _check_names(made, found)
    return [one for _, one in made]


def _check_names(made: list[tuple[str, Interceptor]], found: dict[str, _Told]) -> None:
    """Refuse several of one name in one scope: only one of them can be there."""
    uids: dict[tuple[bytes, str], list[str]] = {}
    for uid, one in made:
        uids.setdefault((one.scope.SerializeToString(), one.name), []).append(uid)
    for (_, name), several in uids.items():
        if len(several) > 1:
            told = ", ".join(f"{uid} ({len(found[uid].draws)} draws)" for uid in several)
            raise UsageError(
                f"interceptor {name!r} was replaced meanwhile, --uid says which: {told}"
            )


def read(lines: Iterable[bytes]) -> dict[str, _Told]:
    """What a log tells, by uid; lines that are no events of a sidecar are passed over.

    Raises:
        UsageError: an event is torn: what it told would be missing.
    """
    found: dict[str, _Told] = {}
    for event in _events(lines):
        uid = event.get("interceptor_uid")
        if not isinstance(uid, str):
            continue
        if event["event"] == "interceptor_set" and isinstance(event.get("definition"), dict):
            found.setdefault(uid, _Told()).definition = event["definition"]
        if event["event"] == "fault_injected":
            told = found.setdefault(uid, _Told())
            told.name, told.fault = str(event.get("interceptor")), str(event.get("fault"))
            if event.get("reason") == "DRAWN" and isinstance(event.get("draw"), int):
                told.draws.add(event["draw"])
    return found


def _events(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        if b'"event":"fault_injected"' not in line and b'"event":"interceptor_set"' not in line:
            continue
        start = line.find(b"{")  # container runtimes put a time before it
        try:
            event = json.loads(line[start:])
        except ValueError:
            if line.endswith(b"\n"):
                raise UsageError(f"line {number} of the log is an event that is torn") from None
            note("the last line of the log is cut off, and passed over")
            continue
        if isinstance(event, dict) and event.get("event") in ("interceptor_set", "fault_injected"):
            yield event


def interceptor_of(uid: str, told: _Told) -> Interceptor:
    """What has to be created for the same draws to strike.

    Raises:
        UsageError: the log does not say what it was, or this version does not know it, or there are
            too many draws.
    """
    if told.definition is None:
        raise UsageError(
            f"the log does not tell what interceptor {told.name!r} (uid {uid}) was: it needs the"
            " event interceptor_set, from when it was created"
        )
    try:
        wanted = ParseDict(told.definition, Interceptor())
    except ParseError as error:
        raise UsageError(
            f"interceptor {told.name!r} of the log is not known here: {error}"
        ) from None
    kind = wanted.WhichOneof("fault")
    if kind is None:
        raise UsageError(f"interceptor {told.name!r} of the log has no fault that is known here")
    fault, seed = getattr(wanted, kind), wanted.effective_seed
    fault.seed = seed
    for name in (*_OUTPUTS, *_ENDS):
        wanted.ClearField(name)
    if draws_for_itself(wanted):
        note(
            f"{told.name}: its seed decides alone, as it numbers the draws of each partition or"
            " window itself; limits stay as they were"
        )
        return wanted
    if len(told.draws) > MAX_DRAWS:
        raise UsageError(
            f"interceptor {told.name!r} has {len(told.draws)} draws in the log, at most {MAX_DRAWS}"
            " can be replayed: give a part of the log"
        )
    wanted.ClearField("limits")
    wanted.draws.extend(sorted(told.draws))
    return wanted


def draws_for_itself(wanted: Interceptor) -> bool:
    """Whether its fault has draws of its own, see `Interceptor.draws`."""
    kind = wanted.WhichOneof("fault")
    if kind != "leader_election":
        return False
    election = wanted.leader_election
    return election.window_ms > 0 or election.draw == election.DRAW_PARTITION
