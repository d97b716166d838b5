"""How much an interceptor may do."""

from dataclasses import dataclass
from typing import Final

from sidecar.model.faults import Checks

MAX_INJECTIONS: Final = 2**64 - 1
MIN_PER_SECOND: Final = 0.001
MAX_PER_SECOND: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None is no limit. Injections are counted as they are recorded, one per topic-partition.

    Args:
        max_injections: under one uid, 1 and more.
        max_per_second: in any second, 0.001 to 100000.

    Raises:
        InvalidArgument: a number is out of range.
    """

    max_injections: int | None = None
    max_per_second: float | None = None

    def __post_init__(self) -> None:
        checks = Checks()
        if self.max_injections is not None:
            checks.between("limits.max_injections", self.max_injections, 1, MAX_INJECTIONS)
        if self.max_per_second is not None:
            most = self.max_per_second
            checks.between("limits.max_per_second", most, MIN_PER_SECOND, MAX_PER_SECOND)
        checks.done()


UNLIMITED: Final = Limits()
