"""What a worker has counted and injected, on its way to the first process."""

from collections import Counter, deque
from collections.abc import Callable
from itertools import islice
from typing import Any, Final

from sidecar.model.injection import Brief, Injection, Noted
from sidecar.model.observation import Observed
from sidecar.workers.messages import CountKey, LostKey, Report, State

ROOM: Final = 10_000
"""Injections that may wait while the first process does not read; as many as the journal keeps."""
REPORT_SIZE: Final = 100
"""Injections of one report: the first process has clients of its own to serve in between."""


class Tally:
    """Implements `sidecar.counts.Counts` and takes injections. Never waits.

    Args:
        wake: called when there is something to report; cheap.
        room: injections that may wait; beyond, only their number is kept.
    """

    def __init__(self, wake: Callable[[], None], room: int = ROOM) -> None:
        self._wake = wake
        self._room = room
        self._injections: deque[Noted] = deque()
        self._observations: deque[Observed] = deque()
        self._unseen = 0
        """Observations for which there was no room."""
        self._lost: Counter[LostKey] = Counter()
        self._counts: Counter[CountKey] = Counter()
        self.connections = _Tallied(self._count, "connections")
        self.closes = _Tallied(self._count, "closes")
        self.reports = _Tallied(self._count, "reports")
        self.upstream_failures = _Tallied(self._count, "upstream_failures")
        self.fault_failures = _Tallied(self._count, "fault_failures")
        self.injections_skipped = _Tallied(self._count, "injections_skipped")

    def publish(self, injection: Noted) -> None:
        """Keep an injection for the next report, or its number where there is no room."""
        if len(self._injections) < self._room and not self._lost:
            self._injections.append(injection)
        else:
            i = injection.form.common if isinstance(injection, Brief) else injection
            key = (i.interceptor_uid, i.interceptor, i.virtual_cluster, i.fault, i.error)
            self._lost[key] += 1
        self._wake()

    def note(self, observation: Observed) -> None:
        """Keep an observation for the next report, or their number where there is no room."""
        if len(self._observations) < self._room and not self._unseen:
            self._observations.append(observation)
        else:
            self._unseen += 1
        self._wake()

    def observe(self, observation: Observed) -> None:
        """Counted where they arrive."""

    def counter(self, injection: Injection) -> "_Uncounted":
        """Injections are counted where they arrive, with their records."""
        return _UNCOUNTED

    def _count(self, key: CountKey, amount: float) -> None:
        self._counts[key] += int(amount)
        self._wake()

    @property
    def due(self) -> int:
        """How many reports it takes to tell what there is to tell now."""
        waiting = max(len(self._injections), len(self._observations))
        full = -(-waiting // REPORT_SIZE)
        return full or int(bool(self._lost or self._unseen or self._counts))

    def take(self, state: State) -> Report:
        """The next report; there may be more to report after it."""
        taken = _taken(self._injections)
        seen = _taken(self._observations)
        unseen = 0
        if not self._observations:
            unseen, self._unseen = self._unseen, 0
        lost: dict[LostKey, int] = {}
        if not self._injections:
            lost, self._lost = dict(self._lost), Counter()
        counts, self._counts = dict(self._counts), Counter()
        return Report(taken, lost, counts, state, seen, unseen)


def _taken(waiting: deque[Any]) -> tuple[Any, ...]:
    taken = tuple(islice(waiting, REPORT_SIZE))
    for _ in taken:
        waiting.popleft()
    return taken


class _Tallied:
    """One counter, or one of its labels' values."""

    def __init__(
        self, count: Callable[[CountKey, float], None], name: str, label: str = ""
    ) -> None:
        self._add = count
        self._key = (name, label)

    def inc(self, amount: float = 1) -> None:
        self._add(self._key, amount)

    def labels(self, *values: str) -> "_Tallied":
        return _Tallied(self._add, self._key[0], values[0])


class _Uncounted:
    """Somebody else counts."""

    def inc(self, amount: float = 1) -> None:
        pass

    def labels(self, *values: str) -> "_Uncounted":
        return self


_UNCOUNTED: Final = _Uncounted()
