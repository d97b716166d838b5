"""The log: one JSON object a line on stdout, made by one list of processors.

An event is a constant snake_case verb phrase, everything variable is a key.
"""

import json
import logging
from collections.abc import Collection, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
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


def _to_json(_logger: Any, _method: str, event_dict: MutableMapping[str, Any]) -> bytes:
    # Time, level and event first: a person reads the line from the left.
    first = {key: event_dict.pop(key) for key in ("timestamp", "level", "event")}
    return _line({**first, **event_dict})


def _line(fields: dict[str, Any]) -> bytes:
    """One JSON object and a newline."""
    try:
        return orjson.dumps(fields, default=repr, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # text that is not Unicode, or a number above 64 bits
        text = json.dumps(fields, default=repr, ensure_ascii=False, separators=(",", ":"))
        return text.encode(errors="backslashreplace") + b"\n"


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

    def msg(self, line: bytes) -> None:
        self._sink.put(line)

    debug = info = warning = error = critical = exception = msg


def configure(sink: LineSink, level: str = "info") -> None:
    """Send structlog's events of `level` and above to `sink`, and stdlib warnings with them."""
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _SinkLogger(sink),
        cache_logger_on_first_use=False,
    )
    sink.explain = _lines_lost
    logging.basicConfig(handlers=[_StdlibHandler()], level=logging.WARNING, force=True)


def _lines_lost(count: int) -> bytes:
    timestamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    event = {"timestamp": timestamp, "level": "warning", "event": "log_lines_lost"}
    return _line({**event, "lines": count})


class _StdlibHandler(logging.Handler):
    """Libraries that log the standard way (waitress, grpc) end up in the same stream."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(source=record.name)
        message = record.getMessage()
        log.log(record.levelno, "library_message", message=message, exc_info=record.exc_info)


def render_event(event: str, timestamp: str, fields: dict[str, Any]) -> bytes:
    """One line as the processors above would make it, for events that must not be dropped."""
    return _line({"timestamp": timestamp, "level": "info", "event": event, **fields})


def event_template(event: str, fields: dict[str, Any], varying: Collection[str]) -> bytes:
    """For the `%` operator: lines of `render_event` that differ in their timestamp and in numbers.

    Args:
        fields: all keys; of the values of those in `varying` only the type counts: int or float.
        varying: keys whose values are filled in behind the timestamp, in the order of `fields`.
    """
    parts = [b'"timestamp":"%b"']
    for key, value in {"level": "info", "event": event, **fields}.items():
        if key in varying:
            parts.append(_line({key: 0})[1:-3] + (b"%.6f" if type(value) is float else b"%d"))
        else:
            parts.append(_line({key: value})[1:-2].replace(b"%", b"%%"))
    return b"{" + b",".join(parts) + b"}\n"
