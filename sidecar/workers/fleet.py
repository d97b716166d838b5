"""The workers as the first process keeps them: started, told, heard, and started again."""

import itertools
import time
from queue import Empty, SimpleQueue
from typing import Any, Final

import gevent
from gevent.event import AsyncResult, Event

from sidecar import clock
from sidecar.dataplane.pipeline import Mark
from sidecar.model.place import Place
from sidecar.model.snapshot import Snapshot
from sidecar.workers.messages import (
    Claim,
    Claimed,
    ClusterView,
    Drain,
    Forget,
    Forgotten,
    FromWorker,
    GivenBack,
    Granted,
    Hello,
    Listening,
    Marked,
    Publish,
    Published,
    Report,
    Seen,
    State,
    ToWorker,
    Unreachable,
    Want,
    Welcome,
    WorkerSettings,
    encode,
    for_workers,
)
from sidecar.workers.process import WorkerProcess
from sidecar.workers.sources import Sources

ACKNOWLEDGE_SECONDS: Final = 3.0
"""How long a worker may take to acknowledge what it is told, before it is ended."""
_PATIENCE_SECONDS: Final = 4.5
"""How long a control call waits for all of that; the REST bridge gives up after 5 s."""
_LISTEN_SECONDS: Final = 30.0
"""How long a worker may take to listen, at the start."""
_FIRST_DELAY: Final = 0.5
"""Seconds before a worker that ended is started again; doubles each time."""
_LONGEST_DELAY: Final = 30.0
_HEALTHY_SECONDS: Final = 60.0
"""A worker that lived for so long is started again after `_FIRST_DELAY`."""
_STOP_SECONDS: Final = 6.0
"""How long all of them may take to end; then they are killed."""


