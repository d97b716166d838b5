"""A worker's counts: bounded while nobody takes them, and complete when somebody does."""

from sidecar.control.journal import Journal
from sidecar.metrics import Metrics
from sidecar.model.observation import Ended
from sidecar.workers.ledger import Ledger
from sidecar.workers.messages import State
from sidecar.workers.tally import REPORT_SIZE, Tally
from tests.sidecar.api.harness import injection

STATE = State(connections=3)


class Ends:
    """A tally in a worker, and the ledger that its reports go to."""

    def __init__(self, room: int = 1000) -> None:
        self.woken = 0
        self.tally = Tally(self._wake, room)
        self.journal = Journal()
        self.metrics = Metrics()
        self._ledger = Ledger(self.journal, self.metrics)

    def _wake(self) -> None:
        self.woken += 1

    def inject(self, count: int) -> None:
        for partition in range(count):
            made = injection(partition=partition)
            self.tally.publish(made)
            self.tally.counter(made).inc()

    def report(self) -> int:
        """Hand everything over; how many reports it took."""
        reports = self.tally.due
        for _ in range(reports):
            self._ledger.enter(self.tally.take(STATE))
        assert self.tally.due == 0
        return reports

    def counted(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"kafka_chaos_{name}_total", labels)

    def injected(self) -> float | None:
        one = injection()
        return self.counted(
            "injections",
            interceptor=one.interceptor,
            virtual_cluster=one.virtual_cluster,
            fault=one.fault,
            error=one.error,
        )


def test_injections_arrive_in_order_in_reports_of_bounded_size() -> None:
    ends = Ends()

    ends.inject(2 * REPORT_SIZE + 1)

    assert ends.report() == 3
    entries = ends.journal.list(0, 1000).entries
    assert [found.partition for _, found in entries] == list(range(2 * REPORT_SIZE + 1))
    assert ends.injected() == 2 * REPORT_SIZE + 1
    assert ends.woken == 2 * REPORT_SIZE + 1


def test_what_finds_no_room_is_counted_and_a_gap_in_the_stream() -> None:
    ends = Ends(room=5)
    following = ends.journal.subscribe()

    ends.inject(12)
    ends.report()
    ends.inject(2)
    ends.report()

    uid = injection().interceptor_uid
    assert (ends.journal.count(uid), ends.journal.total, ends.injected()) == (14, 14, 14)
    page = ends.journal.list(0, 1000)
    assert [sequence for sequence, _ in page.entries] == [1, 2, 3, 4, 5, 13, 14]
    assert page.missed == 7
    told = [following.next(0) for _ in range(8)]
    assert [getattr(item, "missed", None) for item in told] == [None] * 5 + [7] + [None] * 2


def test_counts_arrive_under_their_names_once() -> None:
    ends = Ends()

    ends.tally.connections.inc()
    ends.tally.connections.inc()
    ends.tally.closes.labels("malformed_request").inc()
    ends.tally.reports.labels("authenticated").inc()
    ends.tally.upstream_failures.inc()
    ends.tally.injections_skipped.inc()
    ends.tally.records_passed_over.labels("duplicate_messages").inc(7)

    assert ends.report() == 1
    assert ends.report() == 0
    assert ends.counted("client_connections") == 2
    assert ends.counted("client_closes", reason="malformed_request") == 1
    assert ends.counted("session_events", event="authenticated") == 1
    assert ends.counted("upstream_connect_failures") == 1
    assert ends.counted("injections_skipped") == 1
    assert ends.counted("records_passed_over", fault="duplicate_messages") == 7


def test_a_report_carries_the_state_also_when_nothing_was_counted() -> None:
    assert Ends().tally.take(STATE).state == STATE


def test_observations_arrive_in_order_and_are_counted_where_they_do() -> None:
    ends = Ends()
    ended = Ended(injection(), ("my-topic", 3), 1.0, True, 1.25, 4, 3, 2)
    for number in range(REPORT_SIZE + 5):
        ends.tally.note(ended._replace(errors=number))
        ends.tally.observe(ended)
    assert ends.report() == 2

    page = ends.journal.observations.list(0, 1000)
    assert [each.errors for _, each in page.entries] == list(range(REPORT_SIZE + 5))
    count = ends.metrics.registry.get_sample_value(
        "kafka_chaos_recovery_seconds_count",
        {
            "interceptor": "elections",
            "virtual_cluster": "teamA",
            "fault": "leader_election",
            "api": "PRODUCE",
        },
    )
    assert count == REPORT_SIZE + 5
    assert ends.journal.total == 0


def test_observations_without_room_leave_a_gap() -> None:
    ends = Ends(room=10)
    ended = Ended(injection(), ("my-topic", 3), 1.0, True, 1.25, 4, 3, 2)
    for _ in range(12):
        ends.tally.note(ended)
    ends.report()
    ends.tally.note(ended)
    ends.report()

    page = ends.journal.observations.list(0, 1000)
    assert [sequence for sequence, _ in page.entries] == [*range(1, 11), 13]
    assert page.missed == 2
