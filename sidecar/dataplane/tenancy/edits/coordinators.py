"""FindCoordinator: its keys are groups, transactional ids, or begin with a group.

The key type says which; all are spelled alike, so it does not matter. Share keys are
``group:topic id:partition``, and go by their text alone: brokers do not look the topic up, so an
id of another's tells nothing.
"""

from typing import Any

from sidecar.dataplane.tenancy.edits.base import Edit
from sidecar.dataplane.tenancy.exchange import Exchange

_BATCHED_SINCE = 4


def _request(request: Any, version: int, exchange: Exchange) -> None:
    if version >= _BATCHED_SINCE:
        request.coordinator_keys = [exchange.name(key) for key in request.coordinator_keys]
    else:
        request.key = exchange.name(request.key)


def _response(response: Any, version: int, exchange: Exchange) -> None:
    if version >= _BATCHED_SINCE:
        for coordinator in response.coordinators:
            coordinator.key = exchange.logical_name(coordinator.key) or ""


FIND_COORDINATOR = Edit(_request, _response)
