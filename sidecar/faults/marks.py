"""What a rule keeps in mind for all connections of the sidecar, in whichever process they are."""

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from sidecar.model.place import ALONE, Place

Spread = Callable[[Hashable, float], None]
"""Tells the other processes of a mark; never waits."""


class Marks:
    """Moments, in seconds since the epoch, by what they are about.

    Other processes hear of a mark some milliseconds after it was set, as brokers hear of a new
    leader one after the other. Where two set one for the same thing, `choose` decides: it must not
    matter in which order it is asked, so that in the end all processes have the same.

    Args:
        choose: of two moments for the same thing, such as `min`.
    """

    def __init__(self, choose: Callable[[float, float], float]) -> None:
        self.times: dict[Any, float] = {}
        self._choose = choose
        self._place = ALONE
        self._spread: Spread = _alone

    def join(self, place: Place, spread: Spread) -> None:
        """From now on this process is one of several."""
        self._place, self._spread = place, spread

    def numbers(self) -> Iterator[int]:
        """Numbers for draws, from the beginning, that no other process takes."""
        return self._place.numbers()

    def set(self, about: Hashable, time: float) -> None:
        """Keep a moment in mind, in all processes; there is none for this, or it is over."""
        self.times[about] = time
        self._spread(about, time)

    def hear(self, about: Hashable, time: float) -> None:
        """Another process has set one."""
        known = self.times.get(about)
        self.times[about] = time if known is None else self._choose(known, time)


def _alone(about: Hashable, time: float) -> None:
    """There is nobody to tell."""
