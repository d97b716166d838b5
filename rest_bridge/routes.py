"""The paths of the reference's API, v1 and v2."""

from collections.abc import Iterator
from dataclasses import dataclass

from werkzeug.routing import Map, Rule

from rest_bridge import resources, tenant_resources
from rest_bridge.resources import Resource
from rest_bridge.v2 import resources as v2
from rest_bridge.v2 import tenant_resources as v2_tenants


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """What a path leads to; `everywhere` marks the paths of the global scope."""

    resource: Resource
    everywhere: bool = False


_BASE = "/admin/interceptors/v1"
_SCOPES = (
    "/global",
    "",  # passthrough, as are the next two
    "/group/<group>",
    "/username/<username>",
    "/vcluster/<vcluster>",
    "/vcluster/<vcluster>/group/<group>",
    "/vcluster/<vcluster>/username/<username>",
)
_DEPRECATED_LISTS = (
    "/interceptors",
    "/vcluster/<vcluster>/interceptors",
    "/vcluster/<vcluster>/username/<username>/interceptors",
)


def _rules() -> Iterator[Rule]:
    for scope in _SCOPES:
        everywhere = scope == "/global"
        item = f"{_BASE}{scope}/interceptor/<name>"
        yield _rule(item, Endpoint(resources.INTERCEPTOR, everywhere))
        yield _rule(_BASE + scope, Endpoint(resources.INTERCEPTORS, everywhere))
    for path in _DEPRECATED_LISTS:
        yield _rule(_BASE + path, Endpoint(resources.INTERCEPTORS))
    yield _rule(f"{_BASE}/all", Endpoint(resources.ALL_INTERCEPTORS))
    yield _rule(f"{_BASE}/resolve", Endpoint(resources.RESOLVE))
    yield from _tenant_rules()
    yield _rule("/admin/username/<username>", Endpoint(resources.TOKEN))
    yield _rule("/admin/plugins/v1", Endpoint(resources.PLUGIN_LIST))
    yield _rule("/admin/plugins/v1/extended", Endpoint(resources.PLUGIN_TEXTS))
    yield from _v2_rules()
    yield _rule("/health", Endpoint(resources.HEALTH))
    yield _rule("/health/live", Endpoint(resources.LIVENESS))
    yield _rule("/health/ready", Endpoint(resources.READINESS))
    yield _rule("/versions", Endpoint(resources.VERSIONS))
    yield _rule("/metrics", Endpoint(resources.METRICS))


def _tenant_rules() -> Iterator[Rule]:
    base = "/admin/vclusters/v1"
    cluster = f"{base}/vcluster/<vcluster>"
    yield _rule(base, Endpoint(tenant_resources.VIRTUAL_CLUSTERS))
    yield _rule(f"{cluster}/username/<username>", Endpoint(resources.TOKEN))
    yield _rule(f"{cluster}/topics", Endpoint(tenant_resources.TOPICS))
    yield _rule(f"{cluster}/topics/<topic>", Endpoint(tenant_resources.TOPIC))
    yield _rule(f"{cluster}/concentration-rules", Endpoint(tenant_resources.CONCENTRATION_RULES))
    for users in ("/admin/userMappings/v1", "/admin/userMappings/v1/vcluster/<vcluster>"):
        yield _rule(users, Endpoint(tenant_resources.USERS))
        yield _rule(f"{users}/username/<username>", Endpoint(tenant_resources.USER))


def _v2_rules() -> Iterator[Rule]:
    base = "/gateway/v2"
    yield _rule(f"{base}/token", Endpoint(v2.TOKEN))
    yield _rule(f"{base}/interceptor", Endpoint(v2.INTERCEPTORS))
    yield _rule(f"{base}/interceptor/<name>", Endpoint(v2.INTERCEPTOR))
    yield _rule(f"{base}/interceptor/resolve", Endpoint(v2.RESOLVE))
    yield _rule(f"{base}/plugin", Endpoint(v2.PLUGINS))
    yield _rule(f"{base}/virtual-cluster", Endpoint(v2_tenants.VIRTUAL_CLUSTERS))
    yield _rule(f"{base}/virtual-cluster/<name>", Endpoint(v2_tenants.VIRTUAL_CLUSTER))
    yield _rule(f"{base}/alias-topic", Endpoint(v2_tenants.ALIAS_TOPICS))
    yield _rule(f"{base}/service-account", Endpoint(v2_tenants.SERVICE_ACCOUNTS))
    yield _rule(f"{base}/group", Endpoint(v2_tenants.GROUPS))
    yield _rule(f"{base}/group/<name>", Endpoint(v2_tenants.GROUP))
    for path, resource in v2_tenants.UNSUPPORTED.items():
        yield _rule(f"{base}/{path}", Endpoint(resource))


def _rule(path: str, endpoint: Endpoint) -> Rule:
    return Rule(f"{path}/", endpoint=endpoint, methods=list(endpoint.resource))


# Nothing is redirected, as slashes in a row would be by default: curl does not follow.
ROUTES = Map(list(_rules()), merge_slashes=False)
"""Every path, with a slash at its end; a rule's endpoint is an `Endpoint`."""
