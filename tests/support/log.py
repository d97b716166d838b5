"""A bound logger that keeps what it is told."""

from typing import Any, Self


class EventLog:
    """Stands in for structlog's; loggers bound from one share its entries."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str, dict[str, Any]]] = []
        """Level, event and fields."""
        self._bound: dict[str, Any] = {}

    def bind(self, **fields: Any) -> Self:
        """A logger with more fields."""
        other = type(self)()
        other.entries, other._bound = self.entries, self._bound | fields
        return other

    def debug(self, event: str, **fields: Any) -> None:
        self._note("debug", event, fields)

    def info(self, event: str, **fields: Any) -> None:
        self._note("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._note("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self._note("error", event, fields)

    def _note(self, level: str, event: str, fields: dict[str, Any]) -> None:
        self.entries.append((level, event, self._bound | fields))

    def of(self, event: str) -> list[dict[str, Any]]:
        """The fields of every entry of this event."""
        return [fields for _, found, fields in self.entries if found == event]

    def level_of(self, event: str) -> str:
        """The level of the first entry of this event."""
        return next(level for level, found, _ in self.entries if found == event)
