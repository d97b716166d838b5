"""What /metrics says."""

from prometheus_client.parser import text_string_to_metric_families

from sidecar.faults.leader_election import LeaderElection
from sidecar.injection_series import KEEP_SECONDS
from sidecar.metrics import Metrics
from sidecar.model.interceptor import Interceptor, Scope
from sidecar.model.snapshot import Snapshot
from tests.support.messages import produce
from tests.support.sessions import Client, interceptor


def samples(metrics: Metrics) -> dict[str, float]:
    """Value by name, labels in the name's place."""
    content_type, text = metrics.exposition()
    assert content_type.startswith("text/plain")
    return {
        sample.name + str(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_an_injection_is_counted_by_what_configuration_bounds() -> None:
    client = Client(interceptor(100))
    client.sends(produce({"a-topic": {0: None}}), 9)
    metrics = Metrics()

    metrics.counter(client.recorded.injections[0]).inc()

    labels = sorted(
        {
            "interceptor": "simulate",
            "virtual_cluster": "passthrough",
            "fault": "leader_election",
            "error": "NOT_LEADER_OR_FOLLOWER",
        }.items()
    )
    assert samples(metrics)[f"kafka_chaos_injections_total{labels}"] == 1
    assert "a-topic" not in metrics.exposition()[1], "clients must not make labels"


def test_a_gauge_is_read_when_it_is_asked_for() -> None:
    metrics, value = Metrics(), [3.0]
    metrics.gauge("things", "Some things", lambda: value[0])
    assert samples(metrics)["kafka_chaos_things[]"] == 3

    value[0] = 5.0

    assert samples(metrics)["kafka_chaos_things[]"] == 5


def test_counters_without_labels_are_there_from_the_start() -> None:
    found = samples(Metrics())

    assert found["kafka_chaos_injections_skipped_total[]"] == 0
    assert found["kafka_chaos_client_connections_total[]"] == 0
    assert found["kafka_chaos_upstream_connect_failures_total[]"] == 0


def test_two_sidecars_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()

    one.connections.inc()

    assert samples(other)["kafka_chaos_client_connections_total[]"] == 0


class Watched:
    """Metrics, a clock to move, and the injections of a client of `passthrough`."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.metrics = Metrics(clock=lambda: self.now)

    def there_are(self, *places: tuple[str, str]) -> None:
        """Interceptors by name and virtual cluster."""
        fault = LeaderElection(rate_in_percent=100)
        self.metrics.follow(
            Snapshot(
                1,
                tuple(
                    Interceptor(name=n, scope=Scope(virtual_cluster=c), priority=1, fault=fault)
                    for n, c in places
                ),
            )
        )

    def strikes(self, name: str) -> None:
        client = Client(interceptor(100, name=name))
        client.sends(produce({"t": {0: None}}), 9)
        self.metrics.counter(client.recorded.injections[0]).inc()

    def counted(self) -> dict[str, float]:
        """Injections by name of the interceptor, as /metrics has them."""
        return {
            sample.labels["interceptor"]: sample.value
            for family in text_string_to_metric_families(self.metrics.exposition()[1])
            for sample in family.samples
            if sample.name == "kafka_chaos_injections_total"
        }


def test_the_series_of_a_deleted_interceptor_ends_after_its_time() -> None:
    watched = Watched()
    watched.there_are(("one", "passthrough"), ("two", ""))
    watched.strikes("one")
    watched.strikes("two")

    watched.there_are(("two", ""), ("one", "another-cluster"))
    watched.now += KEEP_SECONDS - 1
    assert watched.counted() == {"one": 1, "two": 1}
    watched.now += 1

    assert watched.counted() == {"two": 1}


def test_an_interceptor_that_returns_in_time_counts_on() -> None:
    watched = Watched()
    watched.strikes("one")
    watched.there_are()
    watched.now += KEEP_SECONDS / 2
    watched.there_are(("one", "passthrough"))
    watched.now += KEEP_SECONDS
    watched.strikes("one")

    assert watched.counted() == {"one": 2}


def test_one_that_returns_later_counts_from_the_start() -> None:
    watched = Watched()
    watched.strikes("one")
    watched.there_are()
    watched.now += KEEP_SECONDS
    assert watched.counted() == {}

    watched.there_are(("one", "passthrough"))
    watched.strikes("one")
    assert watched.counted() == {"one": 1}


def test_what_was_in_flight_when_its_interceptor_went_is_dropped_too() -> None:
    watched = Watched()
    watched.there_are()
    watched.strikes("one")
    assert watched.counted() == {"one": 1}

    watched.now += KEEP_SECONDS

    assert watched.counted() == {}


def test_a_thousand_interceptors_that_came_and_went_leave_nothing() -> None:
    watched = Watched()
    for i in range(1000):
        watched.there_are((f"i{i}", "passthrough"))
        watched.metrics.injections.series((f"i{i}", "passthrough", "leader_election", "E")).inc()
    watched.there_are()
    assert len(watched.counted()) == 1000

    watched.now += KEEP_SECONDS

    assert watched.counted() == {}
