"""Who slows a connection down, and how fast it may be read."""

from typing import NamedTuple

from sidecar.dataplane.pipeline import Pipeline
from sidecar.faults.base import Throttle


class Rates(NamedTuple):
    """Bytes a second that may be read of the client and of the broker; None: as they come."""

    requests: int | None = None
    answers: int | None = None


class Throttles:
    """Those that are at work on one connection, by the uid of their interceptor."""

    def __init__(self) -> None:
        self._found: dict[str, Throttle] = {}

    def has(self, uid: str) -> bool:
        """Whether this interceptor slows the connection down already."""
        return uid in self._found

    def begin(self, uid: str, throttle: Throttle) -> None:
        """From now on this one does; its record has been made."""
        self._found[uid] = throttle

    def rates(self, pipeline: Pipeline, now: float) -> Rates:
        """The slowest of those that last; the others are forgotten, and would begin anew."""
        for uid in [uid for uid in self._found if now >= pipeline.ends(uid)]:
            del self._found[uid]
        at_work = self._found.values()
        return Rates(
            min((each.requests for each in at_work if each.requests is not None), default=None),
            min((each.answers for each in at_work if each.answers is not None), default=None),
        )
