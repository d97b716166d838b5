"""Every control call as one event: who, from where, what, what it changed, and how it ended.

What a call has changed is heard where it is committed, on the thread of the call: whatever others
change at the same time is theirs. Calls that were refused unread, as there were too many, are
counted and told of together.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import grpc
from google.protobuf.json_format import MessageToDict, SerializeToJsonError

from sidecar.api.callers import Caller
from sidecar.model.errors import DomainError, Refused
from sidecar.model.snapshot import Snapshot
from sidecar.state.mirror import changed_items

MOST_CHANGES: Final = 20
"""Changes of one call that are told one by one."""
LONGEST: Final = 2048
"""Characters of a request or of a state before or after; of a longer one its digest is told."""

Log = Callable[..., object]


Refusing = Callable[[str, str, str], object]
"""Takes note of a call that was refused: door, reason, address."""


@dataclass(slots=True)
class Call:
    """What is told of a call, as far as it is known by now."""

    user: str | None = None
    request: Any = None


class Audit:
    """Makes the events.

    Args:
        log: logs an event and its fields; on any thread.
        refused: told of calls that were refused unread; on any thread.
        clock: seconds on a monotonic clock.
    """

    def __init__(
        self, log: Log, refused: Refusing, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._refused = refused
        self._clock = clock
        self._current = threading.local()

    def committed(self, before: Snapshot, after: Snapshot) -> None:
        """Take note of what the call of this thread has changed."""
        changes = getattr(self._current, "changes", None)
        if changes is not None:
            changes += _changes(before, after)

    @contextmanager
    def call(self, method: str, caller: Caller) -> Iterator[Call]:
        """Log the call that is made inside, with what has been put into what this gives."""
        begun = self._clock()
        call = Call()
        changes: list[dict[str, Any]] = []
        self._current.changes = changes
        outcome = "OK"
        try:
            yield call
        except (GeneratorExit, grpc.RpcError):
            outcome = "CANCELLED"
            raise
        except Refused as error:
            outcome = ""
            self._refused(caller.door, error.reason, caller.address)
            raise
        except DomainError as error:
            outcome = type(error).__name__
            raise
        except BaseException:
            outcome = "INTERNAL"
            raise
        finally:
            self._current.changes = None
            if outcome:
                self._log(
                    "control_call",
                    method=method.rpartition(".")[2],
                    **_whence(caller),
                    user=call.user,
                    request=_bounded(_told(call.request)),
                    **_listed(changes),
                    outcome=outcome,
                    milliseconds=round((self._clock() - begun) * 1000, 1),
                )


def _whence(caller: Caller) -> dict[str, str]:
    fields = {"door": caller.door, "address": caller.address}
    more = {"bridge": caller.bridge, "claimed": caller.claimed}
    return fields | {name: value for name, value in more.items() if value}


def _listed(changes: list[dict[str, Any]]) -> dict[str, Any]:
    if len(changes) <= MOST_CHANGES:
        return {"changes": changes}
    return {"changes": changes[:MOST_CHANGES], "more_changes": len(changes) - MOST_CHANGES}


def _changes(before: Snapshot, after: Snapshot) -> list[dict[str, Any]]:
    return [
        {"resource": key, "before": _bounded(was), "after": _bounded(now)}
        for key, was, now in changed_items(before, after)
    ]


def _told(request: Any) -> Any:
    if request is None:  # the call was refused before it was read
        return None
    try:
        return MessageToDict(request, preserving_proto_field_name=True)
    except SerializeToJsonError:  # a time that is none, say, for which the call is refused
        return str(request)


def _bounded(value: Any) -> Any:
    text = str(value)
    if value is None or len(text) <= LONGEST:
        return value
    return f"{len(text)} characters, {blake2b(text.encode(), digest_size=8).hexdigest()}"
