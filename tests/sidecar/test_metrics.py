"""What /metrics says."""

from prometheus_client.parser import text_string_to_metric_families

from sidecar.metrics import Metrics
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
