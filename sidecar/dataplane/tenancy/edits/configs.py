"""Configurations: the resource type tells what a resource's name is.

Topics and groups are mapped. Brokers, their loggers, client metrics and types nobody knows are of
the physical cluster: each such resource is denied, the others of the request are not.
"""

from collections.abc import Callable
from typing import Any, Final

from codec.registry import response_class
from codec.schema import Response
from sidecar.dataplane.tenancy.denials import denied
from sidecar.dataplane.tenancy.edits.base import Edit, woven
from sidecar.dataplane.tenancy.exchange import Exchange

TOPIC: Final = 2
BROKER: Final = 4
BROKER_LOGGER: Final = 8
CLIENT_METRICS: Final = 16
GROUP: Final = 32
_OWN: Final = (TOPIC, GROUP)
_OTHERS: Final = (BROKER, BROKER_LOGGER, CLIENT_METRICS)
_TYPES_SINCE = 1


def _edit(results: str, result: Callable[[Any], Any]) -> Edit:
    """The edit of an API that answers each resource of the request.

    Args:
        results: the field of the response that holds the answers.
        result: the class of an answer, of that of the response.
    """

    def request(message: Any, version: int, exchange: Exchange) -> Response | None:
        kind = response_class(message.API_KEY)
        refused = {}
        forwarded = []
        for place, resource in enumerate(message.resources):
            if resource.resource_type in _OWN:
                forwarded.append(resource)
                continue
            refused[place] = denied(
                result(kind),
                resource_type=resource.resource_type,
                resource_name=resource.resource_name,
            )
        if refused and not forwarded:
            return kind(**{results: woven(refused, ())})
        for resource in forwarded:
            resource.resource_name = _physical(resource, exchange)
        message.resources = forwarded
        exchange.kept = refused
        return None

    def response(message: Any, version: int, exchange: Exchange) -> None:
        answers = getattr(message, results)
        for answer in answers:
            answer.resource_name = _logical(answer, exchange) or ""
        setattr(message, results, woven(exchange.kept or {}, answers))

    return Edit(request, response)


def _physical(resource: Any, exchange: Exchange) -> str:
    name: str = resource.resource_name
    return exchange.topic(name) if resource.resource_type == TOPIC else exchange.name(name)


def _logical(resource: Any, exchange: Exchange) -> str | None:
    name: str = resource.resource_name
    if resource.resource_type == TOPIC:
        return exchange.logical_topic(name)
    return exchange.logical_name(name) if resource.resource_type == GROUP else None


DESCRIBE_CONFIGS: Final = _edit("results", lambda response: response.DescribeConfigsResult)
ALTER_CONFIGS: Final = _edit("responses", lambda response: response.AlterConfigsResourceResponse)
INCREMENTAL_ALTER_CONFIGS: Final = ALTER_CONFIGS


def _list_request(request: Any, version: int, exchange: Exchange) -> Response | None:
    """No types asks for all of them; types that do not exist are left to the broker to refuse."""
    if version < _TYPES_SINCE:
        # Client metrics only.
        return response_class(request.API_KEY)()
    types = [kind for kind in request.resource_types if kind not in _OTHERS]
    if request.resource_types and not types:
        return response_class(request.API_KEY)()
    request.resource_types = types or _OWN
    return None


def _list_response(response: Any, version: int, exchange: Exchange) -> None:
    shown = []
    for resource in response.config_resources:
        name = _logical(resource, exchange)
        if name is not None:
            resource.resource_name = name
            shown.append(resource)
    response.config_resources = shown


LIST_CONFIG_RESOURCES: Final = Edit(_list_request, _list_response)
