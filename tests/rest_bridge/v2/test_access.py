"""Whom v2 answers: strangers, viewers, and what is told when the sidecar does not answer."""

import json
import logging
from typing import Any

import pytest

from rest_bridge.client import SidecarClient
from tests.rest_bridge.harness import Http
from tests.rest_bridge.test_refusals import unreachable
from tests.rest_bridge.v2.harness import (
    ALIAS_TOPIC,
    BASE,
    GROUP,
    INTERCEPTOR,
    SERVICE_ACCOUNT,
    TOKEN,
    VIRTUAL_CLUSTER,
    interceptor,
)
from tests.rest_bridge.v2.test_refusals import UPSERTS
from tests.sidecar.api.harness import Control, basic

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
