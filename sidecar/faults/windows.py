"""Times in which partitions have no leader, the same for all connections."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from sidecar.faults.base import Place
from sidecar.faults.lost_leadership import Lost
from sidecar.faults.marks import Marks

MAX_PARTITIONS: Final = 100_000
"""Partitions that are kept in mind, by interceptor; beyond, all have a leader again."""


class Windows:
    """Those of one interceptor.

    Args:
        seconds: how long each lasts; 0: there are none.
        at_once: how many partitions of a topic may be without a leader; 0: any number.
    """

    def __init__(self, seconds: float, at_once: int) -> None:
        self._seconds = seconds
        self._at_once = at_once or MAX_PARTITIONS
        self.marks = Marks(max)
        """When they end, by virtual cluster and partition."""

    def begin(self, where: str, places: Iterable[Place], now: float) -> None:
        """Take the leaders of these partitions of a virtual cluster away, as far as that may be."""
        ends = self.marks.times
        places = list(places)
        if not places:
            return
        if len(ends) + len(places) > MAX_PARTITIONS:
            ends.clear()
        open_ones = Counter(topic for (there, (topic, _)) in ends if there == where)
        for place in places:
            if open_ones[place[0]] < self._at_once:
                open_ones[place[0]] += 1
                self.marks.set((where, place), now + self._seconds)

    def lost(self, where: str, now: float) -> Lost:
        """What tells whether a partition has no leader at this moment; forgets those that have."""
        ends = self.marks.times
        for key in [key for key, end in ends.items() if end <= now]:
            del ends[key]
        return lambda place: (where, place) in ends

    def __bool__(self) -> bool:
        """Whether any may be open."""
        return bool(self.marks.times)
