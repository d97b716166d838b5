"""Configurations: the resource type tells what a resource's name is.

A virtual cluster's clients have topics and groups. Brokers, their loggers, client metrics, and
types yet to come are the physical cluster's: each such resource is answered with
CLUSTER_AUTHORIZATION_FAILED, and the request goes on without it. Listed are topics and groups of
one's own, whatever types were asked for; so version 0, which lists client metrics, lists nothing.
"""

from typing import Any, Final

from codec.api_keys import ApiKey
from codec.schema import Response
from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.edits.refused import all_refused, put_in, refusal, take_out
from sidecar.dataplane.tenancy.exchange import Exchange

TOPIC: Final = 2
GROUP: Final = 32


def _physical(kind: int, name: str, exchange: Exchange) -> str:
    if kind == TOPIC:
        return exchange.topic(name)
    # No group is called nothing: brokers say so.
    return exchange.name(name) if name else name


def _logical(kind: int, name: str, exchange: Exchange) -> str | None:
    if kind == TOPIC:
        return exchange.logical_topic(name)
    return exchange.logical_name(name) if kind == GROUP else None


def _edit(key: ApiKey, array: str) -> Edit:
    """The edit of an API whose requests have `resources` and whose responses this array of them."""

    def refuse(resource: Any) -> Any:
        if resource.resource_type in (TOPIC, GROUP):
            return None
        return refusal(
            key,
            array,
            resource_type=resource.resource_type,
            resource_name=resource.resource_name,
        )

    def request(request: Any, version: int, exchange: Exchange) -> Response | None:
        request.resources, exchange.kept = take_out(request.resources, refuse)
        if exchange.kept and not request.resources:
            return all_refused(key, array, exchange.kept)
        for resource in request.resources:
            resource.resource_name = _physical(
                resource.resource_type, resource.resource_name, exchange
            )
        return None

    def response(response: Any, version: int, exchange: Exchange) -> None:
        own = []
        for result in getattr(response, array):
            name = _logical(result.resource_type, result.resource_name, exchange)
            if name is not None or not result.resource_name:
                result.resource_name = name or ""
                own.append(result)
        setattr(response, array, put_in(own, exchange.kept or {}))

    return Edit(request, response)


def _listed(response: Any, version: int, exchange: Exchange) -> None:
    own = []
    for resource in response.config_resources:
        name = _logical(resource.resource_type, resource.resource_name, exchange)
        if name:
            resource.resource_name = name
            own.append(resource)
    response.config_resources = own


DESCRIBE_CONFIGS = _edit(ApiKey.DESCRIBE_CONFIGS, "results")
ALTER_CONFIGS = _edit(ApiKey.ALTER_CONFIGS, "responses")
INCREMENTAL_ALTER_CONFIGS = _edit(ApiKey.INCREMENTAL_ALTER_CONFIGS, "responses")
LIST_CONFIG_RESOURCES = Edit(response=_listed)
