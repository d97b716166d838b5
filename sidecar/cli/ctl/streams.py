"""Streams of injections from many sidecars, in one queue."""

import math
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc

from sidecar.cli.ctl.refusals import Failure, failure_of
from sidecar.cli.ctl.targets import Client
from sidecar.gen.kafka.chaos.v1.injection_service_pb2 import (
    WatchInjectionsRequest,
    WatchInjectionsResponse,
)
from sidecar.gen.kafka.chaos.v1.injection_service_pb2_grpc import InjectionServiceStub

_HEARTBEAT: Final = 2
_AGAIN_SECONDS: Final = 1.0
_WAITING: Final = 10_000
"""Events on their way to the screen. Behind them the sidecar waits, and tells what it forgot."""
_COMES_BACK: Final = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED"})
"""Failures after which a stream is tried again: the sidecar may be starting."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one stream has to say: one of the two is there.

    Args:
        final: the stream is over; otherwise it is tried again after a failure.
    """

    target: str
    event: WatchInjectionsResponse | None = None
    failure: Failure | None = None
    final: bool = False


class Stream:
    """Follows one sidecar on a thread of its own, also over its restarts.

    Args:
        request: what to ask for; the stream goes on behind what was seen.
        told: where events and failures go to.
    """

    def __init__(
        self, client: Client, request: WatchInjectionsRequest, told: "queue.Queue[Told]"
    ) -> None:
        self._client = client
        self._request = WatchInjectionsRequest()
        self._request.CopyFrom(request)
        self._request.heartbeat_interval.FromSeconds(_HEARTBEAT)
        self._told = told
        self._stopping = threading.Event()
        self._call: Any = None
        self._heard = time.monotonic()
        self._thread = threading.Thread(target=self._follow, name=client.target, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def check(self) -> None:
        """Give up on a connection that has been silent for too long; to be called now and then."""
        call = self._call
        if call is not None and time.monotonic() - self._heard > self._silence:
            call.cancel()

    def stop(self) -> None:
        """End; does not wait for it."""
        self._stopping.set()
        self._client.channel.close()

    @property
    def _silence(self) -> float:
        return self._client.seconds + _HEARTBEAT

    def _follow(self) -> None:
        while not self._stopping.is_set():
            failure = self._once()
            if self._stopping.is_set():
                return
            final = failure.code not in _COMES_BACK
            self._tell(Told(self._client.target, failure=failure, final=final))
            if final:
                return
            self._stopping.wait(_AGAIN_SECONDS)

    def _once(self) -> Failure:
        """Follow until it fails."""
        self._heard = time.monotonic()
        try:
            method = InjectionServiceStub(self._client.channel).WatchInjections
            self._call = method(self._request, metadata=self._client.metadata)
            for event in self._call:
                self._heard = math.inf  # until it is taken from us: a slow screen is no silence
                self._request.resume_token = event.resume_token
                self._tell(Told(self._client.target, event=event))
                self._heard = time.monotonic()
        except grpc.RpcError as error:
            return self._failure(error)
        except ValueError:  # the channel was closed by `stop`
            return Failure("CANCELLED", "stopped")
        finally:
            self._call = None
        return Failure("UNAVAILABLE", "the sidecar ended the stream")

    def _failure(self, error: grpc.RpcError) -> Failure:
        failure = failure_of(error, self._client.seconds)
        if failure.code == "CANCELLED":  # by `check`
            return Failure("DEADLINE_EXCEEDED", f"nothing was heard for {self._silence:g} s")
        return failure

    def _tell(self, told: Told) -> None:
        while not self._stopping.is_set():
            try:
                self._told.put(told, timeout=0.5)
            except queue.Full:
                continue
            return


class Streams:
    """All streams of a command; a context manager that ends them."""

    def __init__(self, clients: Sequence[Client], request: WatchInjectionsRequest) -> None:
        self._told: queue.Queue[Told] = queue.Queue(_WAITING)
        self._streams = [Stream(client, request, self._told) for client in clients]

    def __enter__(self) -> "Streams":
        for stream in self._streams:
            stream.start()
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._streams:
            stream.stop()

    def next(self, seconds: float) -> Told | None:
        """The next that any of them has to say, or None if there is nothing for so long."""
        for stream in self._streams:
            stream.check()
        try:
            return self._told.get(timeout=seconds)
        except queue.Empty:
            return None
