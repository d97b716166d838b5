"""Interceptors at every scope: paths, status codes, key order, and the echo of what was sent."""

import json

import pytest

from rest_bridge.translate import CLASS_NOTE, CONFIG_NOTE, TIMEOUT_NOTE
from sidecar.gen.kafka.chaos.v1 import interceptor_service_pb2 as ipb
from sidecar.gen.kafka.chaos.v1.fault_pb2 import LeaderElection
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.model.interceptor import Scope as ModelScope
from tests.rest_bridge.harness import INTERCEPTORS, PLUGIN, Http, interceptor
from tests.sidecar.api.harness import ADMIN, Control

MAX = 2**63 - 1

SCOPES = [
    ("/global", ModelScope()),
    ("", ModelScope(virtual_cluster="passthrough")),
    ("/group/g", ModelScope(virtual_cluster="passthrough", group="g")),
    ("/username/u", ModelScope(virtual_cluster="passthrough", username="u")),
    ("/vcluster/passthrough", ModelScope(virtual_cluster="passthrough")),
    ("/vcluster/v", ModelScope(virtual_cluster="v")),
    ("/vcluster/v/group/g", ModelScope(virtual_cluster="v", group="g")),
    ("/vcluster/v/username/u", ModelScope(virtual_cluster="v", username="u")),
]


@pytest.mark.parametrize(("scope", "model"), SCOPES)
@pytest.mark.parametrize("slash", ["", "/"])
def test_life_at_every_scope(
    http: Http, control: Control, scope: str, model: ModelScope, slash: str
) -> None:
    item, items = f"{INTERCEPTORS}{scope}/interceptor/n{slash}", f"{INTERCEPTORS}{scope}{slash}"
    rendered = (
        f'{{"name":"n","pluginClass":"{PLUGIN}","priority":100,'
        f'"timeoutMs":{MAX},"config":{{"rateInPercent":50}}}}'
    )

    assert http("GET", items).text == '{"interceptors":[]}'
    assert http("GET", item).status_code == 404
    assert http("POST", item, interceptor()).status_code == 201
    assert control.published[-1].interceptors[0].scope == model
    assert http("GET", item).text == rendered
    assert http("GET", items).text == f'{{"interceptors":[{rendered}]}}'
    updated = http("PUT", item, interceptor(priority=7))
    assert (updated.status_code, updated.text) == (200, '{"message":"n is updated"}')
    assert json.loads(http("GET", item).text)["priority"] == 7
    deleted = http("DELETE", item)
    assert (deleted.status_code, deleted.data) == (204, b"")
    assert deleted.content_type is None
    assert http("DELETE", item).status_code == 404
    created = http("PUT", item, interceptor())
    assert (created.status_code, created.text) == (200, '{"message":"n is created"}')


def test_lists_are_of_exactly_their_scope(http: Http) -> None:
    for i, (scope, _) in enumerate(SCOPES):
        http("POST", f"{INTERCEPTORS}{scope}/interceptor/n{i}", interceptor())

    def names(path: str) -> list[str]:
        items = json.loads(http("GET", INTERCEPTORS + path).text)["interceptors"]
        return [item["name"] for item in items]

    assert names("/global") == ["n0"]
    assert names("") == names("/interceptors") == names("/vcluster/passthrough") == ["n1", "n4"]
    assert names("/group/g") == ["n2"]
    assert names("/vcluster/v") == names("/vcluster/v/interceptors") == ["n5"]
    assert names("/vcluster/v/username/u/interceptors") == ["n7"]
    assert names("/vcluster/unknown") == []
    assert names("/all") == [f"n{i}" for i in range(8)]
    assert names(f"/all?pluginClass={PLUGIN}") == [f"n{i}" for i in range(8)]
    assert names("/all?pluginClass=other") == []


def test_the_list_of_everything_tells_the_scopes(http: Http) -> None:
    http("POST", f"{INTERCEPTORS}/global/interceptor/a", interceptor())
    http("POST", f"{INTERCEPTORS}/vcluster/v/username/u/interceptor/b", interceptor())

    items = json.loads(http("GET", f"{INTERCEPTORS}/all").text)["interceptors"]
    keys = ["name", "pluginClass", "priority", "timeoutMs", "config"]
    assert [list(item) for item in items] == [[*keys, "vcluster", "group", "username"]] * 2
    assert [tuple(item.values())[5:] for item in items] == [("", "", ""), ("v", "", "u")]


def test_a_name_is_taken_once_per_scope(http: Http) -> None:
    path = f"{INTERCEPTORS}/vcluster/v/interceptor/n"
    http("POST", path, interceptor())

    for body in (interceptor(), interceptor(priority=1)):
        assert http.told("POST", path, body) == (
            409,
            "interceptorName for cluster must be unique.",
        )
    other = f"{INTERCEPTORS}/vcluster/w/interceptor/n"
    assert http("POST", other, interceptor()).status_code == 201


