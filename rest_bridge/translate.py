"""Bodies of the reference's API to messages of ours and back.

What only this dialect knows (the class, the config as it was written, the timeout) travels in the
interceptor's annotations, so that it is echoed as it was sent.
"""

from collections.abc import Mapping

from rest_bridge.controls import control_of, read_control
from rest_bridge.errors import Refusal, bad_request
from rest_bridge.json_body import Json, NotJson, Number, dumps, parse, show
from rest_bridge.plugins import integer, plugin_for, plugin_of, refuse_unknown
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2 import ResolveInterceptorsRequest

PASSTHROUGH = "passthrough"
MAX_INT32 = 2**31 - 1
MAX_INT64 = 2**63 - 1
"""Also the timeout of who did not ask for one: none to speak of."""

MAX_LIFETIME_SECONDS = 315_360_000
"""As CreateTokenRequest says; known here so that one message names both bounds."""

CLASS_NOTE = "conduktor.io/plugin-class"
CONFIG_NOTE = "conduktor.io/config"
TIMEOUT_NOTE = "conduktor.io/timeout-ms"

# `name` is in the path; the reference's own clients repeat it in the body, where it is ignored.
_INTERCEPTOR_KEYS = ("pluginClass", "priority", "timeoutMs", "config", "name", "control")


def body_object(body: bytes) -> dict[str, Json]:
    """Return the JSON object in `body`, or raise Refusal (400)."""
    try:
        value = parse(body)
    except NotJson as error:
        raise bad_request(str(error)) from None
    if not isinstance(value, dict):
        raise bad_request(f"the body is {show(value)}, a JSON object is needed")
    return value


def lifetime_from(body: bytes) -> int:
    """Return the seconds a token is asked for, or raise Refusal (400)."""
    fields = body_object(body)
    refuse_unknown(fields, ("lifeTimeSeconds",))
    if "lifeTimeSeconds" not in fields:
        raise bad_request(
            f"lifeTimeSeconds is required, allowed are integers from 1 to {MAX_LIFETIME_SECONDS}"
        )
    return integer(fields["lifeTimeSeconds"], "lifeTimeSeconds", 1, MAX_LIFETIME_SECONDS)


def interceptor_from(name: str, scope: Scope, body: bytes) -> tuple[Interceptor, bool]:
    """Return the interceptor a POST or PUT asks for, or raise Refusal (400).

    Returns:
        It, and whether the body says nothing of `control`, so that a PUT leaves that as it is.
    """
    fields = body_object(body)
    refuse_unknown(fields, _INTERCEPTOR_KEYS)
    for key in ("pluginClass", "priority", "config"):
        if key not in fields:
            raise bad_request(f"{key} is required")
    plugin = plugin_of(fields["pluginClass"])
    config = fields["config"]
    if not isinstance(config, dict):
        raise bad_request(f"config is {show(config)}, a JSON object is needed")
    result = Interceptor(
        name=name,
        scope=scope,
        priority=integer(fields["priority"], "priority", 0, MAX_INT32),
        annotations={CLASS_NOTE: plugin.name, CONFIG_NOTE: dumps(config)},
    )
    if "timeoutMs" in fields:
        timeout = integer(fields["timeoutMs"], "timeoutMs", 1, MAX_INT64)
        result.annotations[TIMEOUT_NOTE] = str(timeout)
    plugin.read(config, result)
    if "control" in fields:
        read_control(fields["control"], result)
    return result, "control" not in fields


def interceptor_to(interceptor: Interceptor) -> dict[str, Json]:
    """Return an item of a list, keys in the reference's order."""
    found: dict[str, Json] = {
        "name": interceptor.name,
        "pluginClass": plugin_for(interceptor).name,
        "priority": Number(str(interceptor.priority)),
        "timeoutMs": Number(str(_timeout_of(interceptor))),
        "config": config_of(interceptor),
    }
    return found | _control_in(interceptor)


def placed_interceptor_to(interceptor: Interceptor) -> dict[str, Json]:
    """Return an item of the list of everything: with its scope behind it."""
    scope = interceptor.scope
    return interceptor_to(interceptor) | {
        "vcluster": scope.virtual_cluster,
        "group": scope.group,
        "username": scope.username,
    }


def resolved_interceptor_to(interceptor: Interceptor) -> dict[str, Json]:
    """Return an item of what applies to a client, keys in the reference's order."""
    scope = interceptor.scope
    level = "USERNAME" if scope.username else "GROUP" if scope.group else "VCLUSTER"
    return {
        "configName": interceptor.name,
        "scope": level if scope.virtual_cluster else "GLOBAL",
        "pluginClass": plugin_for(interceptor).name,
        "vcluster": scope.virtual_cluster,
        "group": scope.group,
        "username": scope.username,
        "priority": Number(str(interceptor.priority)),
        "config": config_of(interceptor),
    }


def resolve_request_from(body: bytes) -> ResolveInterceptorsRequest:
    """Return the client a body describes, every key optional, or raise Refusal (400)."""
    fields = body_object(body) if body.strip() else {}
    refuse_unknown(fields, ("vcluster", "username", "groups"))
    return ResolveInterceptorsRequest(
        virtual_cluster=text(fields.get("vcluster", ""), "vcluster"),
        username=text(fields.get("username", ""), "username"),
        groups=texts(fields.get("groups", []), "groups"),
    )


def scope_from(path: Mapping[str, str], *, everywhere: bool) -> Scope:
    """Return the scope a path names; without a vcluster it is passthrough, unless `everywhere`."""
    return Scope(
        virtual_cluster="" if everywhere else path.get("vcluster", PASSTHROUGH),
        group=path.get("group", ""),
        username=path.get("username", ""),
    )


def text(value: Json, name: str) -> str:
    """Return `value` as a string, or raise Refusal (400) that names it."""
    if not isinstance(value, str):
        raise bad_request(f"{name} is {show(value)}, a string is needed")
    return value


def texts(value: Json, name: str) -> list[str]:
    """Return `value` as a list of strings, or raise Refusal (400) that names it."""
    if not isinstance(value, list):
        raise bad_request(f"{name} is {show(value)}, a list of strings is needed")
    return [text(item, f"{name}[{i}]") for i, item in enumerate(value)]


def _timeout_of(interceptor: Interceptor) -> int:
    noted = Number(interceptor.annotations.get(TIMEOUT_NOTE, ""))
    try:
        return integer(noted, TIMEOUT_NOTE, 1, MAX_INT64)
    except Refusal:
        return MAX_INT64


def _control_in(interceptor: Interceptor) -> dict[str, Json]:
    """What an item has besides what the reference's has: nothing, unless somebody asked for it."""
    control = control_of(interceptor)
    return {"control": control} if control else {}


def config_of(interceptor: Interceptor) -> dict[str, Json]:
    """Return the config as it was sent, if it still says what the interceptor does.

    The annotations belong to whoever writes them: a gRPC client may have changed the fault and
    left them as they were.
    """
    plugin = plugin_for(interceptor)
    meant = Interceptor()
    try:
        noted = body_object(interceptor.annotations.get(CONFIG_NOTE, "").encode("utf-8"))
        plugin.read(noted, meant)
    except Refusal:
        return plugin.render(interceptor)
    if getattr(meant, plugin.fault) == getattr(interceptor, plugin.fault):
        return noted
    return plugin.render(interceptor)
