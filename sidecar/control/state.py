"""The one `Snapshot`, and the turns of those who change it."""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial, wraps
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from sidecar.control.ports import Outrun, Store
from sidecar.model.errors import Aborted, Unavailable
from sidecar.model.snapshot import Snapshot

Given = ParamSpec("Given")
Result = TypeVar("Result")

ATTEMPTS: Final = 12
"""How often a change is tried while other sidecars change what is shared."""
_PAUSE: Final = 0.01
"""Seconds before the second attempt, at most; twice as many before each further one."""
_LONGEST_PAUSE: Final = 0.3


class Memory:
    """Keeps nothing: what there is ends with the process."""

    lacking: Final = False

    def news(self, *, everything: bool = False) -> Mapping[str, Any] | None:
        """Nobody else changes anything."""
        return None

    def save(self, wanted: Snapshot) -> None:
        """The snapshot is all there is."""


class ControlState:
    """What the control services share. Writers take turns; readers take the current snapshot.

    Args:
        publish: takes each new snapshot before the call that caused it returns; may wait for the
            data side, but not for long. Calls never overlap. When it raises, nothing has changed.
        store: where the state outlives the process, and what other sidecars tell.
    """

    def __init__(self, publish: Callable[[Snapshot], None], store: Store | None = None) -> None:
        self._publish = publish
        self._store: Store = store or Memory()
        self._snapshot = Snapshot()
        self._untold = False
        """Whether this sidecar is halted and could not store that."""
        self._behind = False
        """Whether the store has what could not be published."""
        self._waiting = threading.Event()  # never set
        self.lock = threading.Lock()
        """Held by a service from its first look until after `commit`; never by the hub."""
        self.on_commit: Callable[[Snapshot, Snapshot], None] = lambda old, new: None
        """Given the snapshots before and after a change made here, on the thread that made it."""
        self.on_news: Callable[[Snapshot, Snapshot], None] = lambda old, new: None
        """Given the snapshots before and after what other sidecars did, in a writer's turn."""

    @property
    def snapshot(self) -> Snapshot:
        """The current one; any thread may read it, without the lock."""
        return self._snapshot

    def commit(self, **changes: Any) -> None:
        """Store and publish the snapshot with these fields replaced. Needs the lock.

        Raises:
            Outrun: another sidecar has changed the state; `in_turn` looks at it anew.
            Unavailable: it cannot be stored now; nothing has changed.
        """
        changed = replace(self._snapshot, revision=self._snapshot.revision + 1, **changes)
        before = self._snapshot
        self._store.save(changed)
        self._keep(changed)
        self.on_commit(before, changed)

    def _keep(self, changed: Snapshot) -> None:
        self._behind = True
        self._publish(changed)
        self._snapshot = changed
        self._behind = False

    def in_turn(self, operation: Callable[[], Result]) -> Result:
        """Run what looks at the snapshot and commits, while nobody else does.

        It runs again when another sidecar was faster, so it must not have done anything before.

        Raises:
            Aborted: others were faster every time.
        """
        with self.lock:
            for attempt in range(ATTEMPTS):
                self._adopt()
                try:
                    return operation()
                except Outrun:
                    pause = min(_LONGEST_PAUSE, _PAUSE * 2**attempt)
                    self._waiting.wait(random.uniform(0, pause))
        raise Aborted(
            f"other sidecars changed the shared state {ATTEMPTS} times meanwhile: try again"
        )

    def refresh(self) -> None:
        """Have what other sidecars did, and tell them what they could not be told before.

        For any thread but the hub's. Raises as `in_turn` and `commit` do.
        """
        self.in_turn(self._tell)

    def _tell(self) -> None:
        if self._untold or self._store.lacking:
            self.commit()
            self._untold = False

    def _adopt(self) -> None:
        news = self._store.news(everything=self._behind)
        if news is None:
            return
        before = self._snapshot
        told = replace(before, revision=before.revision + 1, **news)
        if self._untold:
            told = replace(told, halted=True)
        self._keep(told)
        self.on_news(before, told)

    def halt(self, halted: bool = True) -> None:
        """Have no interceptor do anything, whichever there are or come; or undo that.

        Raises:
            Unavailable: it cannot be stored; this sidecar is halted all the same, and the others
                will be when it can.
        """

        def change() -> None:
            if self._snapshot.halted != halted:
                self.commit(halted=halted)
            self._untold = False

        try:
            self.in_turn(change)
        except Unavailable as error:
            if not halted:
                raise
            with self.lock:
                self._halt_here()
            raise Unavailable(f"this sidecar is halted, others were not told: {error}") from error

    def _halt_here(self) -> None:
        self._untold = True
        halted = replace(self._snapshot, revision=self._snapshot.revision + 1, halted=True)
        self._keep(halted)


class Changing(Protocol):
    """A service that changes the state."""

    @property
    def _state(self) -> ControlState: ...


Service = TypeVar("Service", bound=Changing)


def in_turn(
    method: Callable[Concatenate[Service, Given], Result],
) -> Callable[Concatenate[Service, Given], Result]:
    """Make a method of a service an operation, see `ControlState.in_turn`."""

    @wraps(method)
    def run(self: Service, /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        return self._state.in_turn(partial(method, self, *args, **kwargs))

    return run
