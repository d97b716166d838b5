"""Whatever is wrong with a request is named, in JSON, with the right status."""

import json
import logging
from typing import Any

import grpc
import pytest
from werkzeug.test import Client

from rest_bridge.client import SidecarClient
from rest_bridge.plugins import PLUGINS
from rest_bridge.wsgi import Bridge
from tests.rest_bridge.harness import INTERCEPTORS, PLUGIN, Http, interceptor
from tests.sidecar.api.harness import Control, basic

ITEM = f"{INTERCEPTORS}/vcluster/v/interceptor/n"
TOKEN = "/admin/vclusters/v1/vcluster/v/username/u"
CLASSES = ", ".join(plugin.name for plugin in PLUGINS)
RATES = "allowed are numbers from 0 to 100"


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (interceptor("{}"), f"config.rateInPercent is required, {RATES}"),
        (interceptor('{"rateInPercent":101}'), f"config.rateInPercent is 101, {RATES}"),
        (interceptor('{"rateInPercent":-1}'), f"config.rateInPercent is -1, {RATES}"),
        (interceptor('{"rateInPercent":1e400}'), f"config.rateInPercent is 1e400, {RATES}"),
        (interceptor('{"rateInPercent":"50"}'), f'config.rateInPercent is "50", {RATES}'),
        (interceptor('{"rateInPercent":true}'), f"config.rateInPercent is true, {RATES}"),
        (interceptor('{"rateInPercent":null}'), f"config.rateInPercent is null, {RATES}"),
        (interceptor('{"rateInPercent":[50]}'), f"config.rateInPercent is [50], {RATES}"),
        (
            interceptor('{"rateInPercent":NaN}'),
            "the body is not JSON: NaN is not a JSON number",
        ),
        (
            interceptor('{"rateInPercent":-Infinity}'),
            "the body is not JSON: -Infinity is not a JSON number",
        ),
        (
            interceptor('{"rateInPercent":1,"rateInPercent":2}'),
            'the body has the key "rateInPercent" twice in one object',
        ),
        (
            interceptor('{"rateInPercent":1,"topic":"t"}'),
            "config.topic is not known, allowed are config.rateInPercent, config.seed, config.draw,"
            " config.outcome, config.windowMs, config.hint, config.maxPartitionsAtOnce",
        ),
        (
            interceptor('{"rateInPercent":1,"seed":-1}'),
            "config.seed is -1, allowed are integers from 0 to 18446744073709551615",
        ),
        (
            interceptor('{"rateInPercent":1,"seed":18446744073709551616}'),
            "config.seed is 18446744073709551616,"
            " allowed are integers from 0 to 18446744073709551615",
        ),
        (
            interceptor('{"rateInPercent":1,"seed":1.0}'),
            "config.seed is 1.0, allowed are integers from 0 to 18446744073709551615",
        ),
        (interceptor("[]"), "config is [], a JSON object is needed"),
        (interceptor("null"), "config is null, a JSON object is needed"),
        (interceptor(config="1", pluginClass=None), "pluginClass is required"),
        (interceptor(priority=None), "priority is required"),
        (f'{{"pluginClass":"{PLUGIN}","priority":1}}', "config is required"),
        (
            interceptor(pluginClass="x.Y"),
            f'pluginClass is "x.Y", allowed are {CLASSES}',
        ),
        (interceptor(pluginClass=7), f"pluginClass is 7, allowed are {CLASSES}"),
        (interceptor(priority=-1), "priority is -1, allowed are integers from 0 to 2147483647"),
        (interceptor(priority=1.5), "priority is 1.5, allowed are integers from 0 to 2147483647"),
        (interceptor(priority=True), "priority is true, allowed are integers from 0 to 2147483647"),
        (
            interceptor(timeoutMs="1"),
            'timeoutMs is "1", allowed are integers from 1 to 9223372036854775807',
        ),
        (
            interceptor(comment="x"),
            "comment is not known, allowed are pluginClass, priority, timeoutMs, config, name,"
            " control",
        ),
        ("", "the body is not JSON: Expecting value at line 1, column 1"),
        (
            "{",
            "the body is not JSON: Expecting property name enclosed in double quotes"
            " at line 1, column 2",
        ),
        ("[1]", "the body is [1], a JSON object is needed"),
        ('"' + "x" * 100 + '"', f'the body is "{"x" * 59}..., a JSON object is needed'),
        (b"\xff", "the body is not UTF-8"),
        ('{"name":"\\ud800"}', "the body has half a surrogate pair in a string"),
        ("[" * 60_000, "the body is nested too deep"),
        ('{"a":' * 10_000, "the body is nested too deep"),
        # What can be parsed must be written as well.
        (interceptor('{"a":' + "[" * 700 + "]" * 700 + "}"), "the body is nested too deep"),
    ],
)
def test_bad_interceptors(
    http: Http, control: Control, method: str, body: str | bytes, message: str
) -> None:
    assert http.told(method, ITEM, body) == (400, message)
    assert control.published == []


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (TOKEN, "{}", "lifeTimeSeconds is required, allowed are integers from 1 to 315360000"),
        (
            TOKEN,
            '{"lifeTimeSeconds":0}',
            "lifeTimeSeconds is 0, allowed are integers from 1 to 315360000",
        ),
        (
            TOKEN,
            '{"lifeTimeSeconds":315360001}',
            "lifeTimeSeconds is 315360001, allowed are integers from 1 to 315360000",
        ),
        (
            TOKEN,
            '{"lifeTimeSeconds":"1"}',
            'lifeTimeSeconds is "1", allowed are integers from 1 to 315360000',
        ),
        (TOKEN, '{"lifetime":1}', "lifetime is not known, allowed are lifeTimeSeconds"),
        (
            "/admin/vclusters/v1/vcluster/a%20b/username/u",
            '{"lifeTimeSeconds":1}',
            "vcluster is 'a b', allowed are letters, digits, '.', '_' and '-'",
        ),
        (
            f"{INTERCEPTORS}/vcluster/a%20b/interceptor/n",
            interceptor(),
            "vcluster is 'a b', allowed are letters, digits, '.', '_' and '-'",
        ),
        (
            f"{INTERCEPTORS}/interceptor/{'n' * 129}",
            interceptor(),
            "name has 129 characters, at most 128 are allowed",
        ),
        (
            f"{INTERCEPTORS}/interceptor/n",
            interceptor('{"rateInPercent":1.' + "0" * 5000 + "}"),
            "config has 5138 bytes of keys and values, at most 4096 are allowed",
        ),
        (f"{INTERCEPTORS}/resolve", '{"groups":"g"}', 'groups is "g", a list of strings is needed'),
        (f"{INTERCEPTORS}/resolve", '{"groups":[1]}', "groups[0] is 1, a string is needed"),
        (f"{INTERCEPTORS}/resolve", '{"vcluster":1}', "vcluster is 1, a string is needed"),
        (
            f"{INTERCEPTORS}/resolve",
            '{"user":"u"}',
            "user is not known, allowed are vcluster, username, groups",
        ),
    ],
)
def test_other_bad_requests(http: Http, path: str, body: str, message: str) -> None:
    assert http.told("POST", path, body) == (400, message)


