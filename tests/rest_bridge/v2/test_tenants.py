"""Virtual clusters, alias topics, service accounts and groups of v2."""

import json
from typing import Any

import pytest
from werkzeug.test import Client

from rest_bridge.client import SidecarClient
from rest_bridge.wsgi import Bridge
from sidecar.model.user_mapping import UserMapping
from tests.rest_bridge.harness import Http
from tests.rest_bridge.v2.harness import (
    ALIAS_TOPIC,
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
from tests.sidecar.api.harness import Control, running


def vcluster(name: str = "v", **spec: Any) -> str:
    return resource("VirtualCluster", {"name": name}, spec)


def alias(name: str = "in", physical: Any = "orders", place: Any = "v") -> str:
    metadata = {"name": name, "vCluster": place}
    return resource("AliasTopic", metadata, {"physicalName": physical})


def account(name: str = "sa", place: Any = "v", external: str | None = None) -> str:
    spec = {"type": "EXTERNAL", "externalNames": [external]} if external else {"type": "LOCAL"}
    return resource("GatewayServiceAccount", {"name": name, "vCluster": place}, spec)


def group(*members: tuple[str, str], name: str = "dev") -> str:
    listed = [{"vCluster": place, "name": member} for place, member in members]
    return resource("GatewayGroup", {"name": name}, {"members": listed})


def titled(http: Http, method: str, path: str, body: str | None = None) -> tuple[int, str]:
    answer = http(method, path, body)
    return answer.status_code, json.loads(answer.text)["title"]


# Virtual clusters


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_life_of_a_virtual_cluster(http: Http, slash: str) -> None:
    whole = {
        "kind": "VirtualCluster",
        "apiVersion": "gateway/v2",
        "metadata": {"name": "v"},
        "spec": {"aclEnabled": False, "superUsers": [], "type": "Standard"},
    }
    assert got(http, VIRTUAL_CLUSTER + slash) == []
    assert put(http, f"{VIRTUAL_CLUSTER}?dryMode=true", vcluster()) == "CREATED"
    assert got(http, VIRTUAL_CLUSTER) == []
    assert http("PUT", VIRTUAL_CLUSTER + slash, vcluster()).text == json.dumps(
        {"resource": whole, "upsertResult": "CREATED"}, separators=(",", ":")
    )
    assert got(http, VIRTUAL_CLUSTER) == [whole]
    assert got(http, f"{VIRTUAL_CLUSTER}/v{slash}") == whole
    assert put(http, VIRTUAL_CLUSTER, json.dumps(whole)) == "NOT_CHANGED"

    assert http("DELETE", f"{VIRTUAL_CLUSTER}/v{slash}").status_code == 204
    for method in ("GET", "DELETE"):
        assert titled(http, method, f"{VIRTUAL_CLUSTER}/v") == (
            404,
            "The given virtual cluster does not exist",
        )


@pytest.mark.parametrize(
    "spec",
    [
        {"aclEnabled": False, "superUsers": [], "type": "Standard"},
        {"aclEnabled": None, "superUsers": None, "type": None},
        {"type": "STANDARD"},
    ],
)
def test_what_a_virtual_cluster_is_anyway_may_be_said(http: Http, spec: Any) -> None:
    assert put(http, VIRTUAL_CLUSTER, vcluster(**spec)) == "CREATED"


def test_no_name_begins_with_another(http: Http) -> None:
    put(http, VIRTUAL_CLUSTER, vcluster("team"))

    for query in ("", "?dryMode=true"):
        answer = http("PUT", VIRTUAL_CLUSTER + query, vcluster("teamA"))
        assert answer.status_code == 409
        whole = json.loads(answer.text)
        assert whole["title"] == "The request conflicts with what is there"
        assert whole["msg"].startswith("virtual cluster 'teamA' cannot stand beside 'team'")


def test_a_virtual_cluster_that_is_referred_to_stays(http: Http, control: Control) -> None:
    put(http, VIRTUAL_CLUSTER, vcluster())
    put(http, INTERCEPTOR, interceptor(scope={"vCluster": "v"}))
    put(http, ALIAS_TOPIC, alias())
    put(http, SERVICE_ACCOUNT, account())

    assert told(http, "DELETE", f"{VIRTUAL_CLUSTER}/v") == (
        409,
        "virtual cluster 'v' is referred to by alias topics: 1, user mappings: 1, interceptors: 1;"
        " delete them first",
    )
    put(http, VIRTUAL_CLUSTER, vcluster("w"))
    control.around.connected["w"] = 3
    assert told(http, "DELETE", f"{VIRTUAL_CLUSTER}/w")[0] == 409


def test_passthrough_is_reserved(http: Http) -> None:
    assert told(http, "PUT", VIRTUAL_CLUSTER, vcluster("passthrough")) == (
        400,
        "metadata.name is 'passthrough', which is the cluster as it is",
    )
    assert told(http, "DELETE", f"{VIRTUAL_CLUSTER}/passthrough") == (
        400,
        "passthrough cannot be deleted: it is the cluster as it is",
    )
    assert http("GET", f"{VIRTUAL_CLUSTER}/passthrough").status_code == 404


def test_configured_virtual_clusters_are_all_there_are() -> None:
    with running(configured=("v",)) as control:
        http = Http(Client(Bridge(SidecarClient(control.channel, "sidecar:50051"))))

        assert put(http, VIRTUAL_CLUSTER, vcluster()) == "NOT_CHANGED"
        message = "is 'w', GATEWAY_VCLUSTERS allows v"
        assert told(http, "PUT", VIRTUAL_CLUSTER, vcluster("w")) == (
            400,
            f"metadata.name {message}",
        )
        assert told(http, "PUT", SERVICE_ACCOUNT, account(place="w")) == (
            400,
            f"metadata.vCluster {message}",
        )
        token = '{"vCluster":"w","username":"sa","lifeTimeSeconds":60}'
        assert told(http, "POST", TOKEN, token) == (400, f"vCluster {message}")


# Alias topics


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_life_of_an_alias_topic(http: Http, control: Control, slash: str) -> None:
    whole = {
        "kind": "AliasTopic",
        "apiVersion": "gateway/v2",
        "metadata": {"name": "in", "vCluster": "v"},
        "spec": {"physicalName": "orders"},
    }
    assert put(http, f"{ALIAS_TOPIC}?dryMode=true", alias()) == "CREATED"
    assert (got(http, ALIAS_TOPIC), got(http, VIRTUAL_CLUSTER)) == ([], [])
    assert http("PUT", ALIAS_TOPIC + slash, alias()).text == json.dumps(
        {"resource": whole, "upsertResult": "CREATED"}, separators=(",", ":")
    )
    [made] = control.published[-1].alias_topics
    assert (made.logical_name, made.physical_name) == ("in", "orders")
    assert got(http, ALIAS_TOPIC + slash) == [whole]
    assert put(http, ALIAS_TOPIC, json.dumps(whole)) == "NOT_CHANGED"

    body = '{"name":"in","vCluster":"v"}'
    assert http("DELETE", ALIAS_TOPIC + slash, body).status_code == 204
    assert titled(http, "DELETE", ALIAS_TOPIC, body) == (
        404,
        "The given alias topic does not exist",
    )


def test_alias_topics_are_filtered(http: Http) -> None:
    for name, physical, place in (("a", "orders", "v"), ("b", "shared", "v"), ("a", "orders", "w")):
        put(http, ALIAS_TOPIC, alias(name, physical, place))

    def found(query: str) -> list[tuple[str, str]]:
        items = [item["metadata"] for item in got(http, f"{ALIAS_TOPIC}?{query}")]
        return [(item["vCluster"], item["name"]) for item in items]

    assert found("") == found("showDefaults=true") == [("v", "a"), ("v", "b"), ("w", "a")]
    assert found("vcluster=v") == [("v", "a"), ("v", "b")]
    assert found("name=a") == [("v", "a"), ("w", "a")]
    assert found("name=a&vcluster=w") == [("w", "a")]
    assert found("vcluster=nothing") == []


@pytest.mark.parametrize("query", ["", "?dryMode=true"])
def test_alias_topics_that_cannot_be(http: Http, control: Control, query: str) -> None:
    put(http, ALIAS_TOPIC, alias())
    path = ALIAS_TOPIC + query

    assert told(http, "PUT", path, alias(physical="missing")) == (
        409,
        "alias topic 'in' of virtual cluster 'v' leads to 'orders': delete it first",
    )
    assert told(http, "PUT", path, alias("other", "missing")) == (
        400,
        "Physical topic named missing does not exist in your kafka cluster",
    )
    control.around.topics["shared"] = None
    assert told(http, "PUT", path, alias("other", "shared"))[0] == 503
    status, message = told(http, "PUT", path, alias("other", place=None))
    assert (status, message.partition(" ")[0]) == (400, "metadata.vCluster")
    assert len(control.published) == 1


# Service accounts


@pytest.mark.parametrize(
    ("external", "spec"),
    [
        (None, {"type": "LOCAL"}),
        ("CN=sa,O=x", {"type": "EXTERNAL", "externalNames": ["CN=sa,O=x"]}),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_life_of_a_service_account(
    http: Http, control: Control, external: str | None, spec: Any, slash: str
) -> None:
    whole = {
        "kind": "GatewayServiceAccount",
        "apiVersion": "gateway/v2",
        "metadata": {"name": "sa", "vCluster": "v"},
        "spec": spec,
    }
    body = account(external=external)
    assert put(http, f"{SERVICE_ACCOUNT}?dryMode=true", body) == "CREATED"
    assert (control.published, got(http, VIRTUAL_CLUSTER)) == ([], [])
    assert http("PUT", SERVICE_ACCOUNT + slash, body).text == json.dumps(
        {"resource": whole, "upsertResult": "CREATED"}, separators=(",", ":")
    )
    assert control.published[-1].user_mappings == (UserMapping("v", "sa", external or "sa"),)
    assert got(http, SERVICE_ACCOUNT + slash) == [whole]
    assert put(http, SERVICE_ACCOUNT, json.dumps(whole)) == "NOT_CHANGED"
    assert put(http, f"{SERVICE_ACCOUNT}?dryMode=true", account(external="new")) == "UPDATED"
    assert got(http, SERVICE_ACCOUNT) == [whole]
    assert put(http, SERVICE_ACCOUNT, account(external="new")) == "UPDATED"
    assert len(control.published) == 2

    identity = '{"name":"sa","vCluster":"v"}'
    assert http("DELETE", SERVICE_ACCOUNT + slash, identity).status_code == 204
    assert titled(http, "DELETE", SERVICE_ACCOUNT, identity) == (
        404,
        "The given service account does not exist",
    )


def test_service_accounts_are_filtered(http: Http) -> None:
    for name, place, external in (("sa", "v", None), ("tb", "v", "CN=b"), ("sa", None, None)):
        put(http, SERVICE_ACCOUNT, account(name, place, external))

    def found(query: str) -> list[tuple[str, str]]:
        items = [item["metadata"] for item in got(http, f"{SERVICE_ACCOUNT}?{query}")]
        return [(item["vCluster"], item["name"]) for item in items]

    everything = [("v", "sa"), ("v", "tb"), ("passthrough", "sa")]
    assert found("") == found("showDefaults=false") == everything
    assert found("vcluster=passthrough") == [("passthrough", "sa")]
    assert found("name=sa") == [("v", "sa"), ("passthrough", "sa")]
    assert found("type=EXTERNAL") == found("type=external&vcluster=v") == [("v", "tb")]
    assert found("type=LOCAL&vcluster=v") == [("v", "sa")]


def test_an_external_account_by_its_own_name_is_a_local_one(http: Http) -> None:
    """Nothing here tells them apart: both are the user with that name in the credentials."""
    put(http, SERVICE_ACCOUNT, account(external="sa"))

    assert got(http, SERVICE_ACCOUNT)[0]["spec"] == {"type": "LOCAL"}
    assert put(http, SERVICE_ACCOUNT, account(external="sa")) == "NOT_CHANGED"


def test_an_account_stays_in_its_groups(http: Http) -> None:
    put(http, SERVICE_ACCOUNT, account())
    put(http, GROUP, group(("v", "sa")))

    assert put(http, SERVICE_ACCOUNT, account()) == "NOT_CHANGED"
    assert put(http, SERVICE_ACCOUNT, account(external="CN=sa")) == "UPDATED"
    assert got(http, f"{GROUP}/dev")["spec"]["members"] == [{"vCluster": "v", "name": "sa"}]
    assert told(http, "DELETE", SERVICE_ACCOUNT, '{"name":"sa","vCluster":"v"}') == (
        409,
        "user mapping 'sa' in virtual cluster 'v' is in groups 'dev'; take it out of them first",
    )


# Groups


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_life_of_a_group(http: Http, control: Control, slash: str) -> None:
    for name, place in (("sa", "v"), ("sa", None), ("tb", "v")):
        put(http, SERVICE_ACCOUNT, account(name, place))
    whole = {
        "kind": "GatewayGroup",
        "apiVersion": "gateway/v2",
        "metadata": {"name": "dev"},
        "spec": {
            "members": [
                {"vCluster": "passthrough", "name": "sa"},
                {"vCluster": "v", "name": "sa"},
            ],
            "externalGroups": [],
        },
    }
    body = json.dumps(whole).replace('"vCluster": "passthrough", ', "")
    published = len(control.published)
    assert put(http, f"{GROUP}?dryMode=true", body) == "CREATED"
    assert (got(http, GROUP), len(control.published)) == ([], published)
    assert http("PUT", GROUP + slash, body).text == json.dumps(
        {"resource": whole, "upsertResult": "CREATED"}, separators=(",", ":")
    )
    assert len(control.published) == published + 1  # all members at once
    assert got(http, GROUP + slash) == got(http, f"{GROUP}?showDefaults=true") == [whole]
    assert got(http, f"{GROUP}/dev{slash}") == whole
    assert put(http, GROUP, json.dumps(whole)) == "NOT_CHANGED"
    assert put(http, f"{GROUP}?dryMode=true", group(("v", "tb"))) == "UPDATED"
    assert put(http, GROUP, group(("v", "tb"))) == "UPDATED"
    assert got(http, f"{GROUP}/dev")["spec"]["members"] == [{"vCluster": "v", "name": "tb"}]

    assert http("DELETE", f"{GROUP}/dev{slash}").status_code == 204
    for method in ("GET", "DELETE"):
        assert titled(http, method, f"{GROUP}/dev") == (404, "The given group does not exist")


def test_groups_are_in_order_of_their_names(http: Http) -> None:
    put(http, SERVICE_ACCOUNT, account())
    for name in ("b", "c", "a"):
        put(http, GROUP, group(("v", "sa"), name=name))

    assert [item["metadata"]["name"] for item in got(http, GROUP)] == ["a", "b", "c"]


def test_groups_that_cannot_be(http: Http, control: Control) -> None:
    put(http, SERVICE_ACCOUNT, account())
    before = len(control.published)

    answer = http("PUT", GROUP, group(("v", "sa"), ("v", "nobody")))
    assert (answer.status_code, json.loads(answer.text)) == (
        404,
        {
            "title": "The request refers to what does not exist",
            "msg": "there is no user mapping 'nobody' in virtual cluster 'v'",
        },
    )
    message = "spec.members must not be empty: a group is there while a user mapping names it"
    assert told(http, "PUT", GROUP, group()) == (400, message)
    assert told(http, "PUT", GROUP, resource("GatewayGroup", {"name": "dev"}, {})) == (400, message)
    assert len(control.published) == before


def test_a_group_that_interceptors_are_for_stays(http: Http) -> None:
    put(http, SERVICE_ACCOUNT, account())
    put(http, GROUP, group(("v", "sa")))
    put(http, INTERCEPTOR, interceptor(scope={"vCluster": "v", "group": "dev"}))

    assert told(http, "DELETE", f"{GROUP}/dev") == (
        409,
        "group 'dev' is the scope of interceptors 'n'; delete them first",
    )


# What there is not


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("GET", "concentrated-topic", "topic concentration is not supported"),
        ("GET", "concentration-rule", "topic concentration is not supported"),
        ("PUT", "concentration-rule", "topic concentration is not supported"),
        ("DELETE", "concentration-rule", "topic concentration is not supported"),
        ("GET", "analytics/lived", "analytics are not supported"),
    ],
)
def test_what_is_not_supported_says_so(http: Http, method: str, path: str, message: str) -> None:
    status, told_message = told(http, method, f"{BASE}/{path}", "{}")

    assert status == 501
    assert told_message.startswith(message)
    assert http(method, f"{BASE}/{path}", authorization=None).status_code == 401
