"""Takes note of injections: log line first, then stream and counters. No note, no injection."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from sidecar.log import render_event
from sidecar.metrics import Metrics
from sidecar.model.injection import Injection


class LineOffer(Protocol):
    """What the recorder needs of a sink."""

    def offer(self, lines: bytes) -> bool:
        """Write all lines now, or refuse."""


class Recorder:
    """Called on the hub for each decision to inject.

    Args:
        sink: takes the log lines, or refuses.
        publish: hands an injection to the stream's journal; never blocks.
        metrics: counts.
    """

    def __init__(
        self, sink: LineOffer, publish: Callable[[Injection], None], metrics: Metrics
    ) -> None:
        self._sink = sink
        self._publish = publish
        self._metrics = metrics
        self.paused = False
        """Whether the last injection was not made because it could not be logged."""

    def record(self, injections: Sequence[Injection]) -> bool:
        """Log, stream and count one decision; False: nothing is noted, so do not inject."""
        lines = b"".join(map(_line, injections))
        self.paused = not self._sink.offer(lines)
        if self.paused:
            self._metrics.injections_skipped.inc()
            return False
        for injection in injections:
            self._publish(injection)
            self._metrics.injected(injection)
        return True


def _line(injection: Injection) -> bytes:
    fields = injection.as_dict()
    fields.pop("time")
    moment = datetime.fromtimestamp(injection.time, UTC)
    timestamp = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return render_event("fault_injected", timestamp, fields)
