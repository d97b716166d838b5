"""What faults do not do: those that fail, and records they have no time for. All of it is counted,
and told once."""

from typing import Any, Final

from sidecar.counts import Counts
from sidecar.faults.registry import kind_of
from sidecar.model.interceptor import Interceptor


class FaultFailures:
    """Called on the hub for each.

    Args:
        log: bound logger.
        counts: where they are counted.
    """

    def __init__(self, log: Any, counts: Counts) -> None:
        self._log = log
        self._counts = counts
        self._failed = _Told()
        self._passed_over = _Told()

    def note(self, interceptor: Interceptor, error: Exception) -> None:
        """A rule has raised; what it was to decide about went on untouched."""
        kind = kind_of(interceptor.fault)
        self._counts.fault_failures.labels(kind).inc()
        if self._failed.anew(interceptor):
            self._log.error(
                "fault_failed",
                interceptor=interceptor.name,
                interceptor_uid=interceptor.uid,
                fault=kind,
                error=repr(error)[:_LONGEST],
                detail="a bug: what it is about goes on untouched; told once",
            )

    def passed_over(self, interceptor: Interceptor, records: int) -> None:
        """A rule had no time for so many records of a message; they went on without a draw."""
        kind = kind_of(interceptor.fault)
        self._counts.records_passed_over.labels(kind).inc(records)
        if self._passed_over.anew(interceptor):
            self._log.warning(
                "records_passed_over",
                interceptor=interceptor.name,
                interceptor_uid=interceptor.uid,
                fault=kind,
                records=records,
                detail="too many or too large for one message, see docs/limits.md; told once",
            )


class _Told:
    """Interceptors that were told of."""

    def __init__(self) -> None:
        self._uids: dict[str, str] = {}
        """By scope and name."""

    def anew(self, interceptor: Interceptor) -> bool:
        """Whether this is the first time for an interceptor as it is now."""
        key = f"{interceptor.scope}/{interceptor.name}"
        if self._uids.get(key) == interceptor.uid:
            return False
        if len(self._uids) >= _MOST:
            self._uids.clear()
        self._uids[key] = interceptor.uid
        return True


_MOST: Final = 1000
_LONGEST: Final = 500
