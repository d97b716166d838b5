"""What runs in a worker's own process: listeners and relay, told and heard over one socket."""

import contextlib
import gc
import secrets
from collections.abc import Mapping
from typing import Any, Final

import gevent
import structlog
from gevent import socket
from gevent.event import Event

from sidecar import clock, log
from sidecar.dataplane.addresses import Broker
from sidecar.dataplane.pipeline import Mark, Pipeline
from sidecar.dataplane.recovering import Recoveries
from sidecar.dataplane.sequence_oracle import SequenceOracle
from sidecar.dataplane.shared import Shared
from sidecar.dataplane.tenancy import TopicDirectory
from sidecar.dataplane.versions import Versions
from sidecar.failures import FaultFailures
from sidecar.logins import logins
from sidecar.net.listeners import Listeners
from sidecar.net.soon import Soon
from sidecar.observer import Observer
from sidecar.recorder import Recorder
from sidecar.sink import LineSink
from sidecar.workers.channel import Channel
from sidecar.workers.claims import Claims
from sidecar.workers.directory import Directory
from sidecar.workers.messages import (
    Answer,
    Claimed,
    ClusterView,
    Drain,
    Forget,
    Forgotten,
    GivenBack,
    Granted,
    Hello,
    Listening,
    Marked,
    Publish,
    Published,
    Seen,
    State,
    Unreachable,
    Want,
    Welcome,
)
from sidecar.workers.tally import Tally

_IDLE_SECONDS: Final = 0.2
"""How often the state is looked at, and a slow reader of the log given what waits for it."""
_GATHER_SECONDS: Final = 0.005
"""Least time between two reports; what happens meanwhile is gathered for the next."""


def main(fd: int) -> int:
    """Serve clients until the process at the other end of socket `fd` says so, or is gone.

    Signals that end the first process are blocked here from the start (see `process`), so a worker
    ends by this alone, and in its turn.
    """
    channel = Channel(socket.socket(fileno=fd))
    with contextlib.suppress(OSError):  # nobody is there any more; so the next line finds, too
        channel.send(Hello())
    messages = iter(channel)
    for message in messages:
        if isinstance(message, Welcome):
            worker = Worker(channel, message)
            break
    else:
        return 0
    try:
        gc.collect()
        gc.freeze()  # as the first process does, when all is there that stays
        worker.start()
        for message in messages:
            worker.take(message)
    finally:
        worker.stop()
    return 0


