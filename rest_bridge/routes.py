"""The paths of the reference's API, v1."""

from collections.abc import Iterator
from dataclasses import dataclass

from werkzeug.routing import Map, Rule

from rest_bridge import resources, tenant_resources
from rest_bridge.resources import Resource


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
    yield _rule("/health", Endpoint(resources.HEALTH))
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


def _rule(path: str, endpoint: Endpoint) -> Rule:
    return Rule(f"{path}/", endpoint=endpoint, methods=list(endpoint.resource))


# Nothing is redirected, as slashes in a row would be by default: curl does not follow.
ROUTES = Map(list(_rules()), merge_slashes=False)
"""Every path, with a slash at its end; a rule's endpoint is an `Endpoint`."""
