"""Every control call as one event: who, from where, what, what it changed, and how it ended.

What a call has changed is heard where it is committed, on the thread of the call: whatever others
change at the same time is theirs.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any, Final

from google.protobuf.json_format import MessageToDict, SerializeToJsonError

from sidecar.api.callers import Caller
from sidecar.model.errors import DomainError
from sidecar.model.snapshot import Snapshot
from sidecar.state.mirror import changed_items

MOST_CHANGES: Final = 20
"""Changes of one call that are told one by one."""
LONGEST: Final = 2048
"""Characters of a request or of a state before or after; of a longer one its digest is told."""

Log = Callable[..., object]


class Audit:
    """Makes the events.

    Args:
        log: logs an event and its fields; on any thread.
        clock: seconds on a monotonic clock.
    """

    def __init__(self, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._current = threading.local()

    def committed(self, before: Snapshot, after: Snapshot) -> None:
        """Take note of what the call of this thread has changed."""
        changes = getattr(self._current, "changes", None)
        if changes is not None:
            changes += _changes(before, after)

    @contextmanager
    def call(self, method: str, caller: Caller, request: Any) -> Iterator[dict[str, Any]]:
        """Log the call that is made inside; who it is by is put into what this gives, as `user`."""
        begun = self._clock()
        fields: dict[str, Any] = {"user": None}
        changes: list[dict[str, Any]] = []
        self._current.changes = changes
        outcome = "OK"
        try:
            yield fields
        except GeneratorExit:
            outcome = "CANCELLED"
            raise
        except DomainError as error:
            outcome = type(error).__name__
            raise
        except BaseException:
            outcome = "INTERNAL"
            raise
        finally:
            self._current.changes = None
            if len(changes) > MOST_CHANGES:
                fields["more_changes"] = len(changes) - MOST_CHANGES
            self._log(
                "control_call",
                method=method.rpartition(".")[2],
                door=caller.door,
                address=caller.address,
                **fields,
                request=_bounded(_told(request)),
                changes=changes[:MOST_CHANGES],
                outcome=outcome,
                milliseconds=round((self._clock() - begun) * 1000, 1),
            )


def _changes(before: Snapshot, after: Snapshot) -> list[dict[str, Any]]:
    return [
        {"resource": key, "before": _bounded(was), "after": _bounded(now)}
        for key, was, now in changed_items(before, after)
    ]


def _told(request: Any) -> Any:
    try:
        return MessageToDict(request, preserving_proto_field_name=True)
    except SerializeToJsonError:  # a time that is none, say, for which the call is refused
        return str(request)


def _bounded(value: Any) -> Any:
    text = str(value)
    if value is None or len(text) <= LONGEST:
        return value
    return f"{len(text)} characters, {blake2b(text.encode(), digest_size=8).hexdigest()}"