class Worker:
    """One process of several, but the first.

    Args:
        channel: to the first process; the worker sends, its caller receives.
        welcome: what it is told at its start.
    """

    def __init__(self, channel: Channel, welcome: Welcome) -> None:
        settings = welcome.settings
        clock.now.join(welcome.ahead)
        self._channel = channel
        self._place = welcome.place
        self._sink = LineSink(shared=True)
        log.configure(self._sink, settings.log_level)
        self._log: Any = structlog.get_logger().bind(worker=self._place.index)
        self._wake = Event()
        self._tally = Tally(self._wake.set)
        self._answers: list[Answer] = []
        self._state = State()
        self._recorder = Recorder(self._sink, self._tally.publish, self._tally)
        self._failures = FaultFailures(self._log, self._tally)
        self._observer = Observer(self._sink.put, self._tally.note, self._tally, Soon())
        note = self._observer.note
        self._directory = Directory(settings.advertised_host, self._on_unknown)
        self._claims = Claims(self._answer)
        key = settings.secret_key
        self._secured = key is not None
        self._shared = Shared(
            pipeline=Pipeline(
                welcome.snapshot,
                place=self._place,
                ask=self._ask,
                spread=self._spread,
                failed=self._failures.note,
                passed_over=self._failures.passed_over,
            ),
            versions=Versions([], secured=self._secured),
            advertise=self._directory.advertised,
            record=self._recorder.record,
            delegated=settings.security.delegated,
            tenants=self._secured or settings.security.delegated or settings.security.certificates,
            directory=TopicDirectory(secrets.token_bytes(32)),
            recoveries=Recoveries(note),
            oracle=SequenceOracle(note) if settings.sequence_oracle else None,
        )
        if key is not None:
            admit, locate = self._claims.admit, self._shared.located
            self._shared.logins = logins(key, settings.logins, admit, locate, self._log)
        self._listeners = Listeners(
            locate=self._directory.locate,
            shared=self._shared,
            bind_host=settings.bind_host,
            max_connections=self._place.share(settings.max_connections),
            frame_limit=settings.frame_limit,
            metrics=self._tally,
            log=self._log,
            place=self._place,
            transport=settings.security.transport(self._log),
            on_unreachable=self._on_unreachable,
        )
        for mark in welcome.marks:
            self._shared.pipeline.hear(mark)
        self._cluster = welcome.cluster
        self._reporter: gevent.Greenlet[[], None] | None = None

    def start(self) -> None:
        """Listen, and say so; or why not."""
        self._reporter = gevent.spawn(self._report)
        self._answer(Listening(self._follow(self._cluster)))

    def take(self, message: object) -> None:
        """Do what the first process says."""
        match message:
            case Publish(snapshot):
                old = self._shared.pipeline
                self._shared.pipeline = Pipeline(
                    snapshot,
                    old,
                    self._place,
                    self._ask,
                    self._spread,
                    self._failures.note,
                    self._failures.passed_over,
                )
                # A number may have been lowered: what is left of it is asked for again.
                self._give_back({uid: purse.empty() for uid, purse in old.borrowed})
                self._answer(Published(snapshot.revision))
            case Granted(uid, count):
                purse = dict(self._shared.pipeline.borrowed).get(uid)
                if purse is not None:
                    purse.granted(count, clock.now())
            case Marked(mark):
                self._shared.pipeline.hear(mark)
            case Claimed():
                self._claims.take(message)
            case Drain(seconds):
                gevent.spawn(self._listeners.drain, seconds)
            case Forget(number, virtual_cluster):
                self._claims.forget(virtual_cluster)
                self._answer(Forgotten(number, self._listeners.clients(virtual_cluster)))
            case ClusterView():
                error = self._follow(message)
                if error is not None:
                    self._log.error("listen_failed", cause=error)

    def stop(self) -> None:
        """End every connection and write what is left of the log."""
        if self._reporter is not None:
            self._reporter.kill()
        self._listeners.stop()
        self._observer.flush()
        self._sink.flush()
        self._channel.close()

    def _follow(self, view: ClusterView) -> str | None:
        """Take over a view of the cluster; why a port cannot be listened on, if so."""
        error = None
        self._directory.follow(view)
        self._shared.versions = self._shared.versions_of(view.versions, view.features)
        for broker, port in view.brokers:
            if broker.node_id not in view.listening - self._listeners.brokers:
                continue
            try:
                self._listeners.open(broker, port)
            except OSError as failure:
                error = str(failure)
        return error

    def _ask(self, uid: str, count: int) -> None:
        self._answer(Want(uid, count))

    def _spread(self, mark: Mark) -> None:
        self._answer(Marked(mark))

    def _give_back(self, counts: Mapping[str, int]) -> None:
        for uid, count in counts.items():
            if count:
                self._answer(GivenBack(uid, count))

    def _on_unknown(self, broker: Broker) -> None:
        self._answer(Seen(broker))

    def _on_unreachable(self) -> None:
        if Unreachable() not in self._answers:
            self._answer(Unreachable())

    def _answer(self, answer: Answer) -> None:
        self._answers.append(answer)
        self._wake.set()

    def _report(self) -> None:
        """Tell the first process what happens; waits where it does not read, alone."""
        while True:
            self._wake.wait(_IDLE_SECONDS)
            self._wake.clear()
            self._sink.flush()
            now = clock.now()
            self._shared.recoveries.expire(now)
            borrowed = self._shared.pipeline.borrowed
            self._give_back({uid: purse.idle(now) for uid, purse in borrowed})
            try:
                self._tell()
            except OSError:
                return  # it is gone, and so will this process be
            gevent.sleep(_GATHER_SECONDS)

    def _tell(self) -> None:
        # Injections first: who has an answer knows of all that was done before it.
        answers, self._answers = self._answers, []
        state = State(self._listeners.connections, self._recorder.paused, self._sink.dropped)
        # Not as long as there are any: under load there always are.
        for _ in range(self._tally.due or int(state != self._state)):
            self._channel.send(self._tally.take(state))
            self._state = state
            gevent.sleep(0)  # clients come first
        for answer in answers:
            self._channel.send(answer)
