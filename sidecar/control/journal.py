"""The memory of injections: a ring that one thread writes and any thread reads, without locks.

Owns the sequence numbers and the counters. The ring is the buffer of every subscriber, so a slow
one costs the writer nothing: it finds out by the sequence numbers what it was too late for.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from sidecar.model.injection import Injection, Noted

Entry = tuple[int, Injection]
"""``(sequence, injection)``; the sequence counts from 1 without holes."""


@dataclass(frozen=True, slots=True)
class Gap:
    """`missed` injections were overwritten before the reader came for them."""

    missed: int


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of the journal.

    Args:
        entries: oldest first.
        missed: overwritten entries between the place asked for and the end of this page.
        last: sequence up to which the journal has been looked through.
        complete: nothing came behind `last` at the time.
    """

    entries: tuple[Entry, ...]
    missed: int
    last: int
    complete: bool


def _everything(_: Injection) -> bool:
    return True


class Journal:
    """Keeps the latest `capacity` injections and counts all of them.

    `publish` belongs to one thread, the hub's; everything else may be called from any.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._ring: list[tuple[int, Noted] | None] = [None] * capacity
        self._last = 0
        self._counts: dict[str, int] = {}
        self._subscriptions: tuple[Subscription, ...] = ()
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """Injections in this run; also the sequence of the latest."""
        return self._last

    def publish(self, injection: Noted) -> None:
        """Remember and count `injection`, wake who waits for it. Never blocks, takes no lock."""
        sequence = self._last + 1
        self._ring[sequence % len(self._ring)] = (sequence, injection)
        uid = injection.interceptor_uid
        self._counts[uid] = self._counts.get(uid, 0) + 1
        # The slot is filled before it is announced: a reader trusts every slot up to `_last`.
        self._last = sequence
        for subscription in self._subscriptions:
            subscription.wake()

    def skip(self, uid: str, count: int) -> None:
        """Count injections that will never be known any closer; readers find a gap.

        Belongs to the thread of `publish`.
        """
        self._counts[uid] = self._counts.get(uid, 0) + count
        self._last += count
        for subscription in self._subscriptions:
            subscription.wake()

    def count(self, uid: str) -> int:
        """Return how many injections the interceptor with this uid has caused."""
        return self._counts.get(uid, 0)

    def forget(self, uid: str) -> None:
        """Drop the counter of an interceptor that is gone."""
        self._counts.pop(uid, None)

    def list(
        self, after: int, limit: int, accept: Callable[[Injection], bool] = _everything
    ) -> Page:
        """Return at most `limit` accepted entries behind sequence `after` (0 is the beginning)."""
        newest = self._last
        oldest = max(1, newest - len(self._ring) + 1)
        cursor = min(after, newest)
        missed = max(0, oldest - cursor - 1)
        cursor = max(cursor, oldest - 1)
        entries: list[Entry] = []
        while cursor < newest and len(entries) < limit:
            cursor += 1
            entry = self._ring[cursor % len(self._ring)]
            if entry is None or entry[0] != cursor:
                missed += 1  # the writer has lapped this reader
            elif accept(injection := entry[1].whole()):
                entries.append((cursor, injection))
        return Page(tuple(entries), missed, cursor, cursor == newest)

    def subscribe(self, after: int | None = None) -> "Subscription":
        """Follow the journal behind sequence `after`; None starts with the next injection."""
        subscription = Subscription(self, self._last if after is None else after)
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def unsubscribe(self, subscription: "Subscription") -> None:
        """Stop waking `subscription`; a second time is harmless."""
        with self._lock:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)

    def close(self) -> None:
        """Close every subscription, so that whoever waits on one comes back."""
        for subscription in self._subscriptions:
            subscription.close()


class Subscription:
    """One reader's place in the journal, for one thread at a time; `close` may come from any."""

    def __init__(self, journal: Journal, after: int) -> None:
        self._journal = journal
        self._cursor = after
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._pending: Entry | None = None
        self.closed = False

    @property
    def position(self) -> int:
        """Sequence behind which this reader goes on."""
        return self._cursor

    def wake(self) -> None:
        """Make a waiting `next` look again. Never blocks."""
        # One ring of the bell is enough: the reader looks through the journal after taking it.
        if self._bell.empty():
            self._bell.put(None)

    def next(self, timeout: float) -> Entry | Gap | None:
        """Return what comes next, waiting up to `timeout` seconds; None is silence or closed."""
        deadline = time.monotonic() + timeout
        while not self.closed:
            found = self._take()
            if found is not None:
                return found
            try:
                self._bell.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                return self._take()
        return None

    def close(self) -> None:
        """End the subscription; a waiting `next` returns None."""
        self.closed = True
        self._journal.unsubscribe(self)
        self.wake()

    def _take(self) -> Entry | Gap | None:
        if self._pending is None:
            page = self._journal.list(self._cursor, 1)
            self._pending = page.entries[0] if page.entries else None
            if page.missed:
                self._cursor = self._pending[0] - 1 if self._pending else page.last
                return Gap(page.missed)
        entry, self._pending = self._pending, None
        if entry is not None:
            self._cursor = entry[0]
        return entry