def test_long_bodies(http: Http) -> None:
    assert http.told("POST", ITEM, " " * 65536)[0] == 400
    assert http.told("POST", ITEM, " " * 65537) == (
        413,
        "the body is too long, at most 65536 bytes are allowed",
    )


@pytest.mark.parametrize("path", ["/", "/nothing", "/admin", "/admin/nothing"])
def test_unknown_paths(http: Http, path: str) -> None:
    assert http.told("GET", path) == (404, f"there is no path {path}")


@pytest.mark.parametrize("name", [b"\xff", b"caf\xe9", b"\xed\xa0\x80"])
def test_paths_that_are_not_utf8(http: Http, control: Control, name: bytes) -> None:
    """Names that differ in such bytes only would all be the same one."""
    # The test client would replace them before the bridge sees them.
    path = f"{INTERCEPTORS}/interceptor/{name.decode('latin-1')}"
    answer = http.client.put(
        environ_overrides={"PATH_INFO": path},
        data=interceptor(),
        headers={"Authorization": basic()},
    )

    assert answer.status_code == 400
    assert json.loads(answer.text)["message"].endswith(" is not UTF-8")
    assert control.published == []


def test_unknown_methods(http: Http) -> None:
    answer = http("PATCH", ITEM, "{}")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, POST, PUT"
    assert json.loads(answer.text)["message"].startswith(f"PATCH is not a method of {ITEM}")


def test_options_and_head(http: Http) -> None:
    answer = http("OPTIONS", ITEM, authorization=None)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, POST, PUT"
    assert answer.content_type is None
    assert http("OPTIONS", "/nothing").status_code == 404

    http("POST", ITEM, interceptor())
    head, get = http("HEAD", ITEM), http("GET", ITEM)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/plugins/v1"),
        ("GET", f"{INTERCEPTORS}/all"),
        ("POST", ITEM),
        ("POST", TOKEN),
        ("GET", "/admin/nothing"),
        ("PATCH", ITEM),
        ("GET", "/metrics"),
    ],
)
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Basic", "Bearer x", basic("admin", "no"), "Basic \u00e4", "x" * 5000],
)
def test_strangers_are_told_nothing(
    http: Http, method: str, path: str, authorization: str | None
) -> None:
    answer = http(method, path, "not json", authorization)

    assert answer.status_code == 401
    expected = 'Basic realm="kafka-chaos-sidecar", charset="UTF-8"'
    assert answer.headers["WWW-Authenticate"] == expected
    assert list(json.loads(answer.text)) == ["message"]


def test_viewers_may_read_and_not_write(http: Http) -> None:
    viewer = basic("viewer", "looks")
    bodies = {ITEM: interceptor(), TOKEN: '{"lifeTimeSeconds":1}'}

    for method, path in (("POST", ITEM), ("PUT", ITEM), ("DELETE", ITEM), ("POST", TOKEN)):
        answer = http(method, path, bodies[path], viewer)
        assert answer.status_code == 403
        assert answer.text == (
            '{"message":"You do not have permission to call this API,'
            ' please contact your administrator."}'
        )
    for path in (f"{INTERCEPTORS}/all", "/admin/plugins/v1", "/metrics"):
        assert http("GET", path, authorization=viewer).status_code == 200


def unreachable() -> Http:
    channel = grpc.insecure_channel("127.0.0.1:1")
    return Http(Client(Bridge(SidecarClient(channel, "127.0.0.1:1"))))


def test_an_unreachable_sidecar_is_named() -> None:
    http = unreachable()
    message = "the sidecar's control API at 127.0.0.1:1 cannot be reached"

    assert http.told("POST", ITEM, interceptor()) == (503, message)
    assert http.told("GET", "/admin/plugins/v1") == (503, message)
    assert http.told("GET", "/metrics") == (503, message)


def test_the_unexpected_is_logged_and_not_told(
    http: Http, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(SidecarClient, "list", fail)
    with caplog.at_level(logging.ERROR, "rest_bridge"):
        status, message = http.told("GET", f"{INTERCEPTORS}/all")

    assert status == 500
    assert "secret" not in message
    assert len(caplog.records) == 1
