"""Whatever is wrong with a request to v2 is named by its path in v2, in v2's shape of an error."""

import json
from typing import Any

import pytest

from tests.rest_bridge.harness import Http
from tests.rest_bridge.v2.harness import (
    ALIAS_TOPIC,
    BASE,
    EMPTY,
    GROUP,
    INTERCEPTOR,
    SERVICE_ACCOUNT,
    TOKEN,
    VIRTUAL_CLUSTER,
    interceptor,
    resource,
    told,
)
from tests.sidecar.api.harness import Control

VCLUSTER_KEYS = "allowed are spec.aclEnabled, spec.superUsers, spec.type"
LIFETIMES = "allowed are integers from 1 to 315360000"


def vcluster(**spec: Any) -> str:
    return resource("VirtualCluster", {"name": "v"}, spec)


def alias(**spec: Any) -> str:
    return resource("AliasTopic", {"name": "in", "vCluster": "v"}, spec)


def account(**spec: Any) -> str:
    return resource("GatewayServiceAccount", {"name": "sa"}, spec)


def group(**spec: Any) -> str:
    return resource("GatewayGroup", {"name": "g"}, spec)


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        # Virtual clusters
        (
            "PUT",
            VIRTUAL_CLUSTER,
            resource("VirtualClusters", {"name": "v"}, {}),
            'kind is "VirtualClusters", allowed are VirtualCluster',
        ),
        (
            "PUT",
            VIRTUAL_CLUSTER,
            resource("VirtualCluster", {"name": "a b"}, {}),
            "metadata.name is 'a b', allowed are letters, digits, '.', '_' and '-'",
        ),
        (
            "PUT",
            VIRTUAL_CLUSTER,
            resource("VirtualCluster", {"name": "v", "vCluster": "v"}, {}),
            "metadata.vCluster is not known, allowed are metadata.name",
        ),
        (
            "PUT",
            VIRTUAL_CLUSTER,
            vcluster(aclEnabled=True),
            "spec.aclEnabled is true, allowed are false",
        ),
        ("PUT", VIRTUAL_CLUSTER, vcluster(aclEnabled=0), "spec.aclEnabled is 0, allowed are false"),
        (
            "PUT",
            VIRTUAL_CLUSTER,
            vcluster(superUsers=["a"]),
            'spec.superUsers is ["a"], allowed are []',
        ),
        (
            "PUT",
            VIRTUAL_CLUSTER,
            vcluster(type="Partner"),
            'spec.type is "Partner", allowed are Standard',
        ),
        ("PUT", VIRTUAL_CLUSTER, vcluster(type=1), "spec.type is 1, a string is needed"),
        (
            "PUT",
            VIRTUAL_CLUSTER,
            vcluster(prefix="v"),
            f"spec.prefix is not known, {VCLUSTER_KEYS}",
        ),
        # Alias topics
        ("PUT", ALIAS_TOPIC, alias(), "spec.physicalName is required"),
        ("PUT", ALIAS_TOPIC, alias(physicalName=1), "spec.physicalName is 1, a string is needed"),
        (
            "PUT",
            ALIAS_TOPIC,
            alias(physicalName="a b"),
            "spec.physicalName is 'a b', allowed are letters, digits, '.', '_' and '-'",
        ),
        (
            "PUT",
            ALIAS_TOPIC,
            alias(physicalName="orders", physicalCluster="main"),
            "spec.physicalCluster is not known, allowed are spec.physicalName",
        ),
        (
            "PUT",
            ALIAS_TOPIC,
            resource("AliasTopic", {"name": "a b", "vCluster": "v"}, {"physicalName": "orders"}),
            "metadata.name is 'a b', allowed are letters, digits, '.', '_' and '-'",
        ),
        (
            "PUT",
            ALIAS_TOPIC,
            resource("AliasTopic", {"name": "a", "vCluster": ""}, {"physicalName": "orders"}),
            f"metadata.vCluster {EMPTY}",
        ),
        ("DELETE", ALIAS_TOPIC, "", "the body is not JSON: Expecting value at line 1, column 1"),
        ("DELETE", ALIAS_TOPIC, '{"vCluster":"v"}', "name is required"),
        ("DELETE", ALIAS_TOPIC, '{"name":1}', "name is 1, a string is needed"),
        (
            "DELETE",
            ALIAS_TOPIC,
            '{"name":"in","group":"g"}',
            "group is not known, allowed are name, vCluster",
        ),
        # Service accounts
        ("PUT", SERVICE_ACCOUNT, account(), "spec.type is required"),
        (
            "PUT",
            SERVICE_ACCOUNT,
            account(type="OTHER"),
            'spec.type is "OTHER", allowed are LOCAL, EXTERNAL',
        ),
        (
            "PUT",
            SERVICE_ACCOUNT,
            account(type=None),
            "spec.type is null, allowed are LOCAL, EXTERNAL",
        ),
        (
            "PUT",
            SERVICE_ACCOUNT,
            account(type="LOCAL", externalNames=["x"]),
            'spec.externalNames is ["x"], a LOCAL account has none',
        ),
        (
            "PUT",
            SERVICE_ACCOUNT,
            account(type="EXTERNAL"),
            "spec.externalNames is null, a list of one string is needed for EXTERNAL",
        ),
        (
            "PUT",
            SERVICE_ACCOUNT,
            account(type="EXTERNAL", externalNames=["x", "y"]),
            'spec.externalNames is ["x","y"], a list of one string is needed for EXTERNAL',
        ),
        (
            "PUT",
            SERVICE_ACCOUNT,
            account(type="EXTERNAL", externalNames=[7]),
            "spec.externalNames[0] is 7, a string is needed",
        ),
        (
            "PUT",
            SERVICE_ACCOUNT,
            account(type="EXTERNAL", externalNames=[""]),
            "spec.externalNames[0] must not be empty",
        ),
        (
            "PUT",
            SERVICE_ACCOUNT,
            account(type="EXTERNAL", externalNames=["x" * 513]),
            "spec.externalNames[0] has 513 characters, at most 512 are allowed",
        ),
        (
            "PUT",
            SERVICE_ACCOUNT,
            resource("GatewayServiceAccount", {"name": "a/b"}, {"type": "LOCAL"}),
            "metadata.name is 'a/b', allowed are printable characters without '/'",
        ),
        (
            "PUT",
            SERVICE_ACCOUNT,
            resource("GatewayServiceAccount", {"name": "a", "vCluster": "_x"}, {"type": "LOCAL"}),
            "metadata.vCluster is '_x', names that begin with '_' are reserved:"
            " those of Kafka's internal topics do",
        ),
        ("DELETE", SERVICE_ACCOUNT, "{}", "name is required"),
        (
            "GET",
            f"{SERVICE_ACCOUNT}?type=x",
            None,
            'query parameter type is "x", allowed are LOCAL, EXTERNAL',
        ),
        # Groups
        ("PUT", GROUP, group(members="a"), 'spec.members is "a", a list is needed'),
        ("PUT", GROUP, group(members=["a"]), 'spec.members[0] is "a", a JSON object is needed'),
        ("PUT", GROUP, group(members=[{}]), "spec.members[0].name is required"),
        (
            "PUT",
            GROUP,
            group(members=[{"name": "a"}, {"username": "b"}]),
            "spec.members[1].username is not known, allowed are spec.members[1].name,"
            " spec.members[1].vCluster",
        ),
        (
            "PUT",
            GROUP,
            group(externalGroups=["x"]),
            'spec.externalGroups is ["x"], allowed are []: groups have members',
        ),
        (
            "PUT",
            GROUP,
            resource("GatewayGroup", {"name": "a/b"}, {"members": [{"name": "a"}]}),
            "metadata.name is 'a/b', allowed are printable characters without '/'",
        ),
        # Interceptors otherwise
        ("DELETE", f"{INTERCEPTOR}/n", "[]", "the body is [], a JSON object is needed"),
        (
            "DELETE",
            f"{INTERCEPTOR}/n",
            '{"vcluster":"v"}',
            "vcluster is not known, allowed are vCluster, group, username",
        ),
        ("DELETE", f"{INTERCEPTOR}/n", '{"vCluster":""}', f"vCluster {EMPTY}"),
        (
            "DELETE",
            f"{INTERCEPTOR}/n",
            '{"group":"g","username":"u"}',
            "group and username exclude each other",
        ),
        ("POST", f"{INTERCEPTOR}/resolve", '{"groups":[1]}', "groups[0] is 1, a string is needed"),
        (
            "POST",
            f"{INTERCEPTOR}/resolve",
            '{"vcluster":"v"}',
            "vcluster is not known, allowed are vCluster, groups, username",
        ),
        # Tokens
        ("POST", TOKEN, '{"lifeTimeSeconds":1}', "username is required"),
        ("POST", TOKEN, '{"username":"u"}', "lifeTimeSeconds is required"),
        (
            "POST",
            TOKEN,
            '{"username":"u","lifeTimeSeconds":0}',
            f"lifeTimeSeconds is 0, {LIFETIMES}",
        ),
        (
            "POST",
            TOKEN,
            '{"username":"u","lifeTimeSeconds":"1"}',
            f'lifeTimeSeconds is "1", {LIFETIMES}',
        ),
        (
            "POST",
            TOKEN,
            '{"username":"","lifeTimeSeconds":1}',
            "username must not be empty",
        ),
        (
            "POST",
            TOKEN,
            '{"username":"u","lifeTimeSeconds":1,"vCluster":"a b"}',
            "vCluster is 'a b', allowed are letters, digits, '.', '_' and '-'",
        ),
        (
            "POST",
            TOKEN,
            '{"username":"u","lifeTimeSeconds":1,"vClusterName":"v"}',
            "vClusterName is not known, allowed are vCluster, username, lifeTimeSeconds",
        ),
    ],
)
def test_other_bad_requests(
    http: Http, control: Control, method: str, path: str, body: str | None, message: str
) -> None:
    assert told(http, method, path, body) == (400, message)
    assert control.published == []


