"""One JSON object a line: event first, secrets out, levels as asked for."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from sidecar import log


class Lines:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []

    def put(self, line: bytes) -> None:
        self.raw.append(line)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.raw]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What is logged at `info` and above; logging is as before afterwards."""
    sink: Any = Lines()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []  # `force` would close pytest's own
    log.configure(sink, "info")
    yield sink
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_an_event_is_one_line_that_begins_with_time_level_and_event(lines: Lines) -> None:
    structlog.get_logger().bind(connection_id=7).info("listening", port=6969, host="ü\n")

    [line] = lines.raw
    assert line.count(b"\n") == 1
    assert line.endswith(b"}\n")
    [event] = lines.events()
    assert list(event) == ["timestamp", "level", "event", "connection_id", "port", "host"]
    assert (event["level"], event["event"], event["host"]) == ("info", "listening", "ü\n")
    assert event["timestamp"].endswith("Z")


def test_lines_that_were_lost_are_told_of_by_one(lines: Lines) -> None:
    sink: Any = lines

    event = json.loads(sink.explain(7))

    assert event.pop("timestamp").endswith("Z")
    assert event == {"level": "warning", "event": "log_lines_lost", "lines": 7}


@pytest.mark.parametrize("key", ["password", "token", "secret", "secret_key", "authorization"])
def test_what_is_called_a_secret_is_not_written(lines: Lines, key: str) -> None:
    structlog.get_logger().warning("odd", **{key: "hunter2", "user": "admin"})

    assert b"hunter2" not in lines.raw[0]
    [event] = lines.events()
    assert (event[key], event["user"]) == ("[redacted]", "admin")


def test_events_below_the_level_are_left_out(lines: Lines) -> None:
    logger = structlog.get_logger()

    logger.debug("no")
    logger.info("yes")

    assert [event["event"] for event in lines.events()] == ["yes"]


def test_warnings_of_libraries_end_up_in_the_same_stream(lines: Lines) -> None:
    logging.getLogger("waitress").warning("queue depth is %d", 9)
    logging.getLogger("waitress").info("not this")

    [event] = lines.events()
    assert (event["level"], event["event"], event["source"], event["message"]) == (
        "warning",
        "library_message",
        "waitress",
        "queue depth is 9",
    )


def test_what_a_library_caught_is_told_with_its_traceback(lines: Lines) -> None:
    try:
        raise ValueError("why")
    except ValueError:
        logging.getLogger("rest_bridge.wsgi").exception("request failed")

    [event] = lines.events()
    assert (event["level"], event["message"]) == ("error", "request failed")
    assert "ValueError: why" in event["exception"]


def test_an_exception_is_text_in_one_line(lines: Lines) -> None:
    try:
        raise ValueError("why")
    except ValueError:
        structlog.get_logger().exception("failed")

    [event] = lines.events()
    assert "ValueError: why" in event["exception"]


def test_values_json_does_not_know_and_broken_unicode_are_written_anyway(lines: Lines) -> None:
    structlog.get_logger().info("odd", value=b"\xff", text="\udcff", port={1})

    [event] = lines.events()
    assert event["text"] == "\udcff"


def test_an_event_rendered_on_the_side_looks_like_any_other(lines: Lines) -> None:
    rendered = log.render_event("fault_injected", "2023-11-14T22:13:20Z", {"topic": "cars"})
    structlog.get_logger().info("fault_injected", topic="cars")

    aside, logged = json.loads(rendered), lines.events()[0]
    assert rendered.endswith(b"\n")
    assert list(aside) == list(logged)
    assert aside | {"timestamp": ""} == logged | {"timestamp": ""}


def test_lines_of_a_template_are_those_that_are_rendered_one_by_one() -> None:
    fields: dict[str, Any] = {"topic": "100 % größer\n\udcff", "partition": 0, "x": None, "draw": 1}
    template = log.event_template("fault_injected", fields, ("partition", "draw"))

    for partition, draw in ((0, 1), (2**31 - 1, 2**63), (-1, 7)):
        values = fields | {"partition": partition, "draw": draw}
        expected = log.render_event("fault_injected", "2023-11-14T22:13:20Z", values)
        assert template % (b"2023-11-14T22:13:20Z", partition, draw) == expected
