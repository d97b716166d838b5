"""Tells of observations: log line, stream and metrics. Nothing hangs on it."""

from collections.abc import Callable
from typing import Final

from sidecar import clock
from sidecar.counts import Counts
from sidecar.log import event_template, render_event
from sidecar.model.injection import Injection
from sidecar.model.observation import Ended, Observation, Observed, event_of
from sidecar.timestamps import Timestamps

_MAX_TEMPLATES: Final = 100
_VARYING: Final = ("partition", "seconds", "errors", "retries", "metadata_refreshes")


class Observer:
    """Called on the hub.

    Args:
        put: writes ordinary log lines now or soon, or drops and counts them.
        publish: hands an observation to the stream's journal; never blocks.
        metrics: counts.
        soon: has `flush` called before long.
    """

    def __init__(
        self,
        put: Callable[[bytes], None],
        publish: Callable[[Observed], None],
        metrics: Counts,
        soon: Callable[[Callable[[], None]], None],
    ) -> None:
        self._put = put
        self._publish = publish
        self._metrics = metrics
        self._soon = soon
        self._waiting: list[Observed] = []
        self._timestamp = Timestamps()
        self._templates: dict[tuple[int, bool], tuple[Injection, bytes]] = {}

    def note(self, seen: Observed) -> None:
        """Tell of an observation, before long."""
        if not self._waiting:
            self._soon(self.flush)
        self._waiting.append(seen)

    def flush(self) -> None:
        """Tell of those that wait."""
        waiting, self._waiting = self._waiting, []
        dated = clock.now.dated(waiting)
        for seen in dated:
            self._publish(seen)
            self._metrics.observe(seen)
        if waiting:
            self._put(b"".join(map(self._line, dated)))

    def _line(self, seen: Observed) -> bytes:
        timestamp = self._timestamp(seen.time)
        if not isinstance(seen, Ended):
            return render_event(event_of(seen), timestamp.decode(), _fields(seen))
        # By identity, so the injection is kept: those of the fast lane are made once for many.
        key = id(seen.first), seen.recovered
        _, template = self._templates.get(key) or self._new_template(key, seen)
        values = seen.place[1], seen.seconds, seen.errors, seen.retries, seen.metadata_refreshes
        return template % (timestamp, *values)

    def _new_template(self, key: tuple[int, bool], ended: Ended) -> tuple[Injection, bytes]:
        if len(self._templates) >= _MAX_TEMPLATES:
            self._templates.clear()
        whole = ended.whole()
        made = ended.first, event_template(event_of(whole), _fields(whole), _VARYING)
        self._templates[key] = made
        return made


def _fields(observation: Observation) -> dict[str, object]:
    fields = observation.as_dict()
    del fields["time"]
    fields.pop("recovered", None)  # the event's name says it
    return fields
