"""InjectionService: pages and streams of the journal.

Tokens are ``<run>:<sequence>``, those of streams ``<run>:<sequence>.<observation>``: sequences
start anew with the process, the run tells them apart.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import grpc

from sidecar.api import convert
from sidecar.api.observations import observation_to_proto
from sidecar.control.journal import Journal
from sidecar.control.ring import Gap, Subscription, next_of
from sidecar.gen.kafka.chaos.v1 import injection_service_pb2 as pb
from sidecar.gen.kafka.chaos.v1 import injection_service_pb2_grpc as pb_grpc
from sidecar.model.errors import InvalidArgument, ResourceExhausted, Unavailable
from sidecar.model.injection import Injection
from sidecar.model.observation import Observation, Recovery

DEFAULT_PAGE = 100
MAX_PAGE = 1000
DEFAULT_HEARTBEAT = 10.0
MIN_HEARTBEAT, MAX_HEARTBEAT = 0.1, 60.0

Accept = Callable[[Injection | Observation], bool]


class InjectionServicer(pb_grpc.InjectionServiceServicer):
    """The door to the journal.

    Args:
        max_watchers: streams open at once; each holds one of the server's threads.
    """

    def __init__(self, journal: Journal, *, max_watchers: int = 4) -> None:
        self._journal = journal
        self._max_watchers = max_watchers
        self._watchers = threading.BoundedSemaphore(max_watchers)
        self._run = secrets.token_hex(4)
        self._closing = False

    def close(self) -> None:
        """End every stream with UNAVAILABLE."""
        self._closing = True
        self._journal.close()

    def ListInjections(
        self, request: pb.ListInjectionsRequest, context: grpc.ServicerContext
    ) -> pb.ListInjectionsResponse:
        """Return a page, as the proto says."""
        if not 0 <= request.page_size <= MAX_PAGE:
            raise InvalidArgument.of(
                "page_size", f"page_size is {request.page_size}, allowed are 0 to {MAX_PAGE}"
            )
        run, (after,) = self._place(request.page_token, "page_token", 1)
        if run != self._run:
            raise InvalidArgument.of(
                "page_token", "page_token is of another run of the sidecar: start without one"
            )
        page = self._journal.list(
            after,
            request.page_size or DEFAULT_PAGE,
            _filter(request.virtual_cluster, request.interceptor),
        )
        return pb.ListInjectionsResponse(
            injections=[convert.injection_to_proto(*entry) for entry in page.entries],
            next_page_token="" if page.complete else self._token(page.last),
            # A first page starts with the oldest there is: nothing was missed on the way.
            missed=page.missed if request.page_token else 0,
        )

    def WatchInjections(
        self, request: pb.WatchInjectionsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchInjectionsResponse]:
        """Stream, as the proto says."""
        heartbeat = _heartbeat(request)
        run, places = self._place(request.resume_token, "resume_token", 2)
        if not self._watchers.acquire(blocking=False):
            raise ResourceExhausted(
                f"{self._max_watchers} streams of injections are open, no more are allowed"
            )
        after: tuple[int | None, ...] = (None, None)
        if request.resume_token:
            after = places if run == self._run else (0, 0)
        injections = self._journal.subscribe(after[0])
        watched = _Watched(
            injections, self._journal.observations.subscribe(after[1], injections.bell)
        )
        try:
            # Without the callback a cancelled call would hold its thread until the next heartbeat.
            if not self._closing and context.add_callback(watched.close):
                if run != self._run:
                    yield self._event(watched, gap=pb.Gap(restarted=True))
                yield self._event(watched, heartbeat=pb.Heartbeat())
                accept = _filter(request.virtual_cluster, request.interceptor)
                yield from self._follow(watched, accept, heartbeat)
        finally:
            watched.close()
            self._watchers.release()
        if self._closing:
            raise Unavailable("the sidecar is shutting down")

    def _follow(
        self, watched: "_Watched", accept: Accept, heartbeat: float
    ) -> Iterator[pb.WatchInjectionsResponse]:
        due = time.monotonic() + heartbeat
        turn: tuple[Subscription[Any], ...] = watched
        while True:
            found = next_of(turn, max(0.0, due - time.monotonic()))
            if watched.injections.closed:
                return
            turn = turn[::-1]  # where both have much to tell, neither waits for the other
            if found is None:
                yield self._event(watched, heartbeat=pb.Heartbeat())
            elif isinstance(found[1], Gap):
                yield self._event(watched, gap=_gap(found[0] is watched.injections, found[1]))
            elif accept(found[1][1]):
                yield self._event(watched, **_item(*found[1]))
            elif time.monotonic() >= due:
                yield self._event(watched, heartbeat=pb.Heartbeat())
            else:
                continue
            due = time.monotonic() + heartbeat

    def _event(self, watched: "_Watched", **event: Any) -> pb.WatchInjectionsResponse:
        token = self._token(watched.injections.position, watched.observations.position)
        return pb.WatchInjectionsResponse(**event, resume_token=token)

    def _token(self, *places: int) -> str:
        return f"{self._run}:{'.'.join(map(str, places))}"

    def _place(self, token: str, field: str, count: int) -> tuple[str, tuple[int, ...]]:
        """Return run and `count` sequences of `token`; an empty one is this run's beginning."""
        if not token:
            return self._run, (0,) * count
        run, _, rest = token.partition(":")
        places = rest.split(".")
        if not run or len(places) != count or not all(map(_is_sequence, places)):
            raise InvalidArgument.of(field, f"{field} is not one that an answer carried")
        return run, tuple(map(int, places))


class _Watched(NamedTuple):
    """What one stream follows."""

    injections: Subscription[Injection]
    observations: Subscription[Observation]

    def close(self) -> None:
        """End both; a waiting reader comes back."""
        for each in self:
            each.close()


def _item(sequence: int, item: Injection | Observation) -> dict[str, Any]:
    if isinstance(item, Injection):
        return {"injection": convert.injection_to_proto(sequence, item)}
    kind = "recovery" if isinstance(item, Recovery) else "sequence_anomaly"
    return {kind: observation_to_proto(sequence, item)}


def _gap(of_injections: bool, gap: Gap) -> pb.Gap:
    return pb.Gap(missed=gap.missed) if of_injections else pb.Gap(missed_observations=gap.missed)


def _is_sequence(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20


def _filter(virtual_cluster: str, interceptor: str) -> Accept:
    def accept(item: Injection | Observation) -> bool:
        # An anomaly is nobody's in particular.
        name = getattr(item, "interceptor", interceptor)
        return virtual_cluster in ("", item.virtual_cluster) and interceptor in ("", name)

    return accept


def _heartbeat(request: pb.WatchInjectionsRequest) -> float:
    if not request.HasField("heartbeat_interval"):
        return DEFAULT_HEARTBEAT
    wanted = request.heartbeat_interval
    seconds = wanted.seconds + wanted.nanos / 1e9
    if not MIN_HEARTBEAT <= seconds <= MAX_HEARTBEAT:
        raise InvalidArgument.of(
            "heartbeat_interval",
            f"heartbeat_interval is {seconds:g}s,"
            f" allowed are {MIN_HEARTBEAT:g}s to {MAX_HEARTBEAT:g}s",
        )
    return seconds
