"""Which of the processes that serve the same clients this is, and what is its own of each thing."""

import itertools
from dataclasses import dataclass
from typing import Final

_LIFE: Final = 1 << 40
"""Numbers a process may take before it could meet those of its successor: years of them."""


@dataclass(frozen=True, slots=True)
class Place:
    """One process among `count`.

    Args:
        index: from 0, which is the process that was started.
        count: how many there are.
        life: how many processes have had this index before.
    """

    index: int = 0
    count: int = 1
    life: int = 0

    def numbers(self) -> "itertools.count[int]":
        """Numbers no other process takes: `index`, `index + count`, `index + 2 * count`, ...

        A successor starts far above, since nobody knows how far its predecessor had come.
        """
        return itertools.count(self.life * _LIFE * self.count + self.index, self.count)

    def share(self, total: int) -> int:
        """Its part of `total`; the parts of all processes add up to it."""
        return (total + self.count - 1 - self.index) // self.count


ALONE: Final = Place()
"""The only process."""
