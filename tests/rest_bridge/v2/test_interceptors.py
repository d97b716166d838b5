"""Interceptors of v2: scopes, upserts, rehearsals, filters, and what is shared with v1."""

import json
from typing import Any

import pytest

from rest_bridge.plugins import PLUGINS, Plugin
from sidecar.model.identity import Identity
from sidecar.model.interceptor import Scope
from tests.rest_bridge.harness import INTERCEPTORS as V1
from tests.rest_bridge.harness import PLUGIN, Http
from tests.rest_bridge.harness import interceptor as v1_interceptor
from tests.rest_bridge.v2.harness import (
    ABSENT,
    BASE,
    GROUP,
    INTERCEPTOR,
    SERVICE_ACCOUNT,
    TOKEN,
    VIRTUAL_CLUSTER,
    got,
    interceptor,
    put,
    resource,
    told,
)
from tests.sidecar.api.harness import NOW, Control, injection

NULLS = {"vCluster": None, "group": None, "username": None}
PASSTHROUGH = Scope(virtual_cluster="passthrough")


@pytest.fixture
def place(http: Http) -> Http:
    """Virtual cluster v and passthrough, with a user u in group g in both."""
    put(http, VIRTUAL_CLUSTER, resource("VirtualCluster", {"name": "v"}, {}))
    members = []
    for vcluster in ("v", "passthrough"):
        account = {"name": "u", "vCluster": vcluster}
        put(
            http,
            SERVICE_ACCOUNT,
            resource("GatewayServiceAccount", account, {"type": "LOCAL"}),
        )
        members.append(account)
    put(http, GROUP, resource("GatewayGroup", {"name": "g"}, {"members": members}))
    return http


SCOPES = [
    (ABSENT, PASSTHROUGH),
    (None, PASSTHROUGH),
    ({}, PASSTHROUGH),
    ({"group": None, "username": None}, PASSTHROUGH),
    ({"vCluster": "passthrough"}, PASSTHROUGH),
    (NULLS, Scope()),
    ({"vCluster": None}, Scope()),
    ({"username": "u"}, Scope(virtual_cluster="passthrough", username="u")),
    (NULLS | {"username": "u"}, Scope(virtual_cluster="passthrough", username="u")),
    (NULLS | {"group": "g"}, Scope(virtual_cluster="passthrough", group="g")),
    (NULLS | {"vCluster": "v"}, Scope(virtual_cluster="v")),
    ({"vCluster": "v", "group": "g"}, Scope(virtual_cluster="v", group="g")),
    ({"vCluster": "v", "username": "u"}, Scope(virtual_cluster="v", username="u")),
    (
        {"vCluster": "v", "username": "nobody-yet"},
        Scope(virtual_cluster="v", username="nobody-yet"),
    ),
]


@pytest.mark.parametrize(("scope", "model"), SCOPES)
@pytest.mark.parametrize("slash", ["", "/"])
def test_life_at_every_scope(
    place: Http, control: Control, scope: Any, model: Scope, slash: str
) -> None:
    assert put(place, INTERCEPTOR + slash, interceptor(scope=scope)) == "CREATED"
    assert control.published[-1].interceptors[0].scope == model

    [item] = got(place, INTERCEPTOR + slash)
    assert item["metadata"] == {
        "name": "n",
        "scope": {
            "vCluster": model.virtual_cluster or None,
            "group": model.group or None,
            "username": model.username or None,
        },
    }
    assert put(place, INTERCEPTOR, json.dumps(item)) == "NOT_CHANGED"
    assert put(place, INTERCEPTOR, interceptor(scope=scope, priority=7)) == "UPDATED"

    body = "" if scope in (ABSENT, None) else json.dumps(scope)
    for status in (204, 404):
        assert place("DELETE", f"{INTERCEPTOR}/n{slash}", body).status_code == status
    assert got(place, INTERCEPTOR) == []


def test_a_missing_one_is_told_in_both_words(http: Http) -> None:
    answer = http("DELETE", f"{INTERCEPTOR}/n", json.dumps(NULLS))

    assert answer.status_code == 404
    assert json.loads(answer.text) == {
        "title": "The given interceptor does not exist",
        "msg": "there is no interceptor 'n' in the global scope",
    }


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        ({"vCluster": "w"}, "there is no virtual cluster 'w'"),
        ({"vCluster": "w", "username": "u"}, "there is no virtual cluster 'w'"),
        (
            {"vCluster": "v", "group": "h"},
            "there is no group 'h' in virtual cluster 'v': no user mapping names it",
        ),
        (
            {"group": "h"},
            "there is no group 'h' in virtual cluster 'passthrough': no user mapping names it",
        ),
    ],
)
@pytest.mark.parametrize("query", ["", "?dryMode=true"])
def test_scopes_must_exist(
    place: Http, control: Control, scope: Any, message: str, query: str
) -> None:
    before = len(control.published)

    answer = place("PUT", INTERCEPTOR + query, interceptor(scope=scope))

    assert answer.status_code == 404
    assert json.loads(answer.text) == {
        "title": "The request refers to what does not exist",
        "msg": message,
    }
    assert len(control.published) == before


