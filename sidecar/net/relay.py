"""Two connected sockets and the session between them: what the two readers have in common.

Greenlets would cost a switch per read and per write, and gevent's sockets system calls of their
own. Here a readable socket is read once into a buffer the whole process shares, all frames in what
arrived are walked (`requests`, `responses`), and what may pass is sent on from the same buffer in
one call. A large frame is never assembled: its beginning decides, the rest streams through. Frames
somebody has to see whole are collected here for the session and come back as its actions.

A callback must never block or switch. What a peer does not take at once is copied and waits, and
the other side is not read meanwhile.
"""

import socket
import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent.event import Event

from sidecar.dataplane.actions import Action, Close, HoldBack, LookUp, Report, ToBroker, ToClient
from sidecar.dataplane.heads import HEADER_SIZE
from sidecar.dataplane.session import Session
from sidecar.net.buffer import ORIGIN, STREAM_ROOM, STREAM_SIZE, VIEW
from sidecar.net.held import Held, LookUpTopics
from sidecar.net.late import Late
from sidecar.net.side import Side
from sidecar.net.streams import Streams

MAX_IN_FLIGHT: Final = 1000
"""Requests a connection may have unanswered before the sidecar stops reading it."""
FLUSH_TIMEOUT: Final = 5.0
"""Seconds a closing connection waits for the client to take what was said before."""
MAX_WAITING: Final = 256 * 1024
"""Bytes of answers a client may leave unread before its requests are not read any more."""
LEAST_REQUEST: Final = 10
"""Bytes of the shortest request: api key, version, correlation id, length of the client id."""
LEAST_RESPONSE: Final = 4
"""Bytes of the shortest response: a correlation id."""
STREAM_FROM: Final = 64 * 1024
"""Bytes of a frame still to come from which on it is read on without a look at other sockets."""
_STREAM_READS: Final = 3


_streams: Final = Streams()


