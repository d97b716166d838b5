"""How much an interceptor may still do, in this process and in all of them together.

The rate is divided: each process keeps to its part, so that nobody has to be asked. The number is
not, as a part of one injection is none at all: the first process hands it out, and the others ask
for more when they need it. What they are given they may spend, so the sum never exceeds the whole;
meanwhile requests are forwarded. Who has not used what it was given for a while gives it back.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from sidecar.model.interceptor import Interceptor
from sidecar.model.limits import UNLIMITED
from sidecar.model.place import Place

IDLE_SECONDS: Final = 1.0
"""After so long a process gives back what it has not used, and asks again where there was none."""
_PORTION: Final = 8
"""What is handed out at once is this part of what is left, or what was asked for, the larger."""
_GRAIN: Final = 1 / 128
"""Injections so close together, as parts of a window, leave it together, as the last one does."""


class Purse(Protocol):
    """What is left of a number of injections."""

    def affords(self, count: int, now: float) -> bool:
        """Whether so many may be made."""

    def spend(self, count: int, now: float) -> None:
        """Note that they were made; only if it affords them."""


class OwnPurse:
    """The whole number, of which others are given theirs."""

    def __init__(self) -> None:
        self.total = 0
        """Of all processes; may change at any time."""
        self.used = 0
        """What was spent here or is with others."""

    @property
    def left(self) -> int:
        """What nobody has yet; nothing after the total was lowered below what was used."""
        return max(0, self.total - self.used)

    def affords(self, count: int, now: float) -> bool:
        """As `Purse`."""
        return count <= self.left

    def spend(self, count: int, now: float) -> None:
        """As `Purse`."""
        self.used += count

    def grant(self, count: int) -> int:
        """Hand out at least `count` to another process, or nothing; returns how many."""
        if count > self.left:
            return 0
        given = max(count, self.left // _PORTION)
        self.used += given
        return given

    def take_back(self, count: int) -> None:
        """What another process has not used."""
        self.used -= count


class BorrowedPurse:
    """What another process has handed out.

    Args:
        ask: asks for so many.
    """

    def __init__(self, ask: Callable[[int], None]) -> None:
        self._ask = ask
        self._balance = 0
        self._asked = False
        self._used_at = 0.0
        self._refused_at = 0.0

    def affords(self, count: int, now: float) -> bool:
        """As `Purse`; asks for more if not."""
        if count <= self._balance:
            return True
        if not self._asked and not 0 <= now - self._refused_at < IDLE_SECONDS:
            self._asked = True
            self._ask(count - self._balance)
        return False

    def spend(self, count: int, now: float) -> None:
        """As `Purse`."""
        self._balance -= count
        self._used_at = now

    def granted(self, count: int, now: float) -> None:
        """The answer to what was asked; 0 is a refusal."""
        self._asked = False
        self._balance += count
        self._used_at = now
        if not count:
            self._refused_at = now

    def idle(self, now: float) -> int:
        """What is to be given back, as it is not used."""
        return 0 if 0 <= now - self._used_at < IDLE_SECONDS else self.empty()

    def empty(self) -> int:
        """What is to be given back whether or not it would be used."""
        count, self._balance = self._balance, 0
        return count


class Window:
    """A rate: no stretch of time of a certain length sees more than a certain number.

    Args:
        per_second: above 0. A whole number is kept in a second; of others the whole part, but at
            least one, in so much more or less time.
    """

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._most = max(1, int(per_second))
        self._length = self._most / per_second
        self._made: deque[list[float]] = deque()
        """First and last time, and number, of injections that were close together."""
        self._count = 0

    def affords(self, count: int, now: float) -> bool:
        """As `Purse`."""
        made = self._made
        # Times in the future are of a clock that was set back; waiting for them could take long.
        while made and not 0 <= now - made[0][1] < self._length:
            self._count -= int(made.popleft()[2])
        return self._count + count <= self._most

    def spend(self, count: int, now: float) -> None:
        """As `Purse`."""
        self._count += count
        if self._made and 0 <= now - self._made[-1][0] < self._length * _GRAIN:
            self._made[-1][1] = now
            self._made[-1][2] += count
        else:
            self._made.append([now, now, count])


class Budget:
    """Both limits of one interceptor, either of which may be missing.

    Args:
        window, purse: None: no limit.
        alone: whether no other process takes from the purse.
    """

    def __init__(self, window: Window | None, purse: Purse | None, *, alone: bool) -> None:
        self.window = window
        self.purse = purse
        self._alone = alone

    def affords(self, count: int, now: float) -> bool:
        """Whether so many injections may be made now."""
        return (self.window is None or self.window.affords(count, now)) and (
            self.purse is None or self.purse.affords(count, now)
        )

    def spend(self, count: int, now: float) -> None:
        """Note that they were made."""
        if self.window is not None:
            self.window.spend(count, now)
        if self.purse is not None:
            self.purse.spend(count, now)

    @property
    def spent(self) -> bool:
        """Whether nothing is left for good, unless the limit is raised."""
        return self._alone and isinstance(self.purse, OwnPurse) and not self.purse.left


Ask = Callable[[str, int], None]
"""Asks the first process for so many injections of a uid."""


def budget(
    interceptor: Interceptor, previous: Budget | None, place: Place, ask: Ask | None
) -> Budget | None:
    """The budget of an interceptor; None if it has no limits.

    Args:
        previous: the one it had under its uid; what was spent stays spent.
        ask: None in the first process, which has the whole.
    """
    limits = interceptor.limits
    if limits == UNLIMITED:
        return None
    window = purse = None
    if limits.max_per_second is not None:
        rate = limits.max_per_second / place.count
        window = previous.window if previous is not None else None
        if window is None or window.per_second != rate:
            window = Window(rate)
    if limits.max_injections is not None:
        purse = previous.purse if previous is not None else None
        if purse is None:
            purse = BorrowedPurse(partial(ask, interceptor.uid)) if ask is not None else OwnPurse()
        if isinstance(purse, OwnPurse):
            purse.total = limits.max_injections
    return Budget(window, purse, alone=place.count == 1)
