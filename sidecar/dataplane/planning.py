"""Which frames of a connection pass without its session, and what is done to them on the way."""

from collections.abc import Callable
from functools import partial
from typing import Any

from codec.api_keys import ApiKey
from sidecar.dataplane import fetch_walk
from sidecar.dataplane.id_lane import FetchIdLane
from sidecar.dataplane.injector import Injector
from sidecar.dataplane.judge import Judge
from sidecar.dataplane.lanes import FetchLane, PassLane, Plan, ProduceLane, Splicer
from sidecar.dataplane.pipeline import Pipeline
from sidecar.dataplane.tenancy import Tenancy
from sidecar.dataplane.versions import LOCAL, Versions


def plan(
    tenancy: Tenancy,
    injector: Injector,
    pipeline: Pipeline,
    versions: Versions,
    clock: Callable[[], float],
) -> tuple[Plan, Judge | None]:
    """What the fast lane may do with these interceptors and versions.

    Returns the plan, and who is asked about each Produce that a lane knows; None if nobody wants to
    be. `clock` gives seconds since the epoch.
    """
    found: Plan = {}
    for key, (low, high) in versions.ranges.items():
        # Whether a Produce has an answer is told by its acks: its lane or the session looks.
        if key not in LOCAL and key != ApiKey.PRODUCE and not injector.wants(pipeline, key):
            passing = (v for v in range(low, high + 1) if tenancy.passes(key, v))
            found.update(dict.fromkeys(key << 16 | version for version in passing))
    wanted = injector.wants(pipeline, ApiKey.PRODUCE)
    produce = ProduceLane(
        tenancy.names if tenancy.isolates else None,
        tenancy.exchange,
        tenancy.logical_topic,
        judged=wanted,
    )
    _add(found, versions, ApiKey.PRODUCE, produce.FIRST, produce.LAST, produce)
    # Masked ids stay in a fetch session: its responses have to be looked at.
    if not injector.wants(pipeline, ApiKey.FETCH) and not tenancy.masks:
        _plan_fetch(found, tenancy, versions)
    return found, Judge(injector, pipeline, clock) if wanted else None


def _plan_fetch(found: Plan, tenancy: Tenancy, versions: Versions) -> None:
    """Fetch requests stream, and responses that may hold addresses are walked."""
    first = fetch_walk.FIRST
    if tenancy.isolates:
        by_name = FetchLane(tenancy.names, tenancy.exchange, tenancy.fetch_sessions)
        _add(found, versions, ApiKey.FETCH, by_name.FIRST, by_name.LAST, by_name)
        first = FetchIdLane.FIRST
    low, high = versions.ranges.get(ApiKey.FETCH, (0, -1))
    for version in range(max(low, first), high + 1):
        form = _fetch_form(tenancy, version)
        found[ApiKey.FETCH << 16 | version] = (
            FetchIdLane(
                form,
                tenancy.logical_topic,
                tenancy.fetch_sessions,
                walked=version >= fetch_walk.FIRST,
            )
            if tenancy.isolates
            else PassLane(form)
        )


def _fetch_form(tenancy: Tenancy, version: int) -> fetch_walk.FetchForm:
    context = tenancy.exchange(None)
    map_body = partial(_map_whole, tenancy, version, context)
    learn = tenancy.fetch_sessions.learn
    return fetch_walk.FetchForm(map_body, ApiKey.FETCH, version, context, learn)


def _map_whole(tenancy: Tenancy, version: int, context: Any, body: bytes) -> bytes:
    return b"".join(tenancy.map_response(ApiKey.FETCH, version, body, context))


def _add(
    found: Plan, versions: Versions, key: ApiKey, first: int, last: int, lane: Splicer
) -> None:
    """Plan a lane for those of its versions that are offered."""
    for version in range(first, last + 1):
        if versions.accepts(key, version):
            found[key << 16 | version] = lane
