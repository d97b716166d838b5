"""What every fault is, as data, and the checks that several kinds share.

The kinds themselves, each with what it does, are in `sidecar.faults`.
"""

import math
from collections.abc import Collection
from typing import Protocol

from sidecar.model.errors import FieldViolation, InvalidArgument
from sidecar.model.patterns import MAX_PATTERN, PatternError, compiled

MAX_SEED = 2**64 - 1
MAX_LATENCY_MS = 3_600_000
"""An hour: longer than any client waits."""
_SHOWN = 64
"""Characters of a text that is too long."""


class Fault(Protocol):
    """What an interceptor does: a frozen dataclass, validated where it is built."""

    @property
    def seed(self) -> int | None:
        """The seed of its draws; None takes the process seed, or a random one."""


class Checks:
    """Collects what is wrong with the fields of a fault, so that all of it is reported at once."""

    def __init__(self) -> None:
        self._violations: list[FieldViolation] = []

    def refuse(self, field: str, description: str) -> None:
        """Note a bad field; the description begins with its name."""
        self._violations.append(FieldViolation(field, description))

    def between(self, field: str, value: float, low: float, high: float) -> None:
        """Check a number; NaN is between nothing."""
        if math.isnan(value) or not low <= value <= high:
            self.refuse(field, f"{field} is {exact(value)}, allowed are {low} to {high}")

    def rate(self, field: str, value: float) -> None:
        """Check a percentage."""
        self.between(field, value, 0, 100)

    def one_of(self, field: str, value: str, allowed: Collection[str]) -> None:
        """Check one of several words."""
        if value not in allowed:
            self.refuse(field, f"{field} is {value!r}, allowed are {', '.join(allowed)}")

    def seed(self, value: int | None) -> None:
        """Check a seed, which may be missing."""
        if value is not None:
            self.between("seed", value, 0, MAX_SEED)

    def latency(self, least: int, most: int) -> None:
        """Check a range of milliseconds, in fields of the usual names."""
        self.between("min_latency_ms", least, 0, MAX_LATENCY_MS)
        # Not below the least, which is not named: callers know it by other names.
        low = least if 0 <= least <= MAX_LATENCY_MS else 0
        self.between("max_latency_ms", most, low, MAX_LATENCY_MS)

    def pattern(self, field: str, value: str) -> None:
        """Check a regular expression for the whole names of topics; see `sidecar.model.patterns`.

        Rules match with `sidecar.faults.matching.matcher`.
        """
        try:
            compiled(value)
        except PatternError as error:
            shown = value if len(value) <= MAX_PATTERN else value[:_SHOWN] + "…"
            allowed = f"RE2 regular expressions of 1 to {MAX_PATTERN} characters"
            self.refuse(field, f"{field} is {shown!r}, allowed are {allowed}: {error}")

    def done(self) -> None:
        """Raise InvalidArgument if anything was wrong."""
        if self._violations:
            raise InvalidArgument(*self._violations)


def exact(value: float) -> str:
    """A number for a refusal. Not by `:g`: it would say that 100.0000001 "is 100"."""
    return repr(value).removesuffix(".0")
