"""No note, no injection: the log line first, then the stream and the counters."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sidecar.metrics import Metrics
from sidecar.model.injection import Brief, Form, Injection, Noted
from sidecar.recorder import Recorder
from tests.support.messages import produce, request
from tests.support.sessions import NOW, Client, interceptor


class Sink:
    """Takes lines, or refuses them."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.stuck = False

    def offer(self, lines: bytes) -> bool:
        if not self.stuck:
            self.lines.append(lines)
        return not self.stuck


class Recording:
    """A recorder between a sink, a list in the stream's place, and counters."""

    def __init__(self) -> None:
        self.sink = Sink()
        self.published: list[Noted] = []
        self.metrics = Metrics()
        self.recorder = Recorder(self.sink, self.published.append, self.metrics)

    def counted(self) -> float:
        labels = {
            "interceptor": "simulate",
            "virtual_cluster": "passthrough",
            "fault": "leader_election",
            "error": "NOT_LEADER_OR_FOLLOWER",
        }
        sample = self.metrics.registry.get_sample_value("kafka_chaos_injections_total", labels)
        return sample or 0.0

    def skipped(self) -> float | None:
        return self.metrics.registry.get_sample_value("kafka_chaos_injections_skipped_total")


def injections(*partitions: int) -> list[Injection]:
    """What a session records about a refused request with these partitions."""
    client = Client(interceptor(100))
    client.sends(produce({"cars": dict.fromkeys(partitions)}), 9)
    return client.recorded.injections


def test_one_line_one_message_and_one_count_for_each_partition() -> None:
    one = Recording()
    noted = injections(0, 1, 2)

    assert one.recorder.record(noted)

    [lines] = one.sink.lines
    events = [json.loads(line) for line in lines.splitlines()]
    assert [event["partition"] for event in events] == [0, 1, 2]
    assert one.published == noted
    assert one.counted() == 3
    assert not one.recorder.paused


def test_the_line_has_every_field_of_the_record_and_its_time() -> None:
    one = Recording()
    [noted] = injections(5)

    one.recorder.record([noted])

    event: dict[str, Any] = json.loads(one.sink.lines[0])
    names = [field.name for field in fields(Injection) if field.name != "time"]
    assert list(event) == ["timestamp", "level", "event", *names]
    assert event["timestamp"] == "2023-11-14T22:13:20.250000Z"
    assert (event["level"], event["event"]) == ("info", "fault_injected")
    assert {name: event[name] for name in names} == {name: getattr(noted, name) for name in names}


def test_a_stuck_log_means_no_injection_nowhere() -> None:
    one = Recording()
    one.sink.stuck = True

    assert not one.recorder.record(injections(0, 1))

    assert one.recorder.paused
    assert one.published == []
    assert one.counted() == 0
    assert one.skipped() == 1


def test_injection_goes_on_when_the_log_does() -> None:
    one = Recording()
    one.sink.stuck = True
    one.recorder.record(injections(0))
    one.sink.stuck = False

    assert one.recorder.record(injections(0))

    assert not one.recorder.paused
    assert (len(one.published), one.counted(), one.skipped()) == (1, 1, 1)


def test_the_log_is_told_how_many_injections_were_not_made_once() -> None:
    one = Recording()
    one.sink.stuck = True
    for _ in range(3):
        one.recorder.record(injections(0, 1))
    one.sink.stuck = False

    for _ in range(2):
        one.recorder.record(injections(0))

    events = [json.loads(line) for lines in one.sink.lines for line in lines.splitlines()]
    assert [e["event"] for e in events] == ["injection_resumed", *["fault_injected"] * 2]
    assert events[0]["skipped"] == 3


@pytest.mark.parametrize("seconds", [NOW, 1_700_000_000.0, 1_700_000_000.9999999, 0.0, 5.0000004])
@pytest.mark.parametrize("idempotent", [False, True])
def test_a_brief_leaves_the_same_line_stream_and_count_as_what_it_stands_for(
    idempotent: bool, seconds: float
) -> None:
    [common] = injections(3)
    if not idempotent:
        common = replace(common, producer_id=None, producer_epoch=None, base_sequence=None)
    brief = Brief(Form(common, idempotent=idempotent), seconds, 7, 3, 10, 4000, 0, 99, 12)
    short, whole = Recording(), Recording()

    assert short.recorder.record([brief, brief])
    assert whole.recorder.record([brief.whole(), brief.whole()])

    assert short.sink.lines == whole.sink.lines
    moment = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
    first = json.loads(short.sink.lines[0].splitlines()[0])
    assert first["timestamp"] == moment.replace("+00:00", "Z")
    assert [noted.whole() for noted in short.published] == whole.published
    assert short.counted() == whole.counted() == 2


def test_text_that_is_no_unicode_stays_one_line_of_json() -> None:
    one = Recording()
    client = Client(interceptor(100))
    client.sends(produce({"bad\udcff\nname\u2028": {0: None}}), 9)

    one.recorder.record(client.recorded.injections)

    [line] = one.sink.lines
    assert line.count(b"\n") == 1
    assert json.loads(line)["topic"] == "bad\udcff\nname\u2028"


def test_the_longest_event_fits_into_one_write_of_a_pipe() -> None:
    one = Recording()
    client = Client(interceptor(100, name="i" * 128, seed=2**64 - 1))
    message = produce({"\x01" * 3000: {2**31 - 1: None}})
    client.sends_frame(request(message, 9, 2**31 - 1, "\x01" * 3000))

    one.recorder.record(client.recorded.injections)

    assert len(one.sink.lines[0]) < 4096
