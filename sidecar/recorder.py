"""Takes note of injections: log line first, then stream and counters. No note, no injection."""

from collections.abc import Callable, Sequence
from typing import Protocol

from sidecar import clock
from sidecar.counts import Counts
from sidecar.log import event_template, render_event
from sidecar.model.injection import Brief, Form, Injection, Noted
from sidecar.timestamps import Timestamps


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

    def __init__(self, sink: LineOffer, publish: Callable[[Noted], None], metrics: Counts) -> None:
        self._offer = sink.offer
        self._publish = publish
        self._metrics = metrics
        self._timestamp = Timestamps()
        self.paused = False
        """Whether the last injection was not made because it could not be logged."""
        self._skipped = 0

    def record(self, injections: Sequence[Noted]) -> bool:
        """Log, stream and count one decision; False: nothing is noted, so do not inject."""
        injections = clock.now.dated(injections)
        lines = [self._line(injection) for injection in injections]
        if self._skipped:
            lines.insert(0, self._resumed(injections[0].time))
        self.paused = not self._offer(lines[0] if len(lines) == 1 else b"".join(lines))
        if self.paused:
            self._metrics.injections_skipped.inc()
            self._skipped += 1
            return False
        self._skipped = 0
        for injection in injections:
            self._publish(injection)
            if isinstance(injection, Brief):
                injection.form.kept[1]()
            else:
                self._metrics.counter(injection).inc()
        return True

    def _line(self, injection: Noted) -> bytes:
        timestamp = self._timestamp(injection.time)
        if isinstance(injection, Brief):
            template, _ = injection.form.kept or self._prepare(injection.form)
            return template % (timestamp, *injection.values())
        return render_event("fault_injected", timestamp.decode(), _fields(injection))

    def _resumed(self, time: float) -> bytes:
        """What the log could not be told while it took nothing."""
        timestamp = self._timestamp(time).decode()
        return render_event("injection_resumed", timestamp, {"skipped": self._skipped})

    def _prepare(self, form: Form) -> tuple[bytes, Callable[[], None]]:
        """The template of a form's lines and what counts them, kept for the next."""
        template = event_template("fault_injected", _fields(form.common), form.varying)
        form.kept = template, self._metrics.counter(form.common).inc
        return template, form.kept[1]


def _fields(injection: Injection) -> dict[str, object]:
    fields = injection.as_dict()
    del fields["time"]
    return fields