@pytest.mark.parametrize(
    "config",
    [
        '{"rateInPercent":50}',
        '{"rateInPercent":50.0}',
        '{"rateInPercent":5e1}',
        '{"rateInPercent":12.50,"seed":18446744073709551615}',
        '{"seed":0,"rateInPercent":0}',
        '{"rateInPercent":-0.0}',
    ],
)
def test_config_is_echoed_as_it_was_sent(http: Http, config: str) -> None:
    path = f"{INTERCEPTORS}/interceptor/n"
    http("POST", path, interceptor(config))

    assert http("GET", path).text.endswith(f'"config":{config}}}')


def test_timeout_is_kept(http: Http) -> None:
    path = f"{INTERCEPTORS}/interceptor/n"
    http("POST", path, interceptor(timeoutMs=30000))

    assert '"timeoutMs":30000,' in http("GET", path).text


def test_a_name_in_the_body_is_ignored(http: Http) -> None:
    http("POST", f"{INTERCEPTORS}/interceptor/n", interceptor(name="other"))

    assert json.loads(http("GET", f"{INTERCEPTORS}/interceptor/n").text)["name"] == "n"


def test_names_may_have_any_letters(http: Http) -> None:
    path = f"{INTERCEPTORS}/interceptor/w%C3%A4hl%20%22"
    answer = http("POST", path, interceptor())

    assert answer.text == '{"message":"wähl \\" is created"}'
    assert json.loads(http("GET", path).text)["name"] == 'wähl "'


def grpc_create(control: Control, annotations: dict[str, str], rate: float = 12.5) -> None:
    request = ipb.CreateInterceptorRequest(
        interceptor=Interceptor(
            name="n",
            scope=Scope(virtual_cluster="v"),
            leader_election=LeaderElection(rate_in_percent=rate, seed=7),
            annotations=annotations,
        )
    )
    control.interceptor.CreateInterceptor(request, metadata=ADMIN)


@pytest.mark.parametrize(
    "annotations",
    [
        {},
        {CONFIG_NOTE: "nonsense", TIMEOUT_NOTE: "nonsense", CLASS_NOTE: "nonsense"},
        {CONFIG_NOTE: "[]", TIMEOUT_NOTE: "-1"},
        {CONFIG_NOTE: '{"rateInPercent":50}', TIMEOUT_NOTE: "9" * 40},
        {CONFIG_NOTE: '{"rateInPercent":12.5}'},
    ],
)
def test_what_grpc_made_is_rendered_from_its_fault(
    http: Http, control: Control, annotations: dict[str, str]
) -> None:
    grpc_create(control, annotations)

    assert http("GET", f"{INTERCEPTORS}/vcluster/v/interceptor/n").text == (
        f'{{"name":"n","pluginClass":"{PLUGIN}","priority":100,"timeoutMs":{MAX},'
        '"config":{"rateInPercent":12.5,"seed":7}}'
    )


def test_whole_rates_are_rendered_as_integers(http: Http, control: Control) -> None:
    grpc_create(control, {}, rate=50)

    assert '{"rateInPercent":50,"seed":7}' in http("GET", f"{INTERCEPTORS}/vcluster/v").text


def test_resolve(http: Http) -> None:
    http("POST", f"{INTERCEPTORS}/global/interceptor/late", interceptor(priority=9))
    http("POST", f"{INTERCEPTORS}/vcluster/v/interceptor/over", interceptor(priority=1))
    http("POST", f"{INTERCEPTORS}/vcluster/v/username/u/interceptor/over", interceptor())
    http("POST", f"{INTERCEPTORS}/vcluster/v/group/g/interceptor/grouped", interceptor())

    answer = http("POST", f"{INTERCEPTORS}/resolve", '{"vcluster":"v","username":"u"}')
    assert answer.status_code == 200
    items = json.loads(answer.text)
    assert items[1] == {
        "configName": "over",
        "scope": "USERNAME",
        "pluginClass": PLUGIN,
        "vcluster": "v",
        "group": "",
        "username": "u",
        "priority": 100,
        "config": {"rateInPercent": 50},
    }
    assert list(items[1]) == [
        *("configName", "scope", "pluginClass", "vcluster", "group", "username"),
        *("priority", "config"),
    ]

    def resolved(body: str) -> list[tuple[str, str]]:
        items = json.loads(http("POST", f"{INTERCEPTORS}/resolve", body).text)
        return [(item["configName"], item["scope"]) for item in items]

    assert resolved('{"vcluster":"v","username":"u"}') == [("late", "GLOBAL"), ("over", "USERNAME")]
    assert resolved('{"vcluster":"v","groups":["g"]}') == [
        ("over", "VCLUSTER"),
        ("late", "GLOBAL"),
        ("grouped", "GROUP"),
    ]
    assert resolved("{}") == resolved("") == [("late", "GLOBAL")]
