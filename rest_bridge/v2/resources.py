"""Interceptors, tokens and plugins of v2: what each path does with each method."""

from rest_bridge.errors import bad_request
from rest_bridge.json_body import Json, show
from rest_bridge.plugins import PLUGINS as KNOWN
from rest_bridge.resources import Answer, Call, Resource, answer
from rest_bridge.v2 import bodies
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor


def check_query(call: Call, *allowed: str) -> None:
    """Raise Refusal (400) when there is a query parameter that is not `allowed`.

    One that is misspelt must not be ignored: what was meant to be a rehearsal would be none.
    """
    for name in call.query:
        if name not in allowed:
            names = ", ".join(allowed) or "none"
            raise bad_request(f"query parameter {show(name)} is not known, allowed are {names}")


def flag(call: Call, name: str) -> bool:
    """Return a query parameter that is true or false, false when it is missing."""
    value = call.query.get(name, "false")
    if value not in ("true", "false"):
        raise bad_request(f"query parameter {name} is {show(value)}, allowed are true, false")
    return value == "true"


def dry_mode(call: Call) -> bool:
    """Return whether a PUT is a rehearsal, or raise Refusal (400)."""
    check_query(call, "dryMode")
    return flag(call, "dryMode")


def upserted(resource: Json, *, created: bool, changed: bool) -> Answer:
    """Return the answer to a PUT."""
    outcome = "CREATED" if created else "UPDATED" if changed else "NOT_CHANGED"
    return answer(200, {"resource": resource, "upsertResult": outcome})


def _put(call: Call) -> Answer:
    rehearsal = dry_mode(call)
    wanted, keeps = bodies.interceptor_from(call.body)
    done = call.client.upsert(
        wanted, call.authorization, keep_control=keeps, validate_only=rehearsal
    )
    resource = bodies.interceptor_to(done.interceptor)
    return upserted(resource, created=done.created, changed=done.changed)


def _list(call: Call) -> Answer:
    check_query(call, "name", "global", "vcluster", "group", "username")
    only_global = flag(call, "global")
    found = call.client.list(None, call.authorization)
    kept = [item for item in found if _wanted(item, call, only_global)]
    return answer(200, [bodies.interceptor_to(item) for item in kept])


def _wanted(item: Interceptor, call: Call, only_global: bool) -> bool:
    scope = item.scope
    if only_global and scope.virtual_cluster:
        return False
    values = {
        "name": item.name,
        "vcluster": scope.virtual_cluster,
        "group": scope.group,
        "username": scope.username,
    }
    return all(call.query.get(key) in (None, "", value) for key, value in values.items())


def _delete(call: Call) -> Answer:
    check_query(call)
    scope = bodies.deleted_scope_from(call.body)
    call.client.delete(call.path["name"], scope, call.authorization)
    return Answer(204)


def _resolve(call: Call) -> Answer:
    check_query(call)
    found = call.client.resolve(bodies.resolve_request_from(call.body), call.authorization)
    return answer(200, [bodies.interceptor_to(item) for item in found])


def _token(call: Call) -> Answer:
    check_query(call)
    wanted = bodies.token_request_from(call.body)
    token = call.client.create_token(
        wanted.virtual_cluster, wanted.username, wanted.lifetime_seconds, call.authorization
    )
    return answer(200, {"token": token})


def _plugins(call: Call) -> Answer:
    check_query(call)
    call.client.authenticate(call.authorization)
    _, build = call.client.health()
    found: list[Json] = [
        {
            "plugin": plugin.name,
            "pluginId": plugin.name,
            "readme": plugin.readme,
            "parent": "Chaos",
            "license": "free",
            "description": plugin.description,
            "title": plugin.title,
            "version": build.version,
        }
        for plugin in KNOWN
    ]
    return answer(200, found)


TOKEN: Resource = {"POST": _token}
INTERCEPTORS: Resource = {"GET": _list, "PUT": _put}
INTERCEPTOR: Resource = {"DELETE": _delete}
RESOLVE: Resource = {"POST": _resolve}
PLUGINS: Resource = {"GET": _plugins}