UPSERTS = [
    (INTERCEPTOR, interceptor()),
    (VIRTUAL_CLUSTER, vcluster()),
    (ALIAS_TOPIC, alias(physicalName="orders")),
    (SERVICE_ACCOUNT, account(type="LOCAL")),
    (GROUP, group(members=[{"name": "sa"}])),
]


@pytest.mark.parametrize(("path", "body"), UPSERTS)
def test_a_rehearsal_that_is_misspelt_is_not_the_real_thing(
    http: Http, control: Control, path: str, body: str
) -> None:
    for query, message in (
        ("dryRun=true", 'query parameter "dryRun" is not known, allowed are dryMode'),
        ("dryMode=yes", 'query parameter dryMode is "yes", allowed are true, false'),
        ("dryMode=", 'query parameter dryMode is "", allowed are true, false'),
        ("dryMode=True", 'query parameter dryMode is "True", allowed are true, false'),
        ("dryMode=false&dryMode=true", 'query parameter "dryMode" is given 2 times'),
    ):
        assert told(http, "PUT", f"{path}?{query}", body) == (400, message)
    assert control.published == []
    assert http("GET", VIRTUAL_CLUSTER).text == "[]"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            f"{INTERCEPTOR}?vCluster=v",
            'query parameter "vCluster" is not known,'
            " allowed are name, global, vcluster, group, username",
        ),
        (f"{INTERCEPTOR}?global=1", 'query parameter global is "1", allowed are true, false'),
        (f"{GROUP}?name=x", 'query parameter "name" is not known, allowed are showDefaults'),
        (f"{GROUP}?showDefaults=x", 'query parameter showDefaults is "x", allowed are true, false'),
        (f"{VIRTUAL_CLUSTER}?name=x", 'query parameter "name" is not known, allowed are none'),
        (
            f"{ALIAS_TOPIC}?type=x",
            'query parameter "type" is not known, allowed are vcluster, name, showDefaults',
        ),
        (f"{BASE}/plugin?x=y", 'query parameter "x" is not known, allowed are none'),
    ],
)
def test_filters_that_are_none_are_not_ignored(http: Http, path: str, message: str) -> None:
    assert told(http, "GET", path) == (400, message)


@pytest.mark.parametrize(("path", "body"), UPSERTS)
def test_long_bodies(http: Http, control: Control, path: str, body: str) -> None:
    padded = body + " " * (65_537 - len(body))

    answer = http("PUT", path, padded)

    assert answer.status_code == 413
    assert json.loads(answer.text) == {
        "title": "The body is too long",
        "msg": "the body is too long, at most 65536 bytes are allowed",
    }
    assert control.published == []


@pytest.mark.parametrize(
    "path", ["/gateway", "/gateway/", f"{BASE}", f"{BASE}/docs", f"{BASE}/interceptors"]
)
def test_unknown_paths(http: Http, path: str) -> None:
    answer = http("GET", path)

    assert answer.status_code == 404
    assert json.loads(answer.text) == {
        "title": "There is no such path",
        "msg": f"there is no path {path}",
    }


def test_unknown_methods(http: Http) -> None:
    answer = http("POST", INTERCEPTOR, interceptor())

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, PUT"
    assert json.loads(answer.text)["title"] == "The method is not allowed"
    assert http("GET", f"{INTERCEPTOR}/n").status_code == 405
