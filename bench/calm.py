"""Waiting until the machine does nothing else, within a budget.

Samples are short on purpose: on a shared machine a short one has a chance to fall between the
bursts of others. What could not be waited out is recorded beside the result.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from children import pause

BUSY = 0.10
"""Share of the processors that others may use."""
_LOOK = 0.06
_RETRIES = 2


def _busy_ticks() -> int:
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _wait, irq, soft, steal = fields
    return user + nice + system + irq + soft + steal


def busy_share(seconds: float = _LOOK) -> float:
    """Share of the processors in use over a moment."""
    before, start = _busy_ticks(), time.monotonic()
    pause(seconds)
    ticks = (time.monotonic() - start) * os.sysconf("SC_CLK_TCK") * (os.cpu_count() or 1)
    return (_busy_ticks() - before) / ticks


@dataclass
class Calm:
    """The budget of a run.

    Args:
        budget: seconds that may be spent on waiting and repeating, over the whole run.
    """

    budget: float
    spent: float = 0.0
    repeated: int = 0

    @property
    def exhausted(self) -> bool:
        """Whether samples are taken as they come from now on."""
        return self.spent >= self.budget

    def wait(self, longest: float = 2.0) -> None:
        """Wait until the machine is calm, at most `longest` seconds."""
        start = time.monotonic()
        while busy_share() > BUSY and not self.exhausted:
            if time.monotonic() - start > longest:
                break
        self.spent += max(0.0, time.monotonic() - start - _LOOK)

    def again(self, foreign: float, tries: int, cost: float) -> bool:
        """Whether a sample with so much foreign load is to be repeated; counts its cost."""
        if foreign <= BUSY or tries > _RETRIES or self.exhausted:
            return False
        self.spent += cost
        self.repeated += 1
        return True
