"""Bodies of v2 to messages of ours and back: what all resources share, interceptors and tokens."""

from collections.abc import Mapping

from rest_bridge.controls import control_of, read_control
from rest_bridge.errors import bad_request
from rest_bridge.json_body import Json, Number, dumps, show
from rest_bridge.plugins import Plugin, integer, plugin_for, plugin_of, refuse_unknown
from rest_bridge.translate import (
    CLASS_NOTE,
    CONFIG_NOTE,
    MAX_INT32,
    MAX_LIFETIME_SECONDS,
    PASSTHROUGH,
    body_object,
    config_of,
    text,
    texts,
)
from sidecar.gen.kafka.chaos.v1.interceptor_pb2 import Interceptor, Scope
from sidecar.gen.kafka.chaos.v1.interceptor_service_pb2 import ResolveInterceptorsRequest
from sidecar.gen.kafka.chaos.v1.token_service_pb2 import CreateTokenRequest

API_VERSION = "gateway/v2"
COMMENT_NOTE = "conduktor.io/comment"
INTERCEPTOR = "Interceptor"

_INTERCEPTOR_KINDS = (INTERCEPTOR, "GatewayInterceptor")
"""The second is what the reference's Terraform provider calls it."""
_SCOPE_KEYS = ("vCluster", "group", "username")

Object = Mapping[str, Json]


def resource_from(
    body: bytes, kinds: tuple[str, ...], metadata: tuple[str, ...], spec: tuple[str, ...]
) -> tuple[Object, Object]:
    """Return metadata and spec of a resource, or raise Refusal (400).

    Args:
        kinds: one of them it must be.
        metadata, spec: the keys that are allowed; of metadata "name" must be there.
    """
    fields = body_object(body)
    refuse_unknown(fields, ("kind", "apiVersion", "metadata", "spec"))
    for key, allowed in (("kind", kinds), ("apiVersion", (API_VERSION,))):
        require(fields, key)
        if fields[key] not in allowed:
            raise bad_request(f"{key} is {show(fields[key])}, allowed are {', '.join(allowed)}")
    parts = []
    for key, names in (("metadata", metadata), ("spec", spec)):
        require(fields, key)
        part = object_in(fields[key], key)
        refuse_unknown(part, names, f"{key}.")
        parts.append(part)
    require(parts[0], "name", "metadata.")
    return parts[0], parts[1]


def resource_to(kind: str, metadata: dict[str, Json], spec: dict[str, Json]) -> dict[str, Json]:
    """Return a resource, keys in the reference's order."""
    return {"kind": kind, "apiVersion": API_VERSION, "metadata": metadata, "spec": spec}


def require(fields: Object, key: str, prefix: str = "") -> None:
    """Raise Refusal (400) when `key` is not there."""
    if key not in fields:
        raise bad_request(f"{prefix}{key} is required")


def object_in(value: Json, name: str) -> Object:
    """Return `value` as an object, or raise Refusal (400) that names it."""
    if not isinstance(value, dict):
        raise bad_request(f"{name} is {show(value)}, a JSON object is needed")
    return value


def optional_text(fields: Object, key: str, prefix: str = "") -> str | None:
    """Return a string that may be left out or null; None then. Empty is no way to leave it out."""
    value = fields.get(key)
    if value is None:
        return None
    if value == "":
        raise bad_request(f"{prefix}{key} must not be empty, leave it out or say null")
    return text(value, prefix + key)


def scope_from(fields: Object, prefix: str = "") -> Scope:
    """Return the scope that an object names, or raise Refusal (400).

    Whoever leaves the virtual cluster out means passthrough; whoever says null to it, and to the
    others or leaves them out, everybody. With a group or a username, null is passthrough as well:
    the reference's command line says null for what was left out.
    """
    refuse_unknown(fields, _SCOPE_KEYS, prefix)
    place, group, username = (optional_text(fields, key, prefix) for key in _SCOPE_KEYS)
    if place is None:
        everybody = "vCluster" in fields and group is None and username is None
        place = "" if everybody else PASSTHROUGH
    return Scope(virtual_cluster=place, group=group or "", username=username or "")


def deleted_scope_from(body: bytes) -> Scope:
    """Return the scope in the body of a DELETE, passthrough without one, or raise Refusal (400)."""
    return scope_from(body_object(body) if body.strip() else {})


def interceptor_from(body: bytes) -> tuple[Interceptor, bool]:
    """Return the interceptor a PUT asks for, or raise Refusal (400).

    Returns:
        It, and whether the body says nothing of `control`, which then stays as it is.
    """
    keys = ("comment", "pluginClass", "priority", "config", "control")
    metadata, spec = resource_from(body, _INTERCEPTOR_KINDS, ("name", "scope"), keys)
    for key in keys[1:4]:
        require(spec, key, "spec.")
    scope = metadata.get("scope")
    named: Object = {} if scope is None else object_in(scope, "metadata.scope")
    plugin: Plugin = plugin_of(spec["pluginClass"], "spec.pluginClass")
    config = object_in(spec["config"], "spec.config")
    result = Interceptor(
        name=text(metadata["name"], "metadata.name"),
        scope=scope_from(named, "metadata.scope."),
        priority=integer(spec["priority"], "spec.priority", 0, MAX_INT32),
        annotations={CLASS_NOTE: plugin.name, CONFIG_NOTE: dumps(dict(config))},
    )
    comment = spec.get("comment")
    if comment is not None:
        result.annotations[COMMENT_NOTE] = text(comment, "spec.comment")
    plugin.read(config, result, "spec.config")
    if "control" in spec:
        read_control(spec["control"], result, "spec.control")
    return result, "control" not in spec


def interceptor_to(interceptor: Interceptor) -> dict[str, Json]:
    """Return the resource, keys in the reference's order; what is not set is null, as there."""
    scope = interceptor.scope
    named: dict[str, Json] = {
        "vCluster": scope.virtual_cluster or None,
        "group": scope.group or None,
        "username": scope.username or None,
    }
    spec: dict[str, Json] = {
        "comment": interceptor.annotations.get(COMMENT_NOTE),
        "pluginClass": plugin_for(interceptor).name,
        "priority": Number(str(interceptor.priority)),
        "config": config_of(interceptor),
    }
    control = control_of(interceptor)
    if control:  # ours: the reference has none
        spec["control"] = control
    return resource_to(INTERCEPTOR, {"name": interceptor.name, "scope": named}, spec)


def resolve_request_from(body: bytes) -> ResolveInterceptorsRequest:
    """Return the client a body describes, every key optional, or raise Refusal (400)."""
    fields = body_object(body) if body.strip() else {}
    refuse_unknown(fields, ("vCluster", "groups", "username"))
    groups = fields.get("groups")
    return ResolveInterceptorsRequest(
        virtual_cluster=optional_text(fields, "vCluster") or "",
        username=optional_text(fields, "username") or "",
        groups=[] if groups is None else texts(groups, "groups"),
    )


def token_request_from(body: bytes) -> CreateTokenRequest:
    """Return what a token is asked for, or raise Refusal (400)."""
    fields = body_object(body)
    refuse_unknown(fields, ("vCluster", "username", "lifeTimeSeconds"))
    for key in ("username", "lifeTimeSeconds"):
        require(fields, key)
    lifetime = integer(fields["lifeTimeSeconds"], "lifeTimeSeconds", 1, MAX_LIFETIME_SECONDS)
    return CreateTokenRequest(
        virtual_cluster=optional_text(fields, "vCluster") or PASSTHROUGH,
        username=text(fields["username"], "username"),
        lifetime_seconds=lifetime,
    )
