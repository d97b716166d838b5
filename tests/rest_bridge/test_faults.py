"""The plugin classes there are besides the demo's: echoed as they came, refused in REST's words."""

import json
from typing import Any

import pytest

from rest_bridge.plugins import PLUGINS, Plugin
from sidecar.faults.latency import Latency
from sidecar.faults.slow_broker import SlowBroker
from sidecar.faults.slow_clients import SlowClients
from sidecar.gen.kafka.chaos.v1.fault_options_pb2 import key
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2 import (
    ListInterceptorsRequest,
    UpdateInterceptorRequest,
)
from sidecar.model.faults import Fault
from tests.rest_bridge.harness import INTERCEPTORS, Http, interceptor
from tests.sidecar.api.harness import ADMIN, Control

PACKAGE = "io.conduktor.gateway.interceptor.chaos."
ITEM = f"{INTERCEPTORS}/vcluster/teamA/interceptor/n"

RANGE = {"minLatencyMs": 2000, "maxLatencyMs": 2001}
SLOW_CLIENTS: dict[str, Any] = {"rateInPercent": 100, **RANGE}


@pytest.mark.parametrize(
    ("plugin", "config", "fault"),
    [
        (
            "SimulateSlowBrokerPlugin",
            {"rateInPercent": 100, **RANGE},
            SlowBroker(rate_in_percent=100, min_latency_ms=2000, max_latency_ms=2001),
        ),
        (
            "SimulateLatencyPlugin",
            {"appliedPercentage": 7.5, "latencyMs": 100, "seed": 3},
            Latency(applied_percentage=7.5, latency_ms=100, seed=3),
        ),
        (
            "SimulateSlowProducersConsumersPlugin",
            SLOW_CLIENTS,
            SlowClients(rate_in_percent=100, min_latency_ms=2000, max_latency_ms=2001),
        ),
        (
            "SimulateSlowProducersConsumersPlugin",
            SLOW_CLIENTS | {"topic": "slow-.*"},
            SlowClients(
                topic="slow-.*", rate_in_percent=100, min_latency_ms=2000, max_latency_ms=2001
            ),
        ),
    ],
)
def test_a_config_becomes_its_fault_and_is_shown_as_it_came(
    http: Http, control: Control, plugin: str, config: dict[str, Any], fault: Fault
) -> None:
    body = interceptor(json.dumps(config), pluginClass=PACKAGE + plugin)

    assert http.told("POST", ITEM, body) == (201, "n is created")

    [made] = control.published[-1].interceptors
    assert made.fault == fault
    assert json.loads(http("GET", ITEM).text)["config"] == config


