"""Observations: log line, stream and metrics, gathered for a moment."""

import json
from collections.abc import Callable
from dataclasses import replace

from sidecar.metrics import Metrics
from sidecar.model.observation import Observed
from sidecar.observer import Observer
from tests.sidecar.api.harness import injection
from tests.support.observations import anomaly, ended
from tests.support.sessions import NOW


class Observing:
    """An observer whose time comes when the test says so."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.published: list[Observed] = []
        self.metrics = Metrics()
        self.due: list[Callable[[], None]] = []
        self.observer = Observer(
            self.lines.append, self.published.append, self.metrics, self.due.append
        )

    def notes(self, *observed: Observed) -> list[dict[str, object]]:
        """Note them; the events in the log, once their time has come."""
        for each in observed:
            self.observer.note(each)
        assert self.lines == []
        [flush] = self.due
        flush()
        [block] = self.lines
        return [json.loads(line) for line in block.splitlines()]

    def sample(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"kafka_chaos_{name}", labels)


LABELS = {
    "interceptor": "elections",
    "virtual_cluster": "teamA",
    "fault": "leader_election",
    "api": "PRODUCE",
}


def test_a_recovery_is_one_line() -> None:
    observing = Observing()
    [event] = observing.notes(ended())

    assert event == {
        "timestamp": "2023-11-14T22:13:20.250000Z",
        "level": "info",
        "event": "client_recovered",
        "interceptor": "elections",
        "interceptor_uid": "uid-1",
        "fault": "leader_election",
        "error": "NOT_LEADER_OR_FOLLOWER",
        "virtual_cluster": "teamA",
        "principal": "sa",
        "client_id": "producer-1",
        "client_software_name": "apache-kafka-java",
        "client_software_version": "3.7.0",
        "api": "PRODUCE",
        "topic": "my-topic",
        "partition": 3,
        "seconds": 1.25,
        "errors": 4,
        "retries": 3,
        "metadata_refreshes": 2,
    }
    assert observing.published == [ended()]


def test_lines_from_one_template_differ_in_their_numbers() -> None:
    first = injection(client_id='50 % "mine"')
    same = ended(first=first)
    other = same._replace(time=NOW + 1, place=("my-topic", 0), seconds=0.000001, errors=1)
    given_up = same._replace(recovered=False)
    events = Observing().notes(same, other, given_up, same)

    assert [event["event"] for event in events] == [
        "client_recovered",
        "client_recovered",
        "client_not_recovered",
        "client_recovered",
    ]
    assert [event["partition"] for event in events] == [3, 0, 3, 3]
    assert [event["seconds"] for event in events] == [1.25, 0.000001, 1.25, 1.25]
    assert events[0] == events[3]
    assert {event["client_id"] for event in events} == {'50 % "mine"'}


def test_an_injection_of_its_own_gets_lines_of_its_own() -> None:
    one, two = injection(), replace(injection(), interceptor="other")
    events = Observing().notes(*(ended(first=first) for first in (one, two, one)))

    assert [event["interceptor"] for event in events] == ["elections", "other", "elections"]


def test_an_anomaly_is_one_line_and_counted_by_its_kind() -> None:
    observing = Observing()
    [event] = observing.notes(anomaly(kind="GAP", other_offset=None))

    assert (event["event"], event["kind"], event["other_offset"]) == (
        "sequence_anomaly",
        "GAP",
        None,
    )
    assert "time" not in event
    assert observing.sample("sequence_anomalies_total", kind="GAP") == 1


def test_recoveries_are_a_histogram_and_those_given_up_are_counted() -> None:
    observing = Observing()
    observing.notes(ended(), ended(seconds=0.02), ended(recovered=False))

    assert observing.sample("recovery_seconds_count", **LABELS) == 2
    assert observing.sample("recovery_seconds_sum", **LABELS) == 1.27
    assert observing.sample("recovery_seconds_bucket", le="0.025", **LABELS) == 1
    assert observing.sample("recoveries_given_up_total", **LABELS) == 1


def test_what_comes_while_it_is_told_waits_for_the_next_time() -> None:
    observing = Observing()
    observing.notes(ended())
    observing.observer.note(ended())

    assert len(observing.due) == 2
    assert len(observing.published) == 1
    observing.observer.flush()
    observing.observer.flush()
    assert len(observing.published) == 2
    assert len(observing.lines) == 2