class _Slot:
    """One place, and the process that has it at the moment."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.process: WorkerProcess | None = None
        self.listening: AsyncResult[str | None] = AsyncResult()
        """Of its first process: None once it listens, or why it does not."""
        self.up = False
        self.dropped = 0
        """Log lines that its former processes lost."""

    @property
    def state(self) -> State:
        """As last reported; nothing while there is no process."""
        process = self.process
        return process.state if process is not None else State()


_Key = tuple[type, int]
"""Kind and number of the acknowledgement that is awaited."""


class _Told:
    """A message on its way to every worker, each of which acknowledges it.

    Args:
        encoded: made on the thread of the control call, as the hub has other things to do.
    """

    def __init__(self, encoded: bytes) -> None:
        self.encoded = encoded
        self.pending: set[WorkerProcess] = set()
        self.clients = 0
        """The sum of what `Forgotten` says."""
        self.bell: SimpleQueue[None] = SimpleQueue()
        """Rung once, when nobody is pending any more."""


class Fleet:
    """The workers but the first, which is this process.

    Made, started and stopped on the hub's thread; `publish` and the numbers are for any.

    Args:
        count: processes, with this one.
        settings: what they are told.
        sources: see there.
        log: bound logger.
    """

    def __init__(self, count: int, settings: WorkerSettings, sources: Sources, log: Any) -> None:
        self._settings = settings
        self._sources = sources
        self._log = log
        self._hub = gevent.get_hub()
        self._slots = tuple(_Slot(Place(index, count)) for index in range(1, count))
        self._keepers: list[gevent.Greenlet[..., None]] = []
        self._view = ClusterView()
        self._opened = False
        self._stopping = Event()
        self._tolds: dict[_Key, _Told] = {}
        self._questions = itertools.count(1)

    @property
    def connections(self) -> int:
        """Client connections of all workers, a fraction of a second ago."""
        return sum(slot.state.connections for slot in self._slots)

    @property
    def paused(self) -> bool:
        """Whether a worker does not inject because it cannot log."""
        return any(slot.state.paused for slot in self._slots)

    @property
    def dropped(self) -> int:
        """Ordinary log lines that workers have lost to a stuck reader."""
        return sum(slot.dropped + slot.state.dropped for slot in self._slots)

    @property
    def up(self) -> int:
        """Workers that listen, without this process."""
        return sum(slot.up for slot in self._slots)

    def launch(self) -> None:
        """Start the processes; they wait for `open`."""
        self._keepers = [gevent.spawn(self._keep, slot) for slot in self._slots]

    def open(self) -> None:
        """Let every worker listen; returns when all do.

        Raises:
            OSError: one cannot; all must be stopped then.
        """
        self._opened = True
        self._view = self._sources.cluster()
        for slot in self._slots:
            if slot.process is not None:
                self._welcome(slot.process)
        for slot in self._slots:
            late = TimeoutError(f"{_name(slot)} does not listen after {_LISTEN_SECONDS:g} s")
            with gevent.Timeout(_LISTEN_SECONDS, late):
                error = slot.listening.get()
            if error is not None:
                raise OSError(error)

    def announce(self) -> None:
        """Tell the workers about the cluster, if there is news."""
        view = self._sources.cluster()
        if view == self._view:
            return
        self._view = view
        for process in self._told():
            process.send(encode(view))

    def drain(self, seconds: float) -> None:
        """Have every worker let no more clients in; see `Listeners.drain`."""
        for process in self._told():
            process.send(encode(Drain(seconds)))

    def publish(self, snapshot: Snapshot) -> None:
        """Give every worker new interceptors; returns when all that live have them.

        A worker that does not take them in time is ended: it would go on with the old ones. Called
        on any thread but the hub's.
        """
        told = _Told(encode(Publish(for_workers(snapshot))))
        if not self._heard((Published, snapshot.revision), told):
            self._log.error("workers_not_told", revision=snapshot.revision)

    def forget(self, virtual_cluster: str) -> int | None:
        """Let every worker ask again before clients use a virtual cluster.

        Returns the connections its clients have in the workers; None when it takes too long. Called
        on any thread but the hub's.
        """
        number = next(self._questions)
        told = _Told(encode(Forget(number, virtual_cluster)))
        return told.clients if self._heard((Forgotten, number), told) else None

    def _heard(self, key: _Key, told: _Told) -> bool:
        """Tell every worker and wait; False when not all that live have acknowledged in time."""
        self._tolds[key] = told
        try:
            if not self._stopping.is_set():
                self._hub.loop.run_callback_threadsafe(self._tell, told)
                told.bell.get(timeout=_PATIENCE_SECONDS)
        except Empty:
            return False
        finally:
            self._tolds.pop(key, None)
        return True

    def stop(self) -> None:
        """End every worker; returns when all have ended."""
        self._stopping.set()
        for told in tuple(self._tolds.values()):
            told.bell.put(None)
        for slot in self._slots:
            if slot.process is not None:
                slot.process.finish()
        gevent.joinall(self._keepers, timeout=_STOP_SECONDS)
        gevent.killall(self._keepers)
        for slot in self._slots:
            if slot.process is not None:
                slot.process.kill()

    # What follows runs on the hub.

    def _keep(self, slot: _Slot) -> None:
        """Have a process in this place, again and again."""
        delay = _FIRST_DELAY
        life = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            place = Place(slot.place.index, slot.place.count, life)
            killed = False
            try:
                status = self._live(slot, WorkerProcess(place))
                killed = status < 0
                cause = f"signal {-status}" if killed else f"exit status {status}"
            except OSError as error:
                cause = f"it cannot be started: {error}"
            if self._stopping.is_set():
                break
            if self._opened or not killed:
                # At the start that is the end; later nobody looks. One that somebody killed while
                # the cluster is still awaited gets a successor like any other.
                slot.listening.set(f"{_name(slot)} ended before it listened: {cause}")
            self._log.error("worker_ended", worker=place.index, cause=cause)
            if time.monotonic() - began > _HEALTHY_SECONDS:
                delay = _FIRST_DELAY
            self._stopping.wait(delay)
            delay = min(2 * delay, _LONGEST_DELAY)
            life += 1

    def _live(self, slot: _Slot, process: WorkerProcess) -> int:
        """The life of one process; its exit status, negative for a signal."""
        slot.process = process
        try:
            for message in process.messages:
                self._take(slot, process, message)
                # Reading does not yield while there is more, and this process has clients, too.
                gevent.sleep(0)
        finally:
            slot.process = None
            slot.up = False
            slot.dropped += process.state.dropped
            for told in tuple(self._tolds.values()):
                self._acknowledged(told, process)
        return process.reap()

    def _take(self, slot: _Slot, process: WorkerProcess, message: ToWorker | FromWorker) -> None:
        match message:
            case Report():
                process.state = message.state
                self._sources.report(message)
            case Published(revision):
                self._acknowledged(self._tolds.get((Published, revision)), process)
            case Forgotten(number, clients):
                self._acknowledged(self._tolds.get((Forgotten, number)), process, clients)
            case Hello():
                process.greeted = True
                if self._opened:
                    self._welcome(process)
            case Listening(error):
                self._listens(slot, process, error)
            case _:
                self._serve(process, message)

    def _serve(self, process: WorkerProcess, message: ToWorker | FromWorker) -> None:
        """Answer a question, or pass on what is for others too."""
        match message:
            case Claim(name):
                process.send(encode(Claimed(name, self._sources.refusal(name))))
            case Want() | GivenBack():
                self._reckon(process, message)
            case Marked(mark):
                self._sources.hear(mark)
                self.mark(mark, but=process)
            case Seen(broker):
                self._sources.seen(broker)
            case Unreachable():
                self._sources.unreachable()

    def mark(self, mark: Mark, but: WorkerProcess | None = None) -> None:
        """Tell the workers what a rule keeps in mind; all but the one that said it."""
        others = [process for process in self._told() if process is not but]
        encoded = encode(Marked(mark)) if others else b""
        for process in others:
            process.send(encoded)

    def _reckon(self, process: WorkerProcess, message: Want | GivenBack) -> None:
        """Hand out injections, or take them back."""
        purse = self._sources.purse(message.uid)
        if isinstance(message, Want):
            granted = purse.grant(message.count) if purse is not None else 0
            process.send(encode(Granted(message.uid, granted)))
        elif purse is not None:
            purse.take_back(message.count)

    def _welcome(self, process: WorkerProcess) -> None:
        if process.greeted and not process.welcomed:
            process.welcomed = True
            snapshot = for_workers(self._sources.snapshot())
            marks = tuple(self._sources.marks())
            welcome = Welcome(
                process.place, self._settings, self._view, snapshot, marks, clock.now.ahead
            )
            process.send(encode(welcome))

    def _listens(self, slot: _Slot, process: WorkerProcess, error: str | None) -> None:
        slot.up = error is None
        if error is None:
            self._log.info("worker_listening", worker=process.place.index, pid=process.pid)
        else:
            self._log.error("listen_failed", worker=process.place.index, cause=error)
            process.finish()  # the next one may have more luck
        slot.listening.set(error)

    def _told(self) -> list[WorkerProcess]:
        """The processes that are told of changes; others will be welcomed with them."""
        found = (slot.process for slot in self._slots)
        return [process for process in found if process is not None and process.welcomed]

    def _tell(self, told: _Told) -> None:
        told.pending.update(self._told())
        for process in told.pending:
            process.send(told.encoded)
        if told.pending:
            gevent.spawn(self._hurry, told)
        else:
            told.bell.put(None)

    def _acknowledged(self, told: _Told | None, process: WorkerProcess, clients: int = 0) -> None:
        if told is not None and process in told.pending:
            told.clients += clients
            told.pending.discard(process)
            if not told.pending:
                told.bell.put(None)

    def _hurry(self, told: _Told) -> None:
        """End the workers that do not acknowledge in time."""
        steps = 30
        for _ in range(steps):  # in steps, so that time in which this process stood does not count
            gevent.sleep(ACKNOWLEDGE_SECONDS / steps)
            if not told.pending:
                return
        for process in told.pending:
            self._log.error("worker_stuck", worker=process.place.index, pid=process.pid)
            process.kill()


def _name(slot: _Slot) -> str:
    return f"worker {slot.place.index} of {slot.place.count}"
