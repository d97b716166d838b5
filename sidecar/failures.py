"""Faults that fail: counted each time, and told once."""

from typing import Any

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
        self._told: dict[str, str] = {}
        """By name of an interceptor the uid under which it has been told."""

    def note(self, interceptor: Interceptor, error: Exception) -> None:
        """A rule has raised; what it was to decide about went on untouched."""
        kind = kind_of(interceptor.fault)
        self._counts.fault_failures.labels(kind).inc()
        key = f"{interceptor.scope}/{interceptor.name}"
        if self._told.get(key) == interceptor.uid:
            return
        if len(self._told) >= _MOST:
            self._told.clear()
        self._told[key] = interceptor.uid
        self._log.error(
            "fault_failed",
            interceptor=interceptor.name,
            interceptor_uid=interceptor.uid,
            fault=kind,
            error=repr(error)[:_LONGEST],
            detail="a bug: what it is about goes on untouched; told once",
        )


_MOST = 1000
_LONGEST = 500