def test_a_rehearsal_tells_what_would_be_and_does_nothing(place: Http, control: Control) -> None:
    before = len(control.published)
    body = interceptor(scope={"vCluster": "v"}, comment="why")

    rehearsed = place("PUT", f"{INTERCEPTOR}?dryMode=true", body)
    assert (rehearsed.status_code, got(place, INTERCEPTOR)) == (200, [])
    assert len(control.published) == before
    assert place("PUT", f"{INTERCEPTOR}?dryMode=false", body).text == rehearsed.text

    for changed, outcome in ((body, "NOT_CHANGED"), (body.replace("50", "60"), "UPDATED")):
        assert put(place, f"{INTERCEPTOR}?dryMode=true", changed) == outcome
    assert got(place, INTERCEPTOR)[0]["spec"]["config"] == {"rateInPercent": 50}
    assert len(control.published) == before + 1


def test_draws_go_on_while_nothing_changes(http: Http, control: Control) -> None:
    put(http, INTERCEPTOR, interceptor())
    [before] = control.published[-1].interceptors
    control.journal.publish(injection(interceptor_uid=before.uid))

    put(http, INTERCEPTOR, interceptor())
    put(http, f"{INTERCEPTOR}?dryMode=true", interceptor('{"rateInPercent":60}'))
    put(http, INTERCEPTOR, interceptor(comment="another"))

    [after] = control.published[-1].interceptors
    assert (after.uid, after.seed) == (before.uid, before.seed)
    assert control.journal.count(after.uid) == 1


def test_names_in_many_scopes_are_told_apart_by_filters(place: Http) -> None:
    scopes: list[Any] = [NULLS, {}, {"vCluster": "v"}, {"vCluster": "v", "group": "g"}]
    scopes.append({"username": "u"})
    for scope in scopes:
        put(place, INTERCEPTOR, interceptor(scope=scope))
    put(place, INTERCEPTOR, interceptor(name="other"))

    def found(query: str) -> list[tuple[str, str | None, str | None, str | None]]:
        items = [item["metadata"] for item in got(place, f"{INTERCEPTOR}?{query}")]
        return [(item["name"], *item["scope"].values()) for item in items]

    everybody = ("n", None, None, None)
    v, grouped = ("n", "v", None, None), ("n", "v", "g", None)
    mine, user = ("n", "passthrough", None, None), ("n", "passthrough", None, "u")
    other = ("other", "passthrough", None, None)
    assert found("") == found("global=false") == [everybody, mine, v, grouped, user, other]
    assert found("global=true") == [everybody]
    assert found("vcluster=v") == [v, grouped]
    assert found("vcluster=passthrough&name=n") == [mine, user]
    assert found("group=g") == [grouped]
    assert found("username=u") == [user]
    assert found("username=u&vcluster=v") == []
    assert found("name=other") == [other]
    assert found("name=nothing") == found("vcluster=nothing") == []


def test_an_interceptor_may_be_called_resolve(http: Http) -> None:
    put(http, INTERCEPTOR, interceptor(name="resolve"))

    assert http("DELETE", f"{INTERCEPTOR}/resolve").status_code == 204


def test_what_is_resolved_are_resources_in_order(place: Http) -> None:
    put(place, INTERCEPTOR, interceptor(scope=NULLS, name="late", priority=9))
    put(place, INTERCEPTOR, interceptor(scope={"vCluster": "v"}, name="over", priority=1))
    put(place, INTERCEPTOR, interceptor(scope={"vCluster": "v", "username": "u"}, name="over"))
    put(place, INTERCEPTOR, interceptor(scope={"vCluster": "v", "group": "g"}, name="grouped"))

    def resolved(body: str) -> list[str]:
        answer = place("POST", f"{INTERCEPTOR}/resolve", body)
        assert answer.status_code == 200
        assert all(item in got(place, INTERCEPTOR) for item in json.loads(answer.text))
        return [item["metadata"]["name"] for item in json.loads(answer.text)]

    assert resolved('{"vCluster":"v","username":"x"}') == ["over", "late"]
    assert resolved('{"vCluster":"v","username":"u"}') == ["late", "grouped", "over"]
    assert resolved('{"vCluster":"v","groups":["g"],"username":null}') == [
        "over",
        "late",
        "grouped",
    ]
    assert resolved("{}") == resolved("") == ["late"]


@pytest.mark.parametrize(
    "config",
    ['{"rateInPercent":50.0}', '{"seed":7,"rateInPercent":5e1}', '{"rateInPercent":12.50}'],
)
def test_config_is_echoed_as_it_was_sent(http: Http, config: str) -> None:
    assert f'"config":{config}}}}}' in http("PUT", INTERCEPTOR, interceptor(config)).text


def test_without_a_comment_it_is_null(http: Http) -> None:
    for body in (interceptor(), interceptor(comment=None)):
        put(http, INTERCEPTOR, body)
        [item] = got(http, INTERCEPTOR)
        assert list(item["spec"]) == ["comment", "pluginClass", "priority", "config"]
        assert item["spec"]["comment"] is None


