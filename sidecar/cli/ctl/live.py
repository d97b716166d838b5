"""`ctl watch` on a terminal: a table of what is injected, and below it the latest injections.

It is drawn anew, whole, a few times a second, on the terminal's other screen; so any size and any
change of size is fine. At the end the table stays on the usual one.
"""

import shutil
import statistics
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sidecar.cli.ctl.rows import event_line, place
from sidecar.cli.ctl.streams import Told
from sidecar.cli.ctl.tables import BOLD, RED, YELLOW, clipped, colours, paint, printable, table
from sidecar.cli.ctl.values import instant
from sidecar.gen.kafka.chaos.v1.injection_pb2 import Injection
from sidecar.gen.kafka.chaos.v1.observation_pb2 import Recovery

_ENTER: Final = "\x1b[?1049h\x1b[?25l"
_LEAVE: Final = "\x1b[?25h\x1b[?1049l"
_HOME: Final = "\x1b[H"
_REST_OF_LINE: Final = "\x1b[K"
_REST_OF_SCREEN: Final = "\x1b[J"
_DRAW_SECONDS: Final = 0.25
_RATE_SECONDS: Final = 10
_LATEST: Final = 200
_RECOVERIES: Final = 1000
_COLOURS: Final = {"gap": YELLOW, "sequence_anomaly": RED}
_COLUMNS: Final = (
    *("INTERCEPTOR", "VCLUSTER", "OUTCOME", "ERROR", "COUNT", "PER SECOND", "LAST", "AT"),
)

Key = tuple[str, ...]


@dataclass(slots=True)
class _Sum:
    """What one row tells."""

    first: int
    count: int = 0
    last: Injection = field(default_factory=Injection)
    by_second: Counter[int] = field(default_factory=Counter)

    def add(self, injection: Injection, now: float) -> None:
        """One more."""
        self.count += 1
        self.last = injection
        self.by_second[int(now)] += 1

    def rate(self, now: float) -> float:
        """Per second, over the last full seconds that there were."""
        this = int(now)
        for second in [one for one in self.by_second if one < this - _RATE_SECONDS]:
            del self.by_second[second]
        full = sum(count for second, count in self.by_second.items() if second < this)
        return full / max(1, min(_RATE_SECONDS, this - self.first))


class Live:
    """Shows injections on the terminal that stdout is.

    Args:
        targets: their names.
    """

    def __init__(self, targets: Sequence[str]) -> None:
        self._targets = targets
        self._several = len(targets) > 1
        self._coloured = colours(sys.stdout)
        self._sums: dict[Key, _Sum] = {}
        self._latest: deque[tuple[str, str]] = deque(maxlen=_LATEST)
        self._trouble = dict.fromkeys(targets, "connecting")
        self._total = 0
        self._recovered: deque[float] = deque(maxlen=_RECOVERIES)
        self._given_up = 0
        self._drawn = 0.0
        self._open = True
        sys.stdout.write(_ENTER)
        self.idle()

    def event(self, told: Told) -> None:
        """Count it, and keep it among the latest."""
        assert told.event is not None
        before = f"{told.target} " if self._several else ""
        kind = told.event.WhichOneof("event")
        if kind != "injection":
            colour = _COLOURS.get(kind or "", "")
            self._latest.append((colour, before + event_line(told.event)))
            if told.event.HasField("recovery"):
                self._recovery(told.event.recovery)
            return
        item = told.event.injection
        at = told.target if self._several else ""
        key = (at, item.interceptor, item.virtual_cluster, item.outcome, item.error)
        now = time.monotonic()
        self._sums.setdefault(key, _Sum(int(now))).add(item, now)
        self._latest.append(("", before + event_line(told.event)))
        self._total += 1
        self.idle()

    def _recovery(self, item: Recovery) -> None:
        if item.recovered:
            self._recovered.append(item.duration.ToNanoseconds() / 1e9)
        else:
            self._given_up += 1

    def trouble(self, target: str, words: str) -> None:
        """Show it above the table as long as it lasts."""
        self._trouble[target] = words

    def idle(self) -> None:
        """Draw, if it is time to."""
        if time.monotonic() - self._drawn >= _DRAW_SECONDS:
            self._draw()

    def close(self) -> None:
        """Give the terminal back, with the table and the troubles on it."""
        if not self._open:
            return
        self._open = False
        sys.stdout.write(_LEAVE)
        for colour, line in [*self._troubles(), *self._table()]:
            print(paint(line, colour, on=self._coloured and bool(colour)))
        print(self._title(), flush=True)

    def _draw(self) -> None:
        columns, height = shutil.get_terminal_size()
        lines = [("", f"{self._title()}; Ctrl-C ends"), *self._troubles(), ("", "")]
        lines += self._table()
        room = height - len(lines) - 1
        if room > 0:
            lines += [("", ""), *list(self._latest)[-room:]]
        painted = (
            paint(clipped(printable(line), columns), colour, on=self._coloured and bool(colour))
            for colour, line in lines[:height]
        )
        text = f"{_REST_OF_LINE}\n".join(painted)
        sys.stdout.write(f"{_HOME}{text}{_REST_OF_LINE}{_REST_OF_SCREEN}")
        sys.stdout.flush()
        self._drawn = time.monotonic()

    def _title(self) -> str:
        heard = sum(1 for words in self._trouble.values() if not words)
        title = f"{self._total} injections from {heard} of {len(self._targets)} sidecars"
        if self._recovered:
            median, slowest = statistics.median(self._recovered), max(self._recovered)
            title += f"; clients recovered in {median:.3f} s (median), {slowest:.3f} s (slowest)"
        return f"{title}, {self._given_up} have not" if self._given_up else title

    def _troubles(self) -> Iterator[tuple[str, str]]:
        return ((RED, printable(f"{at}: {words}")) for at, words in self._trouble.items() if words)

    def _table(self) -> list[tuple[str, str]]:
        if not self._sums:
            return [("", "nothing was injected")]
        now = time.monotonic()
        columns = ("TARGET", *_COLUMNS) if self._several else _COLUMNS
        rows = [
            (
                *(key if self._several else key[1:]),
                str(one.count),
                f"{one.rate(now):.1f}",
                place(one.last),
                instant(one.last.time),
            )
            for key, one in sorted(self._sums.items())
        ]
        head, *lines = table(columns, rows)
        return [(BOLD, head), *(("", line) for line in lines)]
