"""The time in log lines, made in a fraction of the time it takes for a date."""

from datetime import UTC, datetime


class Timestamps:
    """Remembers the last one, and the second it was in."""

    def __init__(self) -> None:
        self._time = -1.0
        self._second = -1
        self._date = self._text = b""

    def __call__(self, seconds: float) -> bytes:
        """Seconds since the epoch as ISO 8601 in UTC, with microseconds."""
        if seconds != self._time:
            microseconds = (seconds - self._second) * 1e6 + 0.5
            if not 0 <= microseconds < 1e6:
                self._second = int(seconds + 0.5e-6)
                moment = datetime.fromtimestamp(self._second, UTC)
                self._date = moment.strftime("%Y-%m-%dT%H:%M:%S").encode()
                microseconds = (seconds - self._second) * 1e6 + 0.5
            self._time = seconds
            self._text = b"%b.%06dZ" % (self._date, microseconds)
        return self._text
