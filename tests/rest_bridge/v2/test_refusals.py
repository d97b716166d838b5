"""Whatever is wrong with a request to v2 is named by its path in v2, in v2's shape of an error."""

import json
import logging
from typing import Any

import pytest

from rest_bridge.client import SidecarClient
from rest_bridge.plugins import PLUGINS
from tests.rest_bridge.harness import PLUGIN, Http
from tests.rest_bridge.test_refusals import unreachable
from tests.rest_bridge.v2.harness import (
    ABSENT,
    ALIAS_TOPIC,
    BASE,
    GROUP,
    INTERCEPTOR,
    SERVICE_ACCOUNT,
    TOKEN,
    VIRTUAL_CLUSTER,
    interceptor,
    resource,
    told,
)
from tests.sidecar.api.harness import Control, basic

RATES = "allowed are numbers from 0 to 100"
CLASSES = ", ".join(plugin.name for plugin in PLUGINS)
PRIORITIES = "allowed are integers from 0 to 2147483647"
SPEC = {"pluginClass": PLUGIN, "priority": 1, "config": {"rateInPercent": 1}}
EMPTY = "must not be empty, leave it out or say null"


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


REQUESTS = [
    *(("PUT", path, body) for path, body in UPSERTS),
    ("DELETE", f"{INTERCEPTOR}/n", None),
    ("DELETE", f"{VIRTUAL_CLUSTER}/v", None),
    ("DELETE", f"{VIRTUAL_CLUSTER}/passthrough", None),
    ("DELETE", ALIAS_TOPIC, '{"name":"a"}'),
    ("DELETE", SERVICE_ACCOUNT, '{"name":"a"}'),
    ("DELETE", f"{GROUP}/g", None),
    ("POST", TOKEN, '{"username":"u","lifeTimeSeconds":1}'),
]
READS = [
    INTERCEPTOR,
    VIRTUAL_CLUSTER,
    f"{VIRTUAL_CLUSTER}/v",
    ALIAS_TOPIC,
    SERVICE_ACCOUNT,
    GROUP,
    f"{GROUP}/g",
    f"{BASE}/plugin",
]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        *REQUESTS,
        *(("GET", path, None) for path in READS),
        ("POST", f"{INTERCEPTOR}/resolve", "{}"),
        ("PUT", INTERCEPTOR, "not json"),
        ("GET", f"{BASE}/nothing", None),
        ("PATCH", INTERCEPTOR, None),
        ("GET", f"{BASE}/concentration-rule", None),
        ("GET", "/gateway", None),
    ],
)
@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer x", basic("admin", "no"), "Basic \u00e4", "x" * 5000]
)
def test_strangers_are_told_nothing(
    http: Http,
    control: Control,
    method: str,
    path: str,
    body: str | None,
    authorization: str | None,
) -> None:
    answer = http(method, path, body, authorization)

    assert answer.status_code == 401
    assert answer.text == '{"title":"The given credentials are not valid"}'
    assert answer.headers["WWW-Authenticate"].startswith('Basic realm="kafka-chaos-sidecar"')
    assert control.published == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        *(request for request in REQUESTS if not request[1].endswith("/passthrough")),
        *(("PUT", f"{path}?dryMode=true", body) for path, body in UPSERTS),
    ],
)
def test_viewers_may_not_write_nor_rehearse(
    http: Http, control: Control, method: str, path: str, body: str | None
) -> None:
    answer = http(method, path, body, basic("viewer", "looks"))

    assert answer.status_code == 403
    assert json.loads(answer.text) == {
        "title": "The given user may only read",
        "msg": "You do not have permission to call this API, please contact your administrator.",
    }
    assert control.published == []


@pytest.mark.parametrize("path", READS)
def test_viewers_may_read(http: Http, path: str) -> None:
    answer = http("GET", path, authorization=basic("viewer", "looks"))

    assert answer.status_code == (404 if path.endswith(("/v", "/g")) else 200)


def test_an_unreachable_sidecar_is_named() -> None:
    http = unreachable()

    for method, path, body in (("PUT", INTERCEPTOR, interceptor()), ("GET", GROUP, None)):
        answer = http(method, path, body)
        assert answer.status_code == 503
        assert json.loads(answer.text) == {
            "title": "The sidecar cannot do this now",
            "msg": "the sidecar's control API at 127.0.0.1:1 cannot be reached",
        }


def test_the_unexpected_is_logged_and_not_told(
    http: Http, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(SidecarClient, "list", fail)
    with caplog.at_level(logging.ERROR, "rest_bridge"):
        answer = http("GET", INTERCEPTOR)

    assert answer.status_code == 500
    assert json.loads(answer.text)["title"] == "An unexpected error occurred in the server"
    assert "secret" not in answer.text
    assert len(caplog.records) == 1