def test_the_kind_of_the_terraform_provider_is_taken(http: Http) -> None:
    body = interceptor().replace('"Interceptor"', '"GatewayInterceptor"')

    assert put(http, INTERCEPTOR, body) == "CREATED"
    assert got(http, INTERCEPTOR)[0]["kind"] == "Interceptor"


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.fault)
def test_every_plugin_is_one_here_too(http: Http, plugin: Plugin) -> None:
    refused = told(http, "PUT", INTERCEPTOR, interceptor('{"nonsense":1}', pluginClass=plugin.name))
    assert refused[0] == 400
    assert refused[1].startswith("spec.config.nonsense is not known, allowed are spec.config.")


def test_both_dialects_see_the_same_interceptors(http: Http, control: Control) -> None:
    http("POST", f"{V1}/interceptor/n", v1_interceptor())

    assert put(http, INTERCEPTOR, interceptor()) == "NOT_CHANGED"
    assert got(http, INTERCEPTOR)[0]["spec"]["pluginClass"] == PLUGIN
    put(http, INTERCEPTOR, interceptor(priority=7))
    assert json.loads(http("GET", f"{V1}/interceptor/n").text)["priority"] == 7


# Tokens, plugins and health


def test_tokens(http: Http, control: Control) -> None:
    body = '{"vCluster":"v","username":"sa","lifeTimeSeconds":60}'
    answer = http("POST", TOKEN, body)

    assert answer.status_code == 200
    [(key, token)] = json.loads(answer.text).items()
    assert key == "token"
    assert control.tokens.verify(token, NOW) == Identity("sa", "v")
    for rest in ("", '"vCluster":null,'):
        answer = http("POST", TOKEN, f'{{{rest}"username":"sa","lifeTimeSeconds":60}}')
        token = json.loads(answer.text)["token"]
        assert control.tokens.verify(token, NOW) == Identity("sa", "passthrough")


def test_plugins(http: Http) -> None:
    first, *_ = plugins = got(http, f"{BASE}/plugin")

    assert [plugin["plugin"] for plugin in plugins] == [plugin.name for plugin in PLUGINS]
    assert list(first) == [
        *("plugin", "pluginId", "readme", "parent", "license", "description", "title"),
        "version",
    ]
    assert (first["plugin"], first["version"]) == (PLUGIN, "1.2.3")
    assert "| `rateInPercent` |" in first["readme"]


def test_health_in_later_words(http: Http, control: Control) -> None:
    for path, text in (
        ("/health/live", ""),
        ("/health/ready", "READY"),
        ("/versions", '{"gateway":"1.2.3"}'),
    ):
        answer = http("GET", path, authorization=None)
        assert (answer.status_code, answer.text) == (200, text)
    control.server.set_serving(False)
    answer = http("GET", "/health/ready", authorization=None)
    assert (answer.status_code, answer.text) == (503, "NOTREADY")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert http("GET", "/health/live", authorization=None).status_code == 200


CONTROL = {"topics": ["orders.*"], "partitions": [0, 3], "maxInjections": 20, "maxPerSecond": 2.5}


def test_what_else_may_be_asked_of_it_is_shown_and_can_be_put_again(http: Http) -> None:
    body = interceptor(control=CONTROL)
    assert put(http, INTERCEPTOR, body) == "CREATED"

    [shown] = got(http, INTERCEPTOR)

    assert shown["spec"]["control"] == CONTROL
    assert put(http, INTERCEPTOR, json.dumps(shown)) == "NOT_CHANGED"
    [other] = json.loads(http("GET", f"{V1}/vcluster/passthrough").text)["interceptors"]
    assert other["control"] == CONTROL
    assert put(http, INTERCEPTOR, interceptor()) == "NOT_CHANGED", "nothing is said of it"
    assert put(http, f"{INTERCEPTOR}?dryMode=true", interceptor(priority=7)) == "UPDATED"
    assert put(http, INTERCEPTOR, interceptor(priority=7)) == "UPDATED"
    assert got(http, INTERCEPTOR)[0]["spec"]["control"] == CONTROL
    assert put(http, INTERCEPTOR, interceptor(priority=7, control={})) == "UPDATED"
    assert "control" not in got(http, INTERCEPTOR)[0]["spec"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (7, "spec.control is 7, a JSON object is needed"),
        ({"topic": "t"}, "spec.control.topic is not known, allowed are spec.control.topics,"),
        ({"maxInjections": 0}, "spec.control.maxInjections is 0, allowed are integers from 1"),
        ({"topics": ["("]}, "spec.control.topics[0] is '('"),
        ({"ttlSeconds": 0}, "spec.control.ttlSeconds is 0, allowed are numbers above 0"),
    ],
)
def test_what_is_wrong_with_it_is_named(http: Http, wanted: Any, message: str) -> None:
    status, found = told(http, "PUT", INTERCEPTOR, interceptor(control=wanted))

    assert status in (400, 404)
    assert message in found