@pytest.mark.parametrize(
    ("plugin", "config", "refused"),
    [
        (
            "SimulateSlowBrokerPlugin",
            {"rateInPercent": 1, "minLatencyMs": 5, "maxLatencyMs": 4},
            "config.maxLatencyMs is 4, allowed are 5 to 3600000",
        ),
        (
            "SimulateLatencyPlugin",
            {"latencyMs": 1},
            "config.appliedPercentage is required, allowed are numbers from 0 to 100",
        ),
        (
            "SimulateLatencyPlugin",
            {"appliedPercentage": 100.5, "latencyMs": 1},
            "config.appliedPercentage is 100.5, allowed are numbers from 0 to 100",
        ),
        (
            "SimulateLatencyPlugin",
            {"appliedPercentage": 100, "latencyMs": 3_600_001},
            "config.latencyMs is 3600001, allowed are integers from 0 to 3600000",
        ),
        (
            "SimulateSlowProducersConsumersPlugin",
            SLOW_CLIENTS | {"topic": 5},
            "config.topic is 5, allowed are RE2 regular expressions of 1 to 512 characters",
        ),
        (
            "SimulateSlowProducersConsumersPlugin",
            SLOW_CLIENTS | {"topic": "(a"},
            "config.topic is '(a', allowed are RE2 regular expressions of 1 to 512 characters: "
            "missing ): (a",
        ),
        (
            "SimulateSlowProducersConsumersPlugin",
            SLOW_CLIENTS | {"topic": ""},
            "config.topic is '', allowed are RE2 regular expressions of 1 to 512 characters: "
            "it is empty",
        ),
        (
            "kafka.chaos.LeaderlessPartitionsPlugin",
            {"topic": "a", "partitions": [0, 2**31]},
            "config.partitions[1] is 2147483648, allowed are integers from 0 to 2147483647",
        ),
        (
            "kafka.chaos.RollingRestartPlugin",
            {"brokers": [-1]},
            "config.brokers[0] is -1, allowed are integers from 0 to 2147483647",
        ),
        (
            "kafka.chaos.RollingRestartPlugin",
            {},
            "config.brokers is required, allowed are lists of node ids",
        ),
        (
            "SimulateBrokenBrokersPlugin",
            {"rateInPercent": 1, "errorMap": {}},
            "config.errorMap is {}, allowed are objects: PRODUCE and FETCH with the name of an"
            " error of that API",
        ),
        (
            "SimulateLeaderElectionsErrorsPlugin",
            {"rateInPercent": 1, "windowMs": 5, "outcome": "APPEND_THEN_REJECT"},
            "config.outcome is 'APPEND_THEN_REJECT', allowed beside config.windowMs are REJECT",
        ),
        (
            "SimulateBrokenBrokersPlugin",
            {"rateInPercent": 1, "errorMap": {"a rate_in_percent": "x"}},
            "config.errorMap has the key 'a rate_in_percent', allowed are PRODUCE, FETCH",
        ),
    ],
)
def test_a_bad_config_is_refused_with_key_value_and_what_is_allowed(
    http: Http, control: Control, plugin: str, config: dict[str, Any], refused: str
) -> None:
    before = len(control.published)
    name = plugin if "." in plugin else PACKAGE + plugin
    body = interceptor(json.dumps(config), pluginClass=name)

    assert http.told("POST", ITEM, body) == (400, refused)
    assert len(control.published) == before


def least(plugin: Plugin) -> dict[str, Any]:
    """A config of nothing but what is required: the smallest numbers allowed, or a name."""
    needed = [f for f in plugin.message.fields if not f.GetOptions().Extensions[key].fallback]
    return {field.json_name: [1] if field.is_repeated else _least(field) for field in needed}


def _least(field: Any) -> int | str:
    told = field.GetOptions().Extensions[key]
    return int(told.minimum) if told.HasField("minimum") else "a"


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.fault)
def test_defaults_are_not_shown_unless_they_were_sent(http: Http, plugin: Plugin) -> None:
    config = least(plugin)

    body = interceptor(json.dumps(config), pluginClass=plugin.name)
    assert http.told("POST", ITEM, body) == (201, "n is created")

    assert json.loads(http("GET", ITEM).text)["config"] == config


def test_a_default_that_was_sent_is_shown(http: Http) -> None:
    config = SLOW_CLIENTS | {"topic": ".*"}
    name = PACKAGE + "SimulateSlowProducersConsumersPlugin"

    http("POST", ITEM, interceptor(json.dumps(config), pluginClass=name))

    assert json.loads(http("GET", ITEM).text)["config"] == config


def test_what_grpc_changed_is_shown_and_not_what_rest_once_sent(
    http: Http, control: Control
) -> None:
    name = PACKAGE + "SimulateSlowProducersConsumersPlugin"
    http("POST", ITEM, interceptor(json.dumps(SLOW_CLIENTS), pluginClass=name))
    [made] = control.interceptor.ListInterceptors(
        ListInterceptorsRequest(), metadata=ADMIN
    ).interceptors
    made.slow_clients.topic = "orders"
    control.interceptor.UpdateInterceptor(
        UpdateInterceptorRequest(interceptor=made), metadata=ADMIN
    )

    shown = json.loads(http("GET", ITEM).text)["config"]

    assert shown == {"topic": "orders"} | SLOW_CLIENTS


def test_every_plugin_has_a_readme_with_its_keys(http: Http) -> None:
    for plugin in PLUGINS:
        for field in plugin.message.fields:
            assert f"| `{field.json_name}` |" in plugin.readme


def test_a_readme_tells_lists_from_objects() -> None:
    told = "\n".join(plugin.readme for plugin in PLUGINS)

    assert "| `brokers` | list of integers from 0 to 2147483647 | required |" in told
    assert "| `partitions` | list of integers from 0 to 2147483647 | all |" in told
    assert "| `errorMap` | object |" in told
