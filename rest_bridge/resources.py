"""What each path does with each method: the calls to the sidecar and the shape of the answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import grpc

from rest_bridge import translate
from rest_bridge.client import SidecarClient
from rest_bridge.errors import Refusal
from rest_bridge.json_body import Json, dumps
from rest_bridge.plugins import PLUGINS
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Scope

JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"
NAME_TAKEN = "interceptorName for cluster must be unique."
"""The reference's words."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request, as far as a resource cares.

    Args:
        path: the variables in the path.
        everywhere: the path names the global scope.
        query: the first value of each query parameter; in v2 there is one.
        authorization: the header of that name.
    """

    client: SidecarClient
    path: Mapping[str, str]
    everywhere: bool
    query: Mapping[str, str]
    authorization: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: status, body, type of the body, and headers to add."""

    status: int
    body: str = ""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


Resource: TypeAlias = Mapping[str, Callable[[Call], Answer]]
"""What each method does."""


def answer(status: int, body: Json) -> Answer:
    """Return a JSON answer."""
    return Answer(status, dumps(body))


def _create_token(call: Call) -> Answer:
    token = call.client.create_token(
        call.path.get("vcluster", translate.PASSTHROUGH),
        call.path["username"],
        translate.lifetime_from(call.body),
        call.authorization,
    )
    return answer(201, {"token": token})


def _post(call: Call) -> Answer:
    name = call.path["name"]
    wanted, _ = translate.interceptor_from(name, _scope(call), call.body)
    try:
        call.client.create(wanted, call.authorization)
    except Refusal as refusal:
        if refusal.code is grpc.StatusCode.ALREADY_EXISTS:
            raise Refusal(409, NAME_TAKEN, code=refusal.code) from None
        raise
    return answer(201, {"message": f"{name} is created"})


def _put(call: Call) -> Answer:
    name = call.path["name"]
    wanted, keeps = translate.interceptor_from(name, _scope(call), call.body)
    created = call.client.put(wanted, call.authorization, keep_control=keeps)
    return answer(200, {"message": f"{name} is {'created' if created else 'updated'}"})


def _get(call: Call) -> Answer:
    found = call.client.get(call.path["name"], _scope(call), call.authorization)
    return answer(200, translate.interceptor_to(found))


def _delete(call: Call) -> Answer:
    call.client.delete(call.path["name"], _scope(call), call.authorization)
    return Answer(204)


def _list(call: Call) -> Answer:
    found = call.client.list(_scope(call), call.authorization)
    return answer(200, {"interceptors": [translate.interceptor_to(item) for item in found]})


def _list_all(call: Call) -> Answer:
    found = call.client.list(None, call.authorization)
    items = [translate.placed_interceptor_to(item) for item in found]
    wanted = call.query.get("pluginClass")
    return answer(200, {"interceptors": [i for i in items if wanted in (None, i["pluginClass"])]})


def _resolve(call: Call) -> Answer:
    found = call.client.resolve(translate.resolve_request_from(call.body), call.authorization)
    return answer(200, [translate.resolved_interceptor_to(item) for item in found])


def _plugins(call: Call) -> Answer:
    call.client.authenticate(call.authorization)
    return answer(200, {"plugins": [plugin.name for plugin in PLUGINS]})


def _plugin_texts(call: Call) -> Answer:
    call.client.authenticate(call.authorization)
    _, build = call.client.health()
    texts: list[Json] = [
        {
            "plugin": plugin.name,
            "pluginId": plugin.name,
            "tags": {
                "parent": "Chaos",
                "license": "free",
                "description": plugin.description,
                "title": plugin.title,
                "version": build.version,
            },
            "readme": plugin.readme,
        }
        for plugin in PLUGINS
    ]
    return answer(200, {"plugins": texts})


def _health(call: Call) -> Answer:
    up, build = call.client.health()
    stored = call.client.store_health()
    state = "UP" if up else "DOWN"
    data: Json = {"version": build.version, "time": build.time, "commit": build.commit}
    checks: list[Json] = [
        {"id": "buildInfo", "status": "UP" if build.version else "DOWN", "data": data},
        {"id": "live", "status": state},
    ]
    if stored is not None:
        # It does not make the whole DOWN: the sidecar goes on with what it knows.
        checks.append({"id": "store", "status": "UP" if stored else "DOWN"})
    return answer(200 if up else 503, {"status": state, "checks": checks, "outcome": state})


def _live(call: Call) -> Answer:
    return Answer(200)


def _ready(call: Call) -> Answer:
    up, _ = call.client.health()
    return Answer(200, "READY", TEXT_TYPE) if up else Answer(503, "NOTREADY", TEXT_TYPE)


def _versions(call: Call) -> Answer:
    _, build = call.client.health()
    return answer(200, {"gateway": build.version})


def _metrics(call: Call) -> Answer:
    content_type, text = call.client.metrics(call.authorization)
    return Answer(200, text, content_type)


def _scope(call: Call) -> Scope:
    return translate.scope_from(call.path, everywhere=call.everywhere)


TOKEN: Resource = {"POST": _create_token}
INTERCEPTOR: Resource = {"POST": _post, "PUT": _put, "GET": _get, "DELETE": _delete}
INTERCEPTORS: Resource = {"GET": _list}
ALL_INTERCEPTORS: Resource = {"GET": _list_all}
RESOLVE: Resource = {"POST": _resolve}
PLUGIN_LIST: Resource = {"GET": _plugins}
PLUGIN_TEXTS: Resource = {"GET": _plugin_texts}
HEALTH: Resource = {"GET": _health}
LIVENESS: Resource = {"GET": _live}
READINESS: Resource = {"GET": _ready}
VERSIONS: Resource = {"GET": _versions}
METRICS: Resource = {"GET": _metrics}
