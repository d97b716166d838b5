"""The one `Snapshot`, and the lock of whoever changes it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sidecar.model.snapshot import Snapshot


class ControlState:
    """What the control services share. Writers take turns; readers take the current snapshot.

    Args:
        publish: takes each new snapshot before the call that caused it returns; may wait for the
            data side, but not for long. Calls never overlap. When it raises, nothing has changed.
    """

    def __init__(self, publish: Callable[[Snapshot], None]) -> None:
        self._publish = publish
        self._snapshot = Snapshot()
        self.lock = threading.Lock()
        """Held by a service from its first look until after `commit`; never by the hub."""

    @property
    def snapshot(self) -> Snapshot:
        """The current one; any thread may read it, without the lock."""
        return self._snapshot

    def commit(self, **changes: Any) -> None:
        """Publish the snapshot with these fields replaced, then keep it. Needs the lock."""
        changed = replace(self._snapshot, revision=self._snapshot.revision + 1, **changes)
        self._publish(changed)
        self._snapshot = changed

    def halt(self, halted: bool = True) -> None:
        """Have no interceptor do anything, whichever there are or come; or undo that."""
        with self.lock:
            if self._snapshot.halted != halted:
                self.commit(halted=halted)
