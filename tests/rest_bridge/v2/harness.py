"""Requests to v2, and their bodies, in few words."""

import json
from typing import Any

from tests.rest_bridge.harness import PLUGIN, Http

BASE = "/gateway/v2"
INTERCEPTOR = f"{BASE}/interceptor"
VIRTUAL_CLUSTER = f"{BASE}/virtual-cluster"
ALIAS_TOPIC = f"{BASE}/alias-topic"
SERVICE_ACCOUNT = f"{BASE}/service-account"
GROUP = f"{BASE}/group"
TOKEN = f"{BASE}/token"

EMPTY = "must not be empty, leave it out or say null"
ABSENT = object()
"""Takes a key away."""


def resource(kind: str, metadata: Any, spec: Any, /, **fields: Any) -> str:
    """Return a body; `fields` replace or add keys of the outermost object."""
    whole = {"kind": kind, "apiVersion": "gateway/v2", "metadata": metadata, "spec": spec} | fields
    return json.dumps({key: value for key, value in whole.items() if value is not ABSENT})


def interceptor(
    config: str = '{"rateInPercent":50}', *, scope: Any = ABSENT, name: Any = "n", **spec: Any
) -> str:
    """Return the body of an interceptor; `config` is its text, `spec` replaces or adds keys."""
    metadata = {key: v for key, v in {"name": name, "scope": scope}.items() if v is not ABSENT}
    parts = {"pluginClass": PLUGIN, "priority": 100, "config": "CONFIG"} | spec
    parts = {key: value for key, value in parts.items() if value is not ABSENT}
    return resource("Interceptor", metadata, parts).replace('"CONFIG"', config)


def put(http: Http, path: str, body: str) -> str:
    """Return the upsertResult of a PUT that must succeed."""
    answer = http("PUT", path, body)
    assert answer.status_code == 200, answer.text
    whole = json.loads(answer.text)
    assert list(whole) == ["resource", "upsertResult"]
    return str(whole["upsertResult"])


def got(http: Http, path: str) -> Any:
    """Return what a GET that must succeed answers."""
    answer = http("GET", path)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)


def told(http: Http, method: str, path: str, body: str | bytes | None = None) -> tuple[int, str]:
    """Return status and msg of an answer that is nothing but an error."""
    answer = http(method, path, body)
    assert answer.content_type == "application/json"
    whole = json.loads(answer.data)
    assert list(whole) == ["title", "msg"]
    return answer.status_code, whole["msg"]