class Relay:
    """Two connected sockets and the session between them.

    Args:
        client, broker: raw non-blocking sockets; the caller closes them when `done` is set.
        session: authenticated.
        frame_limit: largest frame either way, bytes.
        look_up: has the session's directory learn which topics ids are of.
        on_report: told of the session's events.
        on_close: told, at most once, why the sidecar ends the connection.
    """

    def __init__(
        self,
        client: Any,
        broker: Any,
        session: Session,
        frame_limit: int,
        look_up: LookUpTopics,
        on_report: Callable[[Report], None],
        on_close: Callable[[Close], None],
    ) -> None:
        self.done = Event()
        self.session = session
        self.limit = frame_limit
        self.most_in_flight = MAX_IN_FLIGHT
        self.watched = False
        """Whether something is due after responses: a side is not read, or an end is near."""
        self._queue = session.order.queue
        self.held = Held(look_up, self._go_on, self._give_up, self.failed)
        """A request that waits; what came after it is the client's tail."""
        self._on_report = on_report
        self._on_close = on_close
        self._ending = False
        self._deadline: Any = None
        self._loop = gevent.get_hub().loop
        self.late = Late(self._loop, self._on_time, self.failed)
        """A response that waits; what came after it is the broker's tail."""
        self.client = Side(client, self._loop, self._on_drained, self.stop)
        self.broker = Side(broker, self._loop, self._on_drained, self.stop)

    def start(
        self,
        on_client: Callable[..., None],
        on_broker: Callable[..., None],
        received: bytes,
    ) -> None:
        """Serve with these readers; `received` has been read from the client already."""
        self.client.on_readable = on_client
        self.broker.on_readable = on_broker
        if received:
            VIEW[ORIGIN : ORIGIN + len(received)] = received
            on_client(len(received))
        if not self.done.is_set():
            self.steer()

    def stop(self) -> None:
        """End at once. Safe to call twice."""
        if not self.done.is_set():
            self.done.set()
            self.client.stop()
            self.broker.stop()
            self.late.stop()
            if self._deadline is not None:
                self._deadline.close()

    def failed(self, error: Exception) -> None:
        """A bug in a callback ends this connection and nothing else."""
        self._on_report(Report("relay_failed", {"error": repr(error)}, warning=True))
        self.stop()

    def client_ended(self) -> None:
        """The client is done, or its connection broke."""
        if self.client.inside_frame:
            self._note(Close("malformed_request", "the client closed inside a frame"))
        self.stop()

    def broker_ended(self) -> None:
        """The broker is done, or its connection broke; the client may be slow."""
        if self.broker.inside_frame:
            self._note(Close("malformed_response", "the broker closed inside a frame"))
            self.broker.need = 0
            self.broker.walk = None
        self._end()

    # Reading on, and not.

    def steer(self) -> None:
        """Read each side as long as the other takes what comes of it."""
        client, broker = self.client, self.broker
        hear_client = (
            not broker.waiting
            and client.size <= MAX_WAITING
            and len(self._queue) < self.most_in_flight
            and self.session.closing is None
            and not self.held
        )
        hear_broker = not client.waiting and not self.late
        self.watched = not (hear_client and hear_broker)
        client.watch(hear_client)
        broker.watch(hear_broker)

    def after_requests(self) -> None:
        """What is due when a walk over requests had anything out of the ordinary."""
        if (
            self.broker.waiting
            or self.client.waiting
            or len(self._queue) >= self.most_in_flight
            or self.session.halted
            or self.held
        ):
            self.steer()
        if self._ending:
            self._end()

    def after_responses(self) -> None:
        """What is due when a walk over responses was watched."""
        closing = self.session.closing
        if closing is not None and not self._queue:
            self._note(closing)
        if self._ending:
            self._end()
        else:
            self.steer()

    def _on_drained(self) -> None:
        if self._ending:
            self._end()
        else:
            self.steer()

    def _note(self, close: Close) -> None:
        if not self._ending:
            self._ending = self.watched = True
            self._on_close(close)

    def refuse(self, reason: str, size: int, least: int) -> None:
        """End for a frame of this size; what came before it is still passed on."""
        detail = f"frame size {size}, allowed are {least} to {self.limit}"
        self._note(Close(reason, detail))

    @property
    def ignores(self) -> bool:
        """Whether what follows in a read is not looked at any more."""
        return self._ending or bool(self.held) or self.session.closing is not None

    def _end(self) -> None:
        """Stop when the client has what was said to it, or does not take it in time."""
        self._ending = self.watched = True
        client, broker = self.client, self.broker
        if not client.waiting and not broker.passing:
            self.stop()
            return
        client.watch(False)
        broker.watch(broker.passing and not client.waiting)
        if self._deadline is None:
            self._deadline = self._loop.timer(FLUSH_TIMEOUT)
            self._deadline.start(self.stop)

    # What the walks leave to the relay.

    def pass_on(
        self, source: Side, target: Side, start: int, position: int, end: int, chunks: list[Any]
    ) -> None:
        """Send what may pass; keep what cannot be judged yet."""
        if position > end:
            source.need = position - end
            position = end
        else:
            source.need = 0
            if position < end and not self._ending:
                source.tail = bytes(VIEW[position:end])
                if source is self.client and HEADER_SIZE > end - position >= LEAST_RESPONSE:
                    self._check_early(position)
        if position > start:
            chunks.append(VIEW[start:position])
        if chunks:
            target.send(chunks)

    def _check_early(self, position: int) -> None:
        """An impossible size is refused before the rest of a header comes, which may be never."""
        size = int.from_bytes(VIEW[position : position + 4], "big", signed=True)
        if not LEAST_REQUEST <= size <= self.limit:
            self.refuse("malformed_request", size, LEAST_REQUEST)

    def stream(self, source: Side, target: Side) -> None:
        """Go on reading inside a large frame while there is something to read.

        Only where few do: others would wait for all of them.
        """
        if not _streams.few(self._loop.iteration):
            return
        for _ in range(_STREAM_READS):
            try:
                # Not to its end: what is due then is for the walk to see.
                size = source.recv_into(STREAM_ROOM, min(STREAM_SIZE, source.need - 1))
            except BlockingIOError:
                return
            if not size:
                return  # the walk will be told again
            source.need -= size
            target.send_one(STREAM_ROOM[:size], size)
            if target.waiting:
                self.steer()
                return
            if source.need < STREAM_FROM:
                return

    def walk(self, position: int, end: int, back: list[Any]) -> int:
        """Go on with a response that is looked at while it passes; returns where it ends."""
        walk = self.broker.walk
        if walk is None:
            raise AssertionError("no response is being walked")
        taken, chunks = walk.feed(VIEW[position:end])
        back += chunks
        if not walk.left:
            self.broker.walk = None
            back += self.session.order.passed()
        return position + taken

    def skip(self, end: int, back: list[Any]) -> int:
        """Drop what came of a refused request; answer it when it has come whole."""
        client = self.client
        taken = min(client.skip, end - ORIGIN)
        client.skip -= taken
        if not client.skip:
            back += self.session.order.local([client.owed])
            client.owed = b""
        return ORIGIN + taken

    def discard(self) -> None:
        """Have the kernel drop what has come of a refused request, but for its end."""
        client = self.client
        for _ in range(_STREAM_READS):
            if client.skip <= STREAM_FROM:
                return
            try:
                most = min(STREAM_SIZE, client.skip - 1)
                size = client.recv_into(STREAM_ROOM, most, socket.MSG_TRUNC)
            except BlockingIOError:
                return
            if not size:
                return  # the walk will be told again
            client.skip -= size

    def take(
        self,
        side: Side,
        position: int,
        after: int,
        end: int,
        to_broker: list[Any],
        to_client: list[Any],
    ) -> int:
        """Hand a frame to the session, or begin to collect it; returns where to go on."""
        if after > end:
            side.collected = bytearray(VIEW[position:end])
            side.wanted = after - position
            return end
        self._decide(side, VIEW[position + 4 : after], to_broker, to_client)
        return self._rest(side, after, end)

    def _rest(self, side: Side, after: int, end: int) -> int:
        """Where to go on behind a frame; nowhere while something is held."""
        if self.held if side is self.client else self.late:
            side.tail = bytes(VIEW[after:end])
            return end
        return after

    def collect(self, side: Side, end: int, to_broker: list[Any], to_client: list[Any]) -> int:
        """Go on collecting a frame; returns where the next one begins."""
        collected = side.collected
        if collected is None:
            raise AssertionError("nothing is being collected")
        taken = min(side.wanted - len(collected), end - ORIGIN)
        collected += VIEW[ORIGIN : ORIGIN + taken]
        if len(collected) == side.wanted:
            side.collected = None
            self._decide(side, memoryview(collected)[4:], to_broker, to_client)
            return self._rest(side, ORIGIN + taken, end)
        return ORIGIN + taken

    def _decide(
        self, side: Side, frame: memoryview, to_broker: list[Any], to_client: list[Any]
    ) -> None:
        session = self.session
        if side is self.client:
            actions = session.on_request(frame, time.time())
            if session.halted:
                self.watched = True
        else:
            actions = session.on_response(frame, time.time())
        for action in actions:
            self._perform(action, to_broker, to_client)
            if isinstance(action, LookUp):
                self.watched = True
                self.held.ask(action.topic_ids, frame if side is self.client else None)

    def _go_on(self, frame: memoryview) -> None:
        """Decide about a request that was held, then about what came after it."""
        if not (self._ending or self.done.is_set()):
            self._carry_out(self.session.on_request(frame, time.time(), looked_up=True))
            self._read_on(self.client)

    def _on_time(self, response: bytes) -> None:
        """Send the response that waited, and look at what came after it."""
        if not self.done.is_set():
            self._carry_out(self.session.released([response]))
            self._read_on(self.broker)

    def _carry_out(self, actions: list[Action]) -> None:
        to_broker: list[Any] = []
        to_client: list[Any] = []
        for action in actions:
            self._perform(action, to_broker, to_client)
        try:
            if to_broker:
                self.broker.send(to_broker)
            if to_client:
                self.client.send(to_client)
        except OSError:
            self.stop()

    def _read_on(self, side: Side) -> None:
        """Look at what was kept while something waited, unless nothing is looked at any more."""
        if side.tail and not self.done.is_set() and (side is self.broker or not self.ignores):
            tail, side.tail = side.tail, b""
            VIEW[ORIGIN : ORIGIN + len(tail)] = tail
            side.on_readable(len(tail))
        if not self.done.is_set():
            self.after_responses()

    def _give_up(self, cause: str) -> None:
        """Close: to go on would leave a masked id in the client's fetch session, for ever."""
        if not self.done.is_set():
            self._note(Close("topic_ids_unknown", cause))
            self._end()

    def _perform(self, action: Action, to_broker: list[Any], to_client: list[Any]) -> None:
        match action:
            case ToBroker(chunks):
                to_broker += chunks
            case ToClient(chunks):
                to_client += chunks
            case Report():
                self._on_report(action)
            case Close():
                self._note(action)
            case HoldBack(until, chunks):
                self.late.hold(until, chunks)
                self.watched = True
