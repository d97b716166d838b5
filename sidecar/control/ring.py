"""A ring that one thread writes and any thread reads, without locks.

It is the buffer of every subscriber, so a slow one costs the writer nothing: it finds out by the
sequence numbers what it was too late for.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

Kept = TypeVar("Kept")
Read = TypeVar("Read")

Bell = SimpleQueue[None]
"""Rings where somebody waits for what several rings get."""


@dataclass(frozen=True, slots=True)
class Gap:
    """`missed` entries were overwritten before the reader came for them."""

    missed: int


@dataclass(frozen=True, slots=True)
class Page(Generic[Read]):
    """A stretch of a ring.

    Args:
        entries: ``(sequence, item)``, oldest first; sequences count from 1 without holes.
        missed: overwritten entries between the place asked for and the end of this page.
        last: sequence up to which the ring has been looked through.
        complete: nothing came behind `last` at the time.
    """

    entries: tuple[tuple[int, Read], ...]
    missed: int
    last: int
    complete: bool


def _everything(_: Any) -> bool:
    return True


class Ring(Generic[Kept, Read]):
    """Keeps the latest `capacity` items.

    `publish` belongs to one thread, the hub's; everything else may be called from any.

    Args:
        read: makes of a kept item what readers are given.
    """

    def __init__(self, read: Callable[[Kept], Read], capacity: int = 10_000) -> None:
        self._read = read
        self._ring: list[tuple[int, Kept] | None] = [None] * capacity
        self._last = 0
        self._subscriptions: tuple[Subscription[Read], ...] = ()
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """Items in this run; also the sequence of the latest."""
        return self._last

    def publish(self, item: Kept) -> None:
        """Remember `item`, wake who waits for it. Never blocks, takes no lock."""
        sequence = self._last + 1
        self._ring[sequence % len(self._ring)] = (sequence, item)
        # The slot is filled before it is announced: a reader trusts every slot up to `_last`.
        self._last = sequence
        for subscription in self._subscriptions:
            subscription.wake()

    def pass_over(self, count: int) -> None:
        """Items that will never be known any closer; readers find a gap.

        Belongs to the thread of `publish`.
        """
        self._last += count
        for subscription in self._subscriptions:
            subscription.wake()

    def list(
        self, after: int, limit: int, accept: Callable[[Read], bool] = _everything
    ) -> Page[Read]:
        """Return at most `limit` accepted entries behind sequence `after` (0 is the beginning)."""
        newest = self._last
        oldest = max(1, newest - len(self._ring) + 1)
        cursor = min(after, newest)
        missed = max(0, oldest - cursor - 1)
        cursor = max(cursor, oldest - 1)
        entries: list[tuple[int, Read]] = []
        while cursor < newest and len(entries) < limit:
            cursor += 1
            entry = self._ring[cursor % len(self._ring)]
            if entry is None or entry[0] != cursor:
                missed += 1  # the writer has lapped this reader
            elif accept(item := self._read(entry[1])):
                entries.append((cursor, item))
        return Page(tuple(entries), missed, cursor, cursor == newest)

    def subscribe(self, after: int | None = None, bell: Bell | None = None) -> "Subscription[Read]":
        """Follow the ring behind sequence `after`; None starts with the next item.

        Args:
            bell: of a reader of several rings, see `next_of`.
        """
        start = self._last if after is None else after
        subscription = Subscription(self, start, bell or SimpleQueue())
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def unsubscribe(self, subscription: "Subscription[Read]") -> None:
        """Stop waking `subscription`; a second time is harmless."""
        with self._lock:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)

    def close(self) -> None:
        """Close every subscription, so that whoever waits on one comes back."""
        for subscription in self._subscriptions:
            subscription.close()


class Subscription(Generic[Read]):
    """One reader's place in a ring, for one thread at a time; `close` may come from any."""

    def __init__(self, ring: Ring[Any, Read], after: int, bell: Bell) -> None:
        self._ring = ring
        self._cursor = after
        self.bell = bell
        self._pending: tuple[int, Read] | None = None
        self.closed = False

    @property
    def position(self) -> int:
        """Sequence behind which this reader goes on."""
        return self._cursor

    def wake(self) -> None:
        """Make a waiting reader look again. Never blocks."""
        # One ring of the bell is enough: the reader looks through the ring after taking it.
        if self.bell.empty():
            self.bell.put(None)

    def next(self, timeout: float) -> tuple[int, Read] | Gap | None:
        """Return what comes next, waiting up to `timeout` seconds; None is silence or closed."""
        found = next_of((self,), timeout)
        return found[1] if found is not None else None

    def close(self) -> None:
        """End the subscription; a waiting reader comes back."""
        self.closed = True
        self._ring.unsubscribe(self)
        self.wake()

    def take(self) -> tuple[int, Read] | Gap | None:
        """Return what comes next if it is there."""
        if self._pending is None:
            page = self._ring.list(self._cursor, 1)
            self._pending = page.entries[0] if page.entries else None
            if page.missed:
                self._cursor = self._pending[0] - 1 if self._pending else page.last
                return Gap(page.missed)
        entry, self._pending = self._pending, None
        if entry is not None:
            self._cursor = entry[0]
        return entry


Found = tuple[Subscription[Any], tuple[int, Any] | Gap]
"""Which of several subscriptions has something, and what."""


def next_of(subscriptions: Sequence[Subscription[Any]], timeout: float) -> Found | None:
    """What comes next on any of several subscriptions that share a bell; the first ones go first.

    Args:
        timeout: seconds to wait at most.

    Returns:
        None after silence, or when one of them is closed.
    """
    deadline = time.monotonic() + timeout
    while not any(each.closed for each in subscriptions):
        found = _take(subscriptions)
        if found is not None:
            return found
        try:
            subscriptions[0].bell.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            return _take(subscriptions)
    return None


def _take(subscriptions: Sequence[Subscription[Any]]) -> Found | None:
    for each in subscriptions:
        found = each.take()
        if found is not None:
            return each, found
    return None
