"""Interceptors of v2 that are refused: the key by its path, the value got, the values allowed."""

import json
from typing import Any

import pytest

from rest_bridge.plugins import PLUGINS
from tests.rest_bridge.harness import PLUGIN, Http
from tests.rest_bridge.v2.harness import (
    ABSENT,
    EMPTY,
    INTERCEPTOR,
    interceptor,
    resource,
)
from tests.sidecar.api.harness import Control

RATES = "allowed are numbers from 0 to 100"
CLASSES = ", ".join(plugin.name for plugin in PLUGINS)
PRIORITIES = "allowed are integers from 0 to 2147483647"
SPEC = {"pluginClass": PLUGIN, "priority": 1, "config": {"rateInPercent": 1}}


def outer(**fields: Any) -> str:
    """Return the body of an interceptor with other outer keys."""
    return resource("Interceptor", {"name": "n"}, SPEC, **fields)


@pytest.mark.parametrize("query", ["", "?dryMode=true"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        # Around it
        ("", "the body is not JSON: Expecting value at line 1, column 1"),
        ("[1]", "the body is [1], a JSON object is needed"),
        (b"\xff", "the body is not UTF-8"),
        ("[" * 60_000, "the body is nested too deep"),
        ('{"kind":"Interceptor","kind":"x"}', 'the body has the key "kind" twice in one object'),
        ("{}", "kind is required"),
        (outer(kind=ABSENT), "kind is required"),
        (outer(apiVersion=ABSENT), "apiVersion is required"),
        (outer(metadata=ABSENT), "metadata is required"),
        (outer(spec=ABSENT), "spec is required"),
        (outer(kind="Gateway"), 'kind is "Gateway", allowed are Interceptor, GatewayInterceptor'),
        (outer(kind=None), "kind is null, allowed are Interceptor, GatewayInterceptor"),
        (outer(kind=["Interceptor"]), 'kind is ["Interceptor"], allowed are Interceptor,'),
        (outer(apiVersion="gateway/v1"), 'apiVersion is "gateway/v1", allowed are gateway/v2'),
        (outer(apiVersion=2), "apiVersion is 2, allowed are gateway/v2"),
        (outer(status={}), "status is not known, allowed are kind, apiVersion, metadata, spec"),
        (outer(metadata=[]), "metadata is [], a JSON object is needed"),
        (outer(spec="x"), 'spec is "x", a JSON object is needed'),
        (
            '{"pluginClass":"x.Y","priority":1,"config":{}}',
            "pluginClass is not known, allowed are kind, apiVersion, metadata, spec",
        ),
        # metadata
        (interceptor(name=ABSENT), "metadata.name is required"),
        (interceptor(name=7), "metadata.name is 7, a string is needed"),
        (interceptor(name=None), "metadata.name is null, a string is needed"),
        (interceptor(name=""), "metadata.name must not be empty"),
        (interceptor(name="a/b"), "metadata.name is 'a/b', allowed are printable characters"),
        (interceptor(name="n" * 129), "metadata.name has 129 characters, at most 128 are allowed"),
        (
            outer(metadata={"name": "n", "labels": {}}),
            "metadata.labels is not known, allowed are metadata.name, metadata.scope",
        ),
        # scope
        (interceptor(scope=[]), "metadata.scope is [], a JSON object is needed"),
        (interceptor(scope="v"), 'metadata.scope is "v", a JSON object is needed'),
        (
            interceptor(scope={"vcluster": "v"}),
            "metadata.scope.vcluster is not known, allowed are metadata.scope.vCluster,"
            " metadata.scope.group, metadata.scope.username",
        ),
        (interceptor(scope={"vCluster": 1}), "metadata.scope.vCluster is 1, a string is needed"),
        (interceptor(scope={"vCluster": ""}), f"metadata.scope.vCluster {EMPTY}"),
        (interceptor(scope={"group": ""}), f"metadata.scope.group {EMPTY}"),
        (interceptor(scope={"username": ""}), f"metadata.scope.username {EMPTY}"),
        (
            interceptor(scope={"group": "g", "username": "u"}),
            "metadata.scope.group and metadata.scope.username exclude each other",
        ),
        (
            interceptor(scope={"vCluster": "a b"}),
            "metadata.scope.vCluster is 'a b', allowed are letters, digits, '.', '_' and '-'",
        ),
        (interceptor(scope={"username": "a/b"}), "metadata.scope.username is 'a/b', allowed are"),
        # spec
        (interceptor(pluginClass=ABSENT), "spec.pluginClass is required"),
        (interceptor(priority=ABSENT), "spec.priority is required"),
        (
            resource("Interceptor", {"name": "n"}, {"pluginClass": PLUGIN, "priority": 1}),
            "spec.config is required",
        ),
        (interceptor(pluginClass="x.Y"), f'spec.pluginClass is "x.Y", allowed are {CLASSES}'),
        (interceptor(pluginClass=None), f"spec.pluginClass is null, allowed are {CLASSES}"),
        (interceptor(priority=-1), f"spec.priority is -1, {PRIORITIES}"),
        (interceptor(priority=2**31), f"spec.priority is 2147483648, {PRIORITIES}"),
        (interceptor(priority="1"), f'spec.priority is "1", {PRIORITIES}'),
        (interceptor(priority=1.5), f"spec.priority is 1.5, {PRIORITIES}"),
        (interceptor(comment=7), "spec.comment is 7, a string is needed"),
        (
            interceptor(timeoutMs=1),
            "spec.timeoutMs is not known, allowed are spec.comment, spec.pluginClass,"
            " spec.priority, spec.config",
        ),
        (
            interceptor(comment="x" * 4096),
            "spec.comment with spec.config has",
        ),
        # config
        (interceptor("[]"), "spec.config is [], a JSON object is needed"),
        (interceptor("null"), "spec.config is null, a JSON object is needed"),
        (interceptor("{}"), f"spec.config.rateInPercent is required, {RATES}"),
        (interceptor('{"rateInPercent":101}'), f"spec.config.rateInPercent is 101, {RATES}"),
        (interceptor('{"rateInPercent":"50"}'), f'spec.config.rateInPercent is "50", {RATES}'),
        (interceptor('{"rateInPercent":NaN}'), "the body is not JSON: NaN is not a JSON number"),
        (
            interceptor('{"rateInPercent":1,"topic":"t"}'),
            "spec.config.topic is not known, allowed are spec.config.rateInPercent,"
            " spec.config.seed",
        ),
        (
            interceptor('{"rateInPercent":1,"seed":-1}'),
            "spec.config.seed is -1, allowed are integers from 0 to 18446744073709551615",
        ),
        # What only the sidecar can say
        (
            interceptor(
                '{"rateInPercent":1,"errorMap":{"PRODUCE":"NO_SUCH_ERROR"}}',
                pluginClass="io.conduktor.gateway.interceptor.chaos.SimulateBrokenBrokersPlugin",
            ),
            "spec.config.errorMap",
        ),
    ],
)
def test_bad_interceptors(
    http: Http, control: Control, body: str | bytes, message: str, query: str
) -> None:
    answer = http("PUT", INTERCEPTOR + query, body)

    assert answer.status_code == 400
    assert answer.content_type == "application/json"
    whole = json.loads(answer.text)
    assert (list(whole), whole["title"]) == (["title", "msg"], "The request is not valid")
    assert whole["msg"].startswith(message)
    assert control.published == []
