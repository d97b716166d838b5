"""The log: one JSON object a line on stdout, made by one list of processors.

An event is a constant snake_case verb phrase, everything variable is a key.
"""

import logging
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from sidecar.sink import LineSink

_SECRET_KEYS: Final = frozenset({"password", "token", "secret", "secret_key", "authorization"})
_REDACTED: Final = "[redacted]"


def _redact(
    _logger: Any, _method: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key in _SECRET_KEYS.intersection(event_dict):
        event_dict[key] = _REDACTED
    return event_dict


_render = structlog.processors.JSONRenderer(ensure_ascii=False)


def _to_json(logger: Any, method: str, event_dict: MutableMapping[str, Any]) -> str:
    # Time, level and event first: a person reads the line from the left.
    first = {key: event_dict.pop(key) for key in ("timestamp", "level", "event")}
    return str(_render(logger, method, {**first, **event_dict}))


_PROCESSORS: Final[list[Any]] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.ExceptionRenderer(),
    _redact,
    _to_json,
]


class _SinkLogger:
    """structlog's last step: hands the rendered line to the sink."""

    def __init__(self, sink: LineSink) -> None:
        self._sink = sink

    def msg(self, line: str) -> None:
        self._sink.put(encoded(line))

    debug = info = warning = error = critical = exception = msg


def encoded(line: str) -> bytes:
    """A rendered line as it is written."""
    return line.encode(errors="backslashreplace") + b"\n"


def configure(sink: LineSink, level: str = "info") -> None:
    """Send structlog's events of `level` and above to `sink`, and stdlib warnings with them."""
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _SinkLogger(sink),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_StdlibHandler()], level=logging.WARNING, force=True)


class _StdlibHandler(logging.Handler):
    """Libraries that log the standard way (waitress, grpc) end up in the same stream."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(source=record.name)
        log.log(record.levelno, "library_message", message=record.getMessage())


def render_event(event: str, timestamp: str, fields: dict[str, Any]) -> bytes:
    """One line as the processors above would make it, for events that must not be dropped."""
    event_dict = {"timestamp": timestamp, "level": "info", "event": event, **fields}
    return encoded(_to_json(None, "info", event_dict))
