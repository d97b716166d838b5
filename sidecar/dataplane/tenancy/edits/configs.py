"""Configurations: the resource type tells what a resource's name is."""

from typing import Any, Final

from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.exchange import Exchange

TOPIC: Final = 2
GROUP: Final = 32


def _request(request: Any, version: int, exchange: Exchange) -> None:
    for resource in request.resources:
        if resource.resource_type == TOPIC:
            resource.resource_name = exchange.topic(resource.resource_name)
        elif resource.resource_type == GROUP:
            resource.resource_name = exchange.name(resource.resource_name)


def _response(response: Any, version: int, exchange: Exchange) -> None:
    for result in response.results:
        if result.resource_type == TOPIC:
            result.resource_name = exchange.logical_topic(result.resource_name) or ""
        elif result.resource_type == GROUP:
            result.resource_name = exchange.logical_name(result.resource_name) or ""


DESCRIBE_CONFIGS = Edit(_request, _response)
