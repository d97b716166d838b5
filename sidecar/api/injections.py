"""InjectionService: pages and streams of the journal.

Tokens are ``<run>:<sequence>``: sequences start anew with the process, the run tells them apart.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator

import grpc

from sidecar.api import convert
from sidecar.control.journal import Entry, Gap, Journal, Subscription
from sidecar.gen.kafka.chaos.v1 import injection_service_pb2 as pb
from sidecar.gen.kafka.chaos.v1 import injection_service_pb2_grpc as pb_grpc
from sidecar.model.errors import InvalidArgument, ResourceExhausted, Unavailable
from sidecar.model.injection import Injection

DEFAULT_PAGE = 100
MAX_PAGE = 1000
DEFAULT_HEARTBEAT = 10.0
MIN_HEARTBEAT, MAX_HEARTBEAT = 0.1, 60.0

Accept = Callable[[Injection], bool]


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
        run, after = self._place(request.page_token, "page_token")
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
        run, after = self._place(request.resume_token, "resume_token")
        if not self._watchers.acquire(blocking=False):
            raise ResourceExhausted(
                f"{self._max_watchers} streams of injections are open, no more are allowed"
            )
        subscription = self._journal.subscribe(
            None if not request.resume_token else after if run == self._run else 0
        )
        try:
            # Without the callback a cancelled call would hold its thread until the next heartbeat.
            if not self._closing and context.add_callback(subscription.close):
                if run != self._run:
                    yield self._event(subscription, gap=pb.Gap(restarted=True))
                yield self._event(subscription, heartbeat=pb.Heartbeat())
                accept = _filter(request.virtual_cluster, request.interceptor)
                yield from self._follow(subscription, accept, heartbeat)
        finally:
            subscription.close()
            self._watchers.release()
        if self._closing:
            raise Unavailable("the sidecar is shutting down")

    def _follow(
        self, subscription: Subscription, accept: Accept, heartbeat: float
    ) -> Iterator[pb.WatchInjectionsResponse]:
        due = time.monotonic() + heartbeat
        while True:
            found = subscription.next(max(0.0, due - time.monotonic()))
            if subscription.closed:
                return
            if isinstance(found, Gap):
                yield self._event(subscription, gap=pb.Gap(missed=found.missed))
            elif found is not None and accept(found[1]):
                yield self._event(subscription, injection=found)
            elif found is None or time.monotonic() >= due:
                yield self._event(subscription, heartbeat=pb.Heartbeat())
            else:
                continue
            due = time.monotonic() + heartbeat

    def _event(
        self,
        subscription: Subscription,
        *,
        injection: Entry | None = None,
        gap: pb.Gap | None = None,
        heartbeat: pb.Heartbeat | None = None,
    ) -> pb.WatchInjectionsResponse:
        return pb.WatchInjectionsResponse(
            injection=convert.injection_to_proto(*injection) if injection else None,
            gap=gap,
            heartbeat=heartbeat,
            resume_token=self._token(subscription.position),
        )

    def _token(self, sequence: int) -> str:
        return f"{self._run}:{sequence}"

    def _place(self, token: str, field: str) -> tuple[str, int]:
        """Return run and sequence of `token`; an empty one is the beginning of this run."""
        if not token:
            return self._run, 0
        run, _, sequence = token.partition(":")
        if not run or not (sequence.isascii() and sequence.isdigit()) or len(sequence) > 20:
            raise InvalidArgument.of(field, f"{field} is not one that an answer carried")
        return run, int(sequence)


def _filter(virtual_cluster: str, interceptor: str) -> Accept:
    def accept(injection: Injection) -> bool:
        return virtual_cluster in ("", injection.virtual_cluster) and interceptor in (
            "",
            injection.interceptor,
        )

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
